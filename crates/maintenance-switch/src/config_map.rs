//! The switch in a ConfigMap: following and setting its key.

mod name;
mod set;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::ListParams;
use kube::{Api, Client};
use kubernetes_client::{ApiError, ListWatch, Objects, Observation, Timing};
pub use name::{ConfigMapName, ConfigMapNameError};
pub(crate) use set::set;

use crate::KEY;
use crate::publisher::StatusPublisher;
use crate::read_error::SwitchReadError;
use crate::state::{SwitchState, SwitchValueError};

/// Follows the ConfigMap until dropped.
pub(crate) async fn follow(client: Client, name: &ConfigMapName, mut publisher: StatusPublisher, timing: Timing) {
    let api = Api::<ConfigMap>::namespaced(client, name.namespace());
    let selector = ListParams::default().fields(&format!("metadata.name={}", name.name()));
    let read_from =
        |objects: &Objects<ConfigMap>| objects.get(name.name()).map_or(Err(SwitchReadError::NotFound), read);
    let following = ListWatch::new(api, selector, timing).run(|observation| match observation {
        Observation::Listed(objects) => publisher.publish(read_from(objects), false),
        Observation::Watched { objects, is_stable } => publisher.publish(read_from(objects), is_stable),
        Observation::Failed(error) => publisher.publish(Err(error.into()), true),
    });
    following.await;
}

/// Reads the switch from the ConfigMap.
fn read(map: &ConfigMap) -> Result<SwitchState, SwitchReadError> {
    let value = map.data.as_ref().and_then(|data| data.get(KEY)).ok_or(SwitchReadError::MissingKey)?;
    value.parse().map_err(|error: SwitchValueError| error.into())
}

impl From<ApiError> for SwitchReadError {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Forbidden { message, .. } => {
                Self::Forbidden(format!("{message}; its role must grant list and watch"))
            }
            ApiError::Expired
            | ApiError::Status { .. }
            | ApiError::Timeout(_)
            | ApiError::Unreachable(_)
            | ApiError::NoRevision => Self::Unavailable(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
