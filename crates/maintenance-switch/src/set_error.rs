//! Why the switch was not set, and who does what about it.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::config_map::ConfigMapName;
use crate::position::Position;

/// Why the switch was not set. Where nothing else is said, it stands as it stood.
#[derive(Debug, Error)]
pub enum SetError {
    /// The ConfigMap is not there. It belongs to the manifests and is not made here: whoever deploys creates it.
    #[error("the ConfigMap {name} is not there; create it: kubectl create configmap -n {} {}", name.namespace(), name.name())]
    NotThere {
        /// Which one.
        name: ConfigMapName,
    },
    /// The role of this pod's service account does not grant it: whoever deploys changes it.
    #[error("may not change the ConfigMap {0}; its role must grant get and patch: {1}")]
    Forbidden(ConfigMapName, String),
    /// Somebody else has set it to the contrary at the same time: the operator looks, and decides anew.
    #[error("somebody else has just set it to {now}; look again before you change it")]
    Overtaken {
        /// Where it stands now.
        now: Position,
    },
    /// The ConfigMap was changed by others again and again: the operator tries again.
    #[error("the ConfigMap {0} is being changed all the time; try again")]
    Contended(ConfigMapName),
    /// The Kubernetes API is away. Whether the switch was set is unknown: the operator looks, and tries again.
    #[error("the Kubernetes API is away, try again: {0}")]
    Away(String),
    /// The Kubernetes API refuses the change, and will again: the ConfigMap is immutable, say.
    #[error("the Kubernetes API refuses: {0}")]
    Refused(String),
    /// The file is part of a mounted ConfigMap, which nobody can write to: the operator changes the ConfigMap, or names
    /// it in `MAINTENANCE_CONFIGMAP`.
    #[error(
        "{0:?} lies in a mounted ConfigMap and cannot be written; change the ConfigMap, or name it instead of the file"
    )]
    Mounted(PathBuf),
    /// The path names something else than a file: whoever configured it corrects it.
    #[error("{0:?} is no regular file")]
    NotAFile(PathBuf),
    /// The file cannot be written: the folder is not there, or its permissions do not allow it.
    #[error("{0:?} cannot be written: {1}")]
    Unwritable(PathBuf, #[source] io::Error),
}
