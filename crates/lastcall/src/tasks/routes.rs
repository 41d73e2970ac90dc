//! Handlers of `/tasks` and `/tasks/{task_id}`.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderValue, LOCATION};
use serde::Serialize;
use session_domain::registry::SessionWork;
use session_domain::{TaskId, TaskView, Timestamp};

use super::input::Input;
use super::new_task;
use super::refusal::TaskRefusal;
use crate::refusal::{Reason, Refusal};
use crate::request_context::RequestContext;
use crate::sessions::ServedSession;
use crate::sharing::TaskLookupError;

/// A task as its client sees it.
#[derive(Debug, Serialize)]
struct TaskAnswer<'a> {
    task_id: TaskId,
    kind: &'a str,
    label: &'a str,
    progress: Option<f64>,
    lease_until: Option<Timestamp>,
}

fn answer(status: StatusCode, task: &TaskView) -> Response {
    let answer = TaskAnswer {
        task_id: task.id,
        kind: &task.kind,
        label: &task.label,
        progress: task.progress,
        lease_until: task.lease_until,
    };
    (status, [(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(answer)).into_response()
}

/// `POST /tasks`: begins a task of the caller's session.
pub(crate) async fn begin(context: RequestContext, body: Body) -> Result<Response, Refusal> {
    let session = context.require_session()?;
    let refuse = |refusal| context.refuse(Reason::Task(refusal));
    let input = Input::read(body).await.map_err(refuse)?;
    let (name, lease) = (input.name().map_err(refuse)?, input.lease().map_err(refuse)?);
    let task = new_task(name, Some(lease.unwrap_or_default()));
    // Other pods run tasks of the session, too. Its owner knows of them.
    if let (ServedSession::Guest(guest), Some(sharing)) = (&session.served, context.state.sessions.sharing())
        && !sharing.has_room_for_task(guest.id()).await
    {
        return Err(refuse(TaskRefusal::TooManyOfSession));
    }
    let (task, _) = context.state.begin_task(&session.served, task).map_err(|reason| context.refuse(reason))?;
    context.state.sessions.flush().await;
    context.state.flush_tasks().await;
    let mut response = answer(StatusCode::CREATED, &task);
    if let Ok(location) = HeaderValue::try_from(format!("{}tasks/{}", session.routes_path(), task.id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// `PUT /tasks/{task_id}`: renews a task of the caller's session.
pub(crate) async fn renew(
    context: RequestContext,
    id: Result<Path<String>, PathRejection>,
    body: Body,
) -> Result<Response, Refusal> {
    let session = context.require_session()?;
    let refuse = |refusal| context.refuse(Reason::Task(refusal));
    let input = Input::read(body).await.map_err(refuse)?;
    let (lease, progress) = (input.lease().map_err(refuse)?, input.progress().map_err(refuse)?);
    let id = task_id(id).ok_or_else(|| refuse(TaskRefusal::NotFound))?;
    let state = &context.state;
    let renew = |work: Arc<SessionWork>| {
        let renewed = state.registry.renew_task(&work, id, lease, progress, state.clock.now())?;
        state.task_changed(id, &work);
        Some(renewed)
    };
    let task = match (state.work_of(session.id()).and_then(renew), state.sessions.sharing()) {
        (Some(task), _) => {
            state.flush_tasks().await;
            task
        }
        (None, Some(sharing)) => {
            let renewed = sharing.renew_task_elsewhere(session.id(), id, lease, progress).await;
            renewed.map_err(|error| context.refuse(error.into()))?
        }
        (None, None) => return Err(refuse(TaskRefusal::NotFound)),
    };
    Ok(answer(StatusCode::OK, &task))
}

/// `DELETE /tasks/{task_id}`: ends a task of the caller's session. Where the session has none with this id, there is nothing to end:
/// the answer is the same.
pub(crate) async fn end(
    context: RequestContext,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Refusal> {
    let session = context.require_session()?;
    let state = &context.state;
    let Some(id) = task_id(id) else { return Ok(StatusCode::NO_CONTENT) };
    let end = |work| state.registry.end_leased_task(&work, id, state.clock.now());
    match (state.work_of(session.id()).is_some_and(end), state.sessions.sharing()) {
        (true, _) => state.flush_tasks().await,
        (false, Some(sharing)) => match sharing.end_task_elsewhere(session.id(), id).await {
            Ok(()) | Err(TaskLookupError::NotFound) => {}
            Err(error) => return Err(context.refuse(error.into())),
        },
        (false, None) => {}
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The id in the path; `None` where it is none.
fn task_id(path: Result<Path<String>, PathRejection>) -> Option<TaskId> {
    path.ok()?.0.parse().ok()
}
