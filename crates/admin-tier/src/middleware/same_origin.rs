//! Refuses changes that a page of another site requests in an operator's name.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::StatusCode;
use http_support::SameOrigin;

use crate::error::AppError;

/// Passes requests with a safe method, from this origin, and from clients that are no browsers.
pub(super) async fn check_same_origin(
    State(same_origin): State<Arc<SameOrigin>>,
    request: Request,
    next: Next,
) -> Result<Response, AppError> {
    if !request.method().is_safe() {
        let checked = same_origin.check(request.headers(), request.uri());
        checked.map_err(|error| AppError::new(StatusCode::FORBIDDEN, "Not from here", error.to_string()))?;
    }
    Ok(next.run(request).await)
}
