//! Where the switch is, as the options name it.

use std::path::PathBuf;
use std::time::Duration;

use kubernetes_client::{ConnectError, connect};

use crate::config_map::ConfigMapName;
use crate::switch::Switch;

/// Where the switch is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwitchLocation {
    /// In a file.
    File {
        /// The path of the file.
        path: PathBuf,
        /// How often the file is read.
        poll: Duration,
    },
    /// In a ConfigMap.
    ConfigMap(ConfigMapName),
}

impl SwitchLocation {
    /// Creates the switch. Reads nothing yet.
    ///
    /// # Errors
    /// Fails if the switch is in a ConfigMap and the Kubernetes API is not configured.
    pub async fn open(&self) -> Result<Switch, ConnectError> {
        Ok(match self {
            Self::File { path, poll } => Switch::File { path: path.clone(), poll: *poll },
            Self::ConfigMap(name) => Switch::ConfigMap { name: name.clone(), client: connect().await? },
        })
    }
}
