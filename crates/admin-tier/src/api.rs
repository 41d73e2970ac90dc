//! The JSON API (`/admin/api/v1`) and its description.

mod drains;
mod forget;
mod maintenance;
mod orphans;
mod pods;
mod response;
mod revisions;
mod session;
mod sessions;

use axum::response::{IntoResponse, Response};
pub(crate) use drains::get_drains;
pub(crate) use forget::forget_pod;
use http::header::{CONTENT_TYPE, HeaderValue};
pub(crate) use maintenance::set_maintenance;
pub(crate) use orphans::get_orphans;
pub(crate) use pods::get_pods;
pub(crate) use response::unreachable_pods;
pub(crate) use revisions::get_revisions;
pub(crate) use session::SessionBody;
pub(crate) use sessions::get_sessions;

/// The description of the API.
const OPENAPI: &str = include_str!("../assets/openapi.json");

/// `GET /openapi.json`.
pub(crate) async fn get_openapi() -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], OPENAPI).into_response()
}
