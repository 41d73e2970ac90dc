//! `ListSessions`: one page of the pod's sessions.
use crate::pod::Pod;
use session_wire::v1;
use tonic::Status;
pub(super) fn list(_pod: &Pod, _request: &v1::ListSessionsRequest) -> Result<v1::ListSessionsResponse, Status> {
    Err(Status::unimplemented(""))
}
