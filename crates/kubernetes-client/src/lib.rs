//! How both tiers use the Kubernetes API.
//!
//! [`connect()`] finds the API as every client does. [`ListWatch`] keeps up with a list of objects: the ConfigMap of the
//! maintenance switch, and the EndpointSlices of the user pods. This crate knows no object in particular.

mod api_error;
mod connect;
mod list_watch;

pub use api_error::{ApiError, error_chain};
pub use connect::{ConnectError, connect, with_config};
pub use list_watch::{ListWatch, Objects, Observation, Timing};
