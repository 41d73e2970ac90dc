//! What keeps open pages true: event streams that tell what has changed on a page, and nothing else.
//!
//! A page is a [`Picture`] of a [`Scene`]: named parts, the same ones that stand in the page as it is first served. The
//! [`pulse`] publishes a scene at most once a second, and only after something changed; each open page draws it and is
//! sent the parts whose text is different. Who does not read for a while misses scenes, not changes; who does not read
//! for long is cut.

mod picture;
mod pulse;
mod scene;
mod stream;
mod streams;

pub(crate) use picture::Picture;
pub(crate) use pulse::beat;
pub(crate) use scene::{Scene, Sources, Switched};
pub(crate) use stream::open;
pub(crate) use streams::Streams;
