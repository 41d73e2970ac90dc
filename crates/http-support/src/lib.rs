//! What both tiers do with HTTP: serving connections within bounds, and reading bodies.
//!
//! Memory and file descriptors are bounded whatever clients send. It knows no sessions, no routes and no options.

pub mod body;
mod form;
mod host;
pub mod problem;
mod serve;

pub use form::{Form, FormError};
pub use serve::{ConnectionHandle, Connections, Settings, serve};
