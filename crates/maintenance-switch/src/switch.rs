//! The switch: following and setting it, in a file or in a ConfigMap.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use kube::Client;
use kubernetes_client::Timing;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config_map::{self, ConfigMapName};
use crate::file;
use crate::publisher::StatusPublisher;
use crate::set_error::SetError;
use crate::state::SwitchState;
use crate::status::SwitchStatus;

/// The maintenance switch.
#[derive(Clone)]
pub enum Switch {
    /// A file: the mounted key of a ConfigMap, or a file that an operator writes.
    File {
        /// The path of the file, which is resolved at each reading: the link to a mounted file is swapped.
        path: PathBuf,
        /// How often the file is read.
        poll: Duration,
    },
    /// The key [`KEY`](crate::KEY) in a ConfigMap.
    ConfigMap {
        /// The name of the ConfigMap.
        name: ConfigMapName,
        /// The client of the Kubernetes API.
        client: Client,
    },
}

impl Switch {
    /// Publishes the status of the switch until `stop` is cancelled. The initial value of the channel counts until the switch
    /// is read.
    ///
    /// Survives all errors, and keeps the last known state meanwhile: see [`SwitchStatus`].
    ///
    /// # Cancel safety
    /// Dropping the future has the same effect as cancelling `stop`.
    pub async fn follow(&self, status: watch::Sender<SwitchStatus>, stop: CancellationToken) {
        let publisher = StatusPublisher::new(self.to_string(), status);
        match self {
            Self::File { path, poll } => stop.run_until_cancelled(file::follow(path, *poll, publisher)).await,
            Self::ConfigMap { name, client } => {
                let following = config_map::follow(client.clone(), name, publisher, Timing::default());
                stop.run_until_cancelled(following).await
            }
        };
    }

    /// Sets the switch. Changes nothing if it has this state already.
    ///
    /// # Errors
    /// Fails if the switch cannot be written; within seconds if the API is not available.
    pub async fn set(&self, state: SwitchState) -> Result<(), SetError> {
        match self {
            Self::File { path, .. } => file::set(path, state).await,
            Self::ConfigMap { name, client } => config_map::set(client.clone(), name, state).await,
        }
    }
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, .. } => write!(f, "the file {}", path.display()),
            Self::ConfigMap { name, .. } => write!(f, "the ConfigMap {name}"),
        }
    }
}

impl fmt::Debug for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Switch({self})")
    }
}
