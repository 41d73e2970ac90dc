//! Why the switch was not set, and what to do about it.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::config_map::ConfigMapName;
use crate::state::SwitchState;

/// Why the switch was not set. Its state is unchanged unless a variant says otherwise.
#[derive(Debug, Error)]
pub enum SetError {
    /// The ConfigMap does not exist. It belongs to the manifests, so that it is not created here: the operator creates it.
    #[error("the ConfigMap {name} does not exist; create it: kubectl create configmap -n {} {}", name.namespace(), name.name())]
    NotFound {
        /// Its name.
        name: ConfigMapName,
    },
    /// The role of this pod's service account does not permit it. The operator changes the role.
    #[error("may not change the ConfigMap {0}; its role must grant get and patch: {1}")]
    Forbidden(ConfigMapName, String),
    /// Another operator has set the switch to the other state at the same time. The operator decides again.
    #[error("another operator has just set it to {now}; look again before you change it")]
    Conflict {
        /// The state now.
        now: SwitchState,
    },
    /// Other clients changed the ConfigMap during every attempt. The operator tries again.
    #[error("other clients change the ConfigMap {0} all the time; try again")]
    Contended(ConfigMapName),
    /// The Kubernetes API is not available. Whether the switch was set is unknown: the operator checks, and tries again.
    #[error("the Kubernetes API is not available, try again: {0}")]
    Unavailable(String),
    /// The Kubernetes API rejects the change, for example because the ConfigMap is immutable. Trying again does not help.
    #[error("the Kubernetes API rejects the change: {0}")]
    Rejected(String),
    /// The file is in a mounted ConfigMap, which is read-only. The operator changes the ConfigMap, or names it in
    /// `MAINTENANCE_CONFIGMAP`.
    #[error(
        "{0:?} is in a mounted ConfigMap and cannot be written; change the ConfigMap, or name it instead of the file"
    )]
    Mounted(PathBuf),
    /// The path is not that of a regular file. The operator corrects the option.
    #[error("{0:?} is not a regular file")]
    NotAFile(PathBuf),
    /// The file cannot be written, for example because its directory does not exist or is read-only.
    #[error("{0:?} cannot be written: {1}")]
    Unwritable(PathBuf, #[source] io::Error),
}
