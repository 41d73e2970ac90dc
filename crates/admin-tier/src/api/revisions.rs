//! `GET /admin/api/v1/revisions`: the pods by the revision of their Deployment, and which revision can be removed.

use axum::extract::State;
use axum::response::Response;
use fleet::{Removal, RevisionView};
use serde::Serialize;

use super::response::{json, unreachable_pods};
use crate::state::AppState;

#[derive(Debug, Serialize)]
struct RevisionsBody<'a> {
    revisions: Vec<RevisionBody>,
    complete: bool,
    unreachable_pods: Vec<&'a str>,
    discovery_error: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct RevisionBody {
    revision: String,
    pods: u64,
    sessions: u64,
    present_sessions: u64,
    websockets: u64,
    protected: u64,
    complete: bool,
    safe_to_remove: bool,
}

/// `GET /admin/api/v1/revisions`.
pub(crate) async fn get_revisions(State(app): State<AppState>) -> Response {
    let view = app.view();
    json(RevisionsBody {
        revisions: view.revisions().into_iter().map(RevisionBody::from).collect(),
        complete: view.is_complete(),
        unreachable_pods: unreachable_pods(&view),
        discovery_error: view.discovery_error(),
    })
}

impl From<RevisionView> for RevisionBody {
    fn from(revision: RevisionView) -> Self {
        Self {
            pods: revision.pods,
            sessions: revision.sessions,
            present_sessions: revision.present_sessions,
            websockets: revision.websockets,
            protected: revision.protected,
            complete: revision.is_complete,
            safe_to_remove: revision.removal == Removal::Safe,
            revision: revision.revision,
        }
    }
}
