//! Setting the switch in the ConfigMap: read it, then change the one key.

use std::time::Duration;

use backoff::Backoff;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, Error};
use kubernetes_client::error_chain;
use serde_json::json;
use tokio::time::{sleep, timeout};

use super::{ConfigMapName, read};
use crate::KEY;
use crate::set_error::SetError;
use crate::state::SwitchState;

/// How long all attempts may take together. An operator waits for the answer.
const SET_TIMEOUT: Duration = Duration::from_secs(10);

/// How often the change is attempted while others change the ConfigMap.
const MAX_ATTEMPTS: usize = 6;

/// Sets the switch. Where another client changes the ConfigMap meanwhile, it is read again. If that client has set the switch
/// to the other state, its change stays and this one fails: two operators do not overwrite each other's changes.
pub(crate) async fn set(client: Client, name: &ConfigMapName, state: SwitchState) -> Result<(), SetError> {
    let api = Api::<ConfigMap>::namespaced(client, name.namespace());
    let setting = timeout(SET_TIMEOUT, attempt(&api, name, state)).await;
    setting.unwrap_or_else(|_| Err(SetError::Unavailable(format!("it does not answer within {SET_TIMEOUT:?}"))))
}

async fn attempt(api: &Api<ConfigMap>, name: &ConfigMapName, state: SwitchState) -> Result<(), SetError> {
    let mut backoff = Backoff::new(Duration::from_millis(20), Duration::from_millis(500));
    let mut first_read = None;
    for _ in 0..MAX_ATTEMPTS {
        let map = api.get(name.name()).await.map_err(|error| set_error(error, name))?;
        let current = read(&map).ok();
        if current == Some(state) {
            return Ok(());
        }
        let before = *first_read.get_or_insert(current);
        if let Some(now) = current
            && before != current
        {
            return Err(SetError::Conflict { now });
        }
        let metadata = json!({ "resourceVersion": map.metadata.resource_version });
        let change = json!({ "metadata": metadata, "data": { KEY: state.to_string() } });
        match api.patch(name.name(), &PatchParams::default(), &Patch::Merge(change)).await {
            Ok(_) => return Ok(()),
            Err(Error::Api(status)) if status.code == 409 => sleep(backoff.next_pause()).await,
            Err(error) => return Err(set_error(error, name)),
        }
    }
    Err(SetError::Contended(name.clone()))
}

fn set_error(error: Error, name: &ConfigMapName) -> SetError {
    match error {
        Error::Api(status) => match status.code {
            404 => SetError::NotFound { name: name.clone() },
            401 | 403 => SetError::Forbidden(name.clone(), status.message.clone()),
            400..=499 if status.code != 429 => SetError::Rejected(status.message.clone()),
            code => SetError::Unavailable(format!("it answers {code}: {}", status.message)),
        },
        other => SetError::Unavailable(error_chain(&other)),
    }
}
