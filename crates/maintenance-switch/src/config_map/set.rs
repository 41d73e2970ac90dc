//! Setting the switch in the ConfigMap: read it, then change what was read and nothing else.

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, Error};
use serde_json::json;
use tokio::time::{sleep, timeout};

use super::{ConfigMapName, chain, reading};
use crate::KEY;
use crate::backoff::Backoff;
use crate::position::Position;
use crate::set_error::SetError;

/// All tries together take no longer: an operator waits for the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// So often others may be faster.
const TRIES: usize = 6;

/// Patches the ConfigMap. Where somebody else changes something of it meanwhile, it is read again; where that is the
/// switch itself, set to the contrary, the other one wins and this one is told: two operators do not fight.
pub(crate) async fn set(client: Client, name: &ConfigMapName, position: Position) -> Result<(), SetError> {
    let api = Api::<ConfigMap>::namespaced(client, name.namespace());
    let setting = timeout(PATIENCE, try_to_set(&api, name, position)).await;
    setting.unwrap_or_else(|_| Err(SetError::Away(format!("it does not answer within {PATIENCE:?}"))))
}

async fn try_to_set(api: &Api<ConfigMap>, name: &ConfigMapName, position: Position) -> Result<(), SetError> {
    let mut backoff = Backoff::new(Duration::from_millis(20), Duration::from_millis(500));
    let mut stood = None;
    for _ in 0..TRIES {
        let map = api.get(name.name()).await.map_err(|error| explain(error, name))?;
        let stands = reading(&map).ok();
        if stands == Some(position) {
            return Ok(());
        }
        let before = *stood.get_or_insert(stands);
        if let Some(now) = stands
            && before != stands
        {
            return Err(SetError::Overtaken { now });
        }
        let metadata = json!({ "resourceVersion": map.metadata.resource_version });
        let change = json!({ "metadata": metadata, "data": { KEY: position.to_string() } });
        match api.patch(name.name(), &PatchParams::default(), &Patch::Merge(change)).await {
            Ok(_) => return Ok(()),
            Err(Error::Api(status)) if status.code == 409 => sleep(backoff.next_pause()).await,
            Err(error) => return Err(explain(error, name)),
        }
    }
    Err(SetError::Contended(name.clone()))
}

fn explain(error: Error, name: &ConfigMapName) -> SetError {
    match error {
        Error::Api(status) => match status.code {
            404 => SetError::NotThere { name: name.clone() },
            401 | 403 => SetError::Forbidden(name.clone(), status.message.clone()),
            400..=499 if status.code != 429 => SetError::Refused(status.message.clone()),
            code => SetError::Away(format!("it answers {code}: {}", status.message)),
        },
        other => SetError::Away(chain(&other)),
    }
}
