//! The app behind Lastcall: its connections, requests, responses and pages. Knows nothing of sessions and of options.

mod address;
mod availability;
mod client;
pub mod head;
pub mod page;
pub mod tunnel;

pub use address::{Address, InvalidAddress};
pub use availability::Availability;
pub use client::{AnswerBody, ErrorKind, Timeouts, Upstream, UpstreamError};
