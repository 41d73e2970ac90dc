//! What a session is, how a pod's sessions are kept and counted, and the rules by which a pod drains.
//!
//! This crate is pure. It never reads a clock (every rule takes the time as an argument), never does I/O, knows no
//! runtime and no wire type. Whatever it decides comes out as a value that somebody else acts upon.

mod departure;
mod ids;
pub mod lifecycle;
mod outcome;
pub mod paging;
mod pod;
pub mod registry;
mod session;
pub mod shared;
mod time;

pub use departure::Departure;
pub use ids::{ANONYMOUS, MAX_USER_CHARS, PodName, SessionId, UserName, normalize_text};
pub use outcome::{Outcome, Totals};
pub use pod::{Counters, Phase, PodReport};
pub use session::SessionView;
pub use time::Timestamp;
