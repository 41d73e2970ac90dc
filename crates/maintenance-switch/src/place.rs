//! Where the switch lies, as options say it: a value, before anything is opened.

use std::path::PathBuf;
use std::time::Duration;

use crate::client::{ConnectError, connect};
use crate::config_map::ConfigMapName;
use crate::switch::Switch;

/// Where the switch lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a file.
    File {
        /// Which one.
        path: PathBuf,
        /// How often it is read.
        poll: Duration,
    },
    /// In a ConfigMap.
    ConfigMap(ConfigMapName),
}

impl Place {
    /// Opens the way to the switch. Reads nothing yet.
    ///
    /// # Errors
    /// Where it lies in a ConfigMap and nothing says where the Kubernetes API is.
    pub async fn open(&self) -> Result<Switch, ConnectError> {
        Ok(match self {
            Self::File { path, poll } => Switch::File { path: path.clone(), poll: *poll },
            Self::ConfigMap(name) => Switch::ConfigMap { name: name.clone(), client: connect().await? },
        })
    }
}
