//! Handlers of `/tasks` and `/tasks/{task_id}`.

use axum::Json;
use axum::body::Body;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderValue, LOCATION};
use serde::Serialize;
use session_domain::{TaskId, TaskView, Timestamp};

use super::input::Input;
use crate::refusal::{Reason, Refusal};
use crate::request_context::RequestContext;

/// A task as its client sees it.
#[derive(Debug, Serialize)]
struct TaskAnswer<'a> {
    task_id: TaskId,
    kind: &'a str,
    label: &'a str,
    progress: Option<f64>,
    lease_until: Option<Timestamp>,
}

/// The response that describes a task.
pub(crate) fn answer(status: StatusCode, task: &TaskView) -> Response {
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
    let input = Input::read(body).await.map_err(|refusal| context.refuse(Reason::Task(refusal)))?;
    let begun = context.state.begin_leased_task(&session.served, &input).await;
    let task = begun.map_err(|reason| context.refuse(reason))?;
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
    let input = Input::read(body).await.map_err(|refusal| context.refuse(Reason::Task(refusal)))?;
    let renewed = context.state.renew_leased_task(session.id(), task_id(id), &input).await;
    Ok(answer(StatusCode::OK, &renewed.map_err(|reason| context.refuse(reason))?))
}

/// `DELETE /tasks/{task_id}`: ends a task of the caller's session. Where the session has none with this id, there is nothing to end:
/// the answer is the same.
pub(crate) async fn end(
    context: RequestContext,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Refusal> {
    let session = context.require_session()?;
    let Some(id) = task_id(id) else { return Ok(StatusCode::NO_CONTENT) };
    context.state.end_leased_task(session.id(), id).await.map_err(|reason| context.refuse(reason))?;
    Ok(StatusCode::NO_CONTENT)
}

/// The id in the path; `None` where it is none.
pub(crate) fn task_id(path: Result<Path<String>, PathRejection>) -> Option<TaskId> {
    path.ok()?.0.parse().ok()
}
