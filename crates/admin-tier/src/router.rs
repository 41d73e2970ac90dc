//! All routes of the tier, and who may use them.

use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Router, middleware as axum_middleware};
use http::StatusCode;

use crate::auth::Auth;
use crate::error::AppError;
use crate::middleware::{self, ForwardedTrust, require_operator};
use crate::state::AppState;
use crate::trailing_slash::TrailingSlash as _;
use crate::{api, assets, export, pages, probes};

/// Builds the router. `is_loopback` says whether the tier listens on a loopback address.
pub(crate) fn router(state: AppState, trust: ForwardedTrust, is_loopback: bool) -> Router {
    let loopback_names_only = is_loopback && matches!(state.auth, Auth::Off);
    let routes = public_routes().with_state(state.clone()).fallback_service(operator_routes(state));
    middleware::stack(routes, trust, loopback_names_only)
}

/// Routes that need no sign-in.
fn public_routes() -> Router<AppState> {
    Router::new()
        .with_or_without_slash("/metrics", get(probes::metrics))
        .with_or_without_slash("/health", get(probes::health))
        .with_or_without_slash("/healthz", get(probes::health))
        .with_or_without_slash("/ready", get(probes::ready))
        .with_or_without_slash("/readyz", get(probes::ready))
        .with_or_without_slash("/admin/sign-in", get(pages::show_sign_in).post(pages::sign_in))
        .route("/admin/sign-in/link", post(pages::print_link))
        .route("/admin/sign-out", post(pages::sign_out))
        .merge(assets::router())
        .method_not_allowed_fallback(method_not_allowed)
}

/// Routes for operators. Unknown paths are among them, so that only operators learn which paths exist.
fn operator_routes(state: AppState) -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::to("/admin") }))
        .with_or_without_slash("/admin", get(pages::panel))
        .route("/admin/events", get(pages::panel_events))
        .with_or_without_slash("/admin/users", get(pages::users))
        .route("/admin/users/events", get(pages::users_events))
        .with_or_without_slash("/admin/users.csv", get(export::export_csv))
        .with_or_without_slash("/admin/users.json", get(export::export_json))
        .with_or_without_slash("/admin/history", get(pages::history))
        .route("/admin/history/events", get(pages::history_events))
        .with_or_without_slash("/admin/history/drain", get(pages::drain))
        .route("/admin/history/drain/events", get(pages::drain_events))
        .with_or_without_slash("/admin/maintenance", post(api::set_maintenance))
        .with_or_without_slash("/admin/api/v1/sessions", get(api::get_sessions))
        .with_or_without_slash("/admin/api/v1/pods", get(api::get_pods))
        .with_or_without_slash("/admin/api/v1/revisions", get(api::get_revisions))
        .route("/admin/api/v1/pods/{pod}/forget", post(api::forget_pod))
        .with_or_without_slash("/admin/api/v1/drains", get(api::get_drains))
        .with_or_without_slash("/admin/api/v1/orphans", get(api::get_orphans))
        .with_or_without_slash("/openapi.json", get(api::get_openapi))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(axum_middleware::from_fn_with_state(state.auth.clone(), require_operator))
        .with_state(state)
}

async fn not_found() -> AppError {
    let detail = "There is nothing at this address. The panel is at /admin, the users are at /admin/users, the API is \
                  described at /openapi.json.";
    AppError::new(StatusCode::NOT_FOUND, "Not found", detail)
}

async fn method_not_allowed() -> AppError {
    let detail = "This path exists, but not with this method.";
    AppError::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", detail)
}
