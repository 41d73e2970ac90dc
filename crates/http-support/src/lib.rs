//! What both tiers do with HTTP: they accept and serve connections within bounds, read header fields and bodies, and check who
//! sends a request: our own page, a holder of a token, or a trusted proxy.
//!
//! Memory and file descriptors are bounded whatever clients send. This crate knows no sessions, no routes and no options.

pub mod body;
pub mod cookie;
pub mod field;
mod form;
pub mod forwarded;
mod host;
mod origin;
pub mod problem;
pub mod same_origin;
mod serve;
mod token;
mod trusted;

pub use form::{Form, FormError};
pub use origin::{AllowedOrigins, OriginError};
pub use same_origin::{CrossOriginError, SameOrigin};
pub use serve::{ConnectionHandle, Connections, Settings, serve};
pub use token::{Token, bearer};
pub use trusted::{BadNetwork, Networks, ProxyIdentityError, TrustedUser};
