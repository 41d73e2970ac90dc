//! The switch as both tiers hold it, wherever it lies.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use kube::Client;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config_map::{self, ConfigMapName, Pace};
use crate::file;
use crate::position::Position;
use crate::report::{Report, Teller};
use crate::set_error::SetError;

/// Where the switch lies.
#[derive(Clone)]
pub enum Switch {
    /// In a file: a mounted key of a ConfigMap, or one that an operator writes.
    File {
        /// Which one. It is found anew by its path each time, since mounted ones are swapped.
        path: PathBuf,
        /// How often it is read.
        poll: Duration,
    },
    /// Under [`KEY`](crate::KEY) in a ConfigMap.
    ConfigMap {
        /// Which one.
        name: ConfigMapName,
        /// The way to the API.
        client: Client,
    },
}

impl Switch {
    /// Tells what becomes of the switch, until `stop` is cancelled. The position that the channel holds at first counts
    /// until something was heard.
    ///
    /// Never ends by itself, and never moves the switch by failing: see [`Report`].
    ///
    /// # Cancel safety
    /// Dropping it is as good as cancelling `stop`.
    pub async fn follow(&self, report: watch::Sender<Report>, stop: CancellationToken) {
        let teller = Teller::new(self.to_string(), report);
        match self {
            Self::File { path, poll } => stop.run_until_cancelled(file::follow(path, *poll, teller)).await,
            Self::ConfigMap { name, client } => {
                let following = config_map::follow(client.clone(), name, teller, Pace::default());
                stop.run_until_cancelled(following).await
            }
        };
    }

    /// Sets the switch. Does nothing where it stands so already; who set it last has set it.
    ///
    /// # Errors
    /// Where that cannot be done; within seconds, if the API is away.
    pub async fn set(&self, position: Position) -> Result<(), SetError> {
        match self {
            Self::File { path, .. } => file::set(path, position).await,
            Self::ConfigMap { name, client } => config_map::set(client.clone(), name, position).await,
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
