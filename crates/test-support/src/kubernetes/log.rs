//! The log of a pod: one line if its container runs, otherwise the error of an API server.

use axum::response::{IntoResponse, Response};

use crate::kubernetes::resource::Key;
use crate::kubernetes::state::ServerState;
use crate::kubernetes::status::Status;

/// Answers with the log of a pod. Ends at once even if the client follows the log.
pub(super) fn read(state: &ServerState, key: &Key) -> Result<Response, Status> {
    let store = state.store();
    let pod = store.get(key)?;
    let container = &pod["spec"]["containers"][0]["name"];
    if pod["status"]["containerStatuses"][0]["state"]["running"].is_null() {
        let message = format!("container {container} in pod {:?} is waiting to start: ContainerCreating", key.name);
        return Err(Status::bad_request(message));
    }
    Ok(format!("{} is running\n", key.name).into_response())
}
