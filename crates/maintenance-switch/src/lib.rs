//! The maintenance switch, in a file or in a ConfigMap.
//!
//! User pods [follow](Switch::follow) it, and the admin tier [sets](Switch::set) it. A switch that cannot be read keeps its
//! last known state and reports why: a failure never flips it. This crate does not know what maintenance means.

mod config_map;
mod file;
mod location;
mod publisher;
mod read_error;
mod set_error;
mod state;
mod status;
mod switch;
#[cfg(test)]
mod testing;

pub use config_map::{ConfigMapName, ConfigMapNameError};
pub use location::SwitchLocation;
pub use read_error::SwitchReadError;
pub use set_error::SetError;
pub use state::{SwitchState, SwitchValueError};
pub use status::{SwitchHealth, SwitchStatus};
pub use switch::Switch;

/// The key in the ConfigMap, and the name of the file where the ConfigMap is mounted.
pub const KEY: &str = "MAINTENANCE_MODE";
