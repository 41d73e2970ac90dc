//! The log of a pod: one line where its container runs, and otherwise the refusal that an API server gives.

use axum::response::{IntoResponse, Response};

use crate::kubernetes::double::Shared;
use crate::kubernetes::status::Status;
use crate::kubernetes::store::Key;

/// Answers with the log of a pod, which ends at once even where the client follows it.
pub(super) fn read(shared: &Shared, key: &Key) -> Result<Response, Status> {
    let store = shared.store();
    let pod = store.get(key)?;
    let container = &pod["spec"]["containers"][0]["name"];
    if pod["status"]["containerStatuses"][0]["state"]["running"].is_null() {
        let message = format!("container {container} in pod {:?} is waiting to start: ContainerCreating", key.name);
        return Err(Status::bad_request(message));
    }
    Ok(format!("{} is running\n", key.name).into_response())
}
