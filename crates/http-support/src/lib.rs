//! What both tiers do with HTTP.
//!
//! - [`serve()`] accepts and serves connections, within bounds for memory, time and file descriptors.
//! - [`header_fields`], [`cookies`], [`forwarded`], [`body`] and [`Form`] read requests.
//! - [`SameOrigin`], [`Token`] and [`TrustedUser`] check where a request comes from: our own page, the holder of a token, or a
//!   trusted proxy.
//! - [`Problem`], [`assets`], [`sse`] and [`security_headers`] write responses.
//!
//! This crate knows no sessions, no routes and no options.

mod allowed_origins;
pub mod assets;
mod bearer_token;
pub mod body;
pub mod cookies;
mod form;
pub mod forwarded;
pub mod header_fields;
mod origin;
mod peer;
mod prefetch;
mod problem;
mod request_host;
mod same_origin;
pub mod security_headers;
mod serve;
pub mod sse;
mod trusted_proxies;
mod trusted_user;

pub use allowed_origins::{AllowedOrigins, OriginError};
pub use bearer_token::{Token, bearer_token};
pub use form::{Form, FormError};
pub use peer::peer_address;
pub use prefetch::is_prefetch;
pub use problem::Problem;
pub use request_host::is_same_host;
pub use same_origin::{CrossOriginError, SameOrigin};
pub use serve::{CloseAfterAnswer, ConnectionHandle, ConnectionSettings, Connections, serve};
pub use trusted_proxies::{Networks, NetworksError};
pub use trusted_user::{ProxyIdentityError, TrustedUser};
