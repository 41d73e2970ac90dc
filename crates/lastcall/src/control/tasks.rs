//! `/tasks` for the app's own server side: the work of any session, named by `session_id` in the body.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use http::header::{HeaderValue, LOCATION};
use http::request::Parts;
use session_domain::registry::AdmissionError;
use session_domain::shared::Purpose;
use session_domain::{SessionId, TaskId};

use crate::refusal::{Reason, Refusal};
use crate::request_facts::RequestFacts;
use crate::route_kind::RouteKind;
use crate::service_state::ServiceState;
use crate::sessions::{ServedSession, SessionLookup};
use crate::tasks::{TaskInput, TaskRefusal, answer, task_id};

type TaskPath = Result<Path<String>, PathRejection>;

/// `POST /tasks`: begins a task.
pub(super) async fn begin(
    State(state): State<Arc<ServiceState>>,
    head: Parts,
    body: Body,
) -> Result<Response, Refusal> {
    let begun = async {
        let input = TaskInput::read(body).await.map_err(Reason::Task)?;
        let id = input.session().map_err(Reason::Task)?;
        // Faulty values are reported whether or not there is such a session.
        input.check().map_err(Reason::Task)?;
        let session = find(&state, id).await?;
        state.begin_leased_task(&session, &input).await
    };
    let task = begun.await.map_err(refusal(&state, &head))?;
    let mut response = answer(StatusCode::CREATED, &task);
    if let Ok(location) = HeaderValue::try_from(format!("/tasks/{}", task.id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// `PUT /tasks/{task_id}`: renews a task.
pub(super) async fn renew(
    State(state): State<Arc<ServiceState>>,
    path: TaskPath,
    head: Parts,
    body: Body,
) -> Result<Response, Refusal> {
    let renewed = async {
        let (input, session, id) = of_task(&state, path, body).await?;
        state.renew_leased_task(session, id, &input).await
    };
    let task = renewed.await.map_err(refusal(&state, &head))?;
    Ok(answer(StatusCode::OK, &task))
}

/// `DELETE /tasks/{task_id}`: ends a task, or does nothing where there is none.
pub(super) async fn end(
    State(state): State<Arc<ServiceState>>,
    path: TaskPath,
    head: Parts,
    body: Body,
) -> Result<StatusCode, Refusal> {
    let ended = async {
        let (_, session, id) = of_task(&state, path, body).await?;
        match id {
            Some(id) => state.end_leased_task(session, id).await,
            None => Ok(()),
        }
    };
    ended.await.map_err(refusal(&state, &head))?;
    Ok(StatusCode::NO_CONTENT)
}

/// The fields of the body, its session, and the id in the path; `None` where that is none.
async fn of_task(
    state: &ServiceState,
    path: TaskPath,
    body: Body,
) -> Result<(TaskInput, SessionId, Option<TaskId>), Reason> {
    let input = TaskInput::read(body).await.map_err(Reason::Task)?;
    let session = input.session().map_err(Reason::Task)?;
    if state.registry.is_replaced(session, state.clock.now()) {
        return Err(Reason::Task(TaskRefusal::SessionReplaced));
    }
    Ok((input, session, task_id(path)))
}

async fn find(state: &ServiceState, id: SessionId) -> Result<ServedSession, Reason> {
    match state.sessions.find(id, Purpose::Request).await {
        SessionLookup::Found(session) => Ok(session),
        SessionLookup::NotFound => Err(Reason::Task(TaskRefusal::NoSuchSession)),
        SessionLookup::Replaced => Err(Reason::Task(TaskRefusal::SessionReplaced)),
        SessionLookup::Unavailable => Err(Reason::LookupFailed),
        SessionLookup::Maintenance => Err(Reason::not_admitted(state, AdmissionError::Closed)),
    }
}

fn refusal(state: &Arc<ServiceState>, head: &Parts) -> impl FnOnce(Reason) -> Refusal {
    |reason| Refusal::new(reason, state, &RequestFacts::of(state, RouteKind::Tasks, head))
}
