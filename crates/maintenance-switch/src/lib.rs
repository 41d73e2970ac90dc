//! The maintenance switch where it lies: in a file, or in a ConfigMap, watched through the Kubernetes API.
//!
//! User pods [`follow`](Switch::follow) it, the admin tier [`set`](Switch::set)s it. Both stand in one crate because they
//! must agree on how it is spelled. A switch that cannot be read keeps its position and says why: it never flips by
//! failing. What a position means is not known here: this crate has no rules, and nothing of either tier.

mod backoff;
mod client;
mod config_map;
mod file;
mod place;
mod position;
mod report;
mod set_error;
mod switch;
#[cfg(test)]
mod testing;

pub use backoff::Backoff;
pub use client::{ConnectError, client, connect};
pub use config_map::{BadName, ConfigMapName};
pub use place::Place;
pub use position::{Position, SwitchValueError};
pub use report::{Doubt, Report, SwitchHealth};
pub use set_error::SetError;
pub use switch::Switch;

/// The key of the ConfigMap, and the name that a mounted one's file has.
pub const KEY: &str = "MAINTENANCE_MODE";
