//! The heads of requests and answers on their way through: what is removed, what is added, and what the app asks of Lastcall.

pub mod answer;
pub mod cookie_line;
pub mod forwarded;
pub mod hop_by_hop;
pub mod imitations;
pub mod percent;
pub mod reserved;
pub mod target;
pub mod trailers;
pub(crate) mod transfer_coding;
