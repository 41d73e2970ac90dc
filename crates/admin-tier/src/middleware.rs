//! The middleware around every route, one file each. [`stack`] lists it in order.

mod error_pages;
mod forwarded;
mod loopback_host;
mod require_operator;
mod same_origin;
mod security_headers;

use std::sync::Arc;

use axum::{Router, middleware};
pub(crate) use forwarded::ForwardedTrust;
pub(crate) use require_operator::require_operator;

/// Wraps all routes. A request passes from the last layer to the first, its response the other way.
///
/// With `loopback_names_only`, only requests for a name of this machine are answered.
pub(crate) fn stack(routes: Router, trust: ForwardedTrust, loopback_names_only: bool) -> Router {
    let same_origin = Arc::new(trust.same_origin());
    let routes = routes
        .layer(middleware::from_fn_with_state(same_origin, same_origin::check_same_origin))
        .layer(middleware::from_fn_with_state(Arc::new(trust), forwarded::strip_untrusted_fields))
        .layer(middleware::from_fn(error_pages::render_error_pages));
    let routes = if loopback_names_only {
        routes.layer(middleware::from_fn(loopback_host::require_loopback_name))
    } else {
        routes
    };
    routes.layer(middleware::from_fn(security_headers::add_security_headers))
}
