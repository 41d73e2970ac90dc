//! Event streams that keep open pages current.
//!
//! A page is rendered from [`PageData`] into [`Fragments`]: named pieces of HTML, the same ones that the page is first
//! served with. The [`publisher`] publishes page data at most once a second, and only after a change. Each open page has
//! an event stream that renders the newest data and sends the fragments whose HTML differs. A slow reader misses
//! intermediate data, but no change; a reader that reads nothing for too long is disconnected.

mod event_stream;
mod event_streams;
mod fragments;
mod page_data;
pub(crate) mod publisher;

pub(crate) use event_streams::EventStreams;
pub(crate) use fragments::Fragments;
pub(crate) use page_data::{PageData, PageSources, SwitchData};
