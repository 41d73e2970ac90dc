//! Who may come in: whether our own page made a request, whether a caller knows a token, and whom a proxy in front vouches
//! for. What both tiers ask of a request before they do what it says.
//!
//! It only looks and answers: it knows no options, no sessions and no clock, sends nothing, and remembers nobody.

pub mod cookie;
pub mod field;
pub mod forwarded;
mod origin;
pub mod same_origin;
mod token;
mod trusted;

pub use origin::{AllowedOrigins, OriginError};
pub use same_origin::{CrossOriginError, SameOrigin};
pub use token::{Token, bearer};
pub use trusted::{BadNetwork, Networks, TrustedUser, Unclear};
