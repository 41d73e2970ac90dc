//! The sample app as a service.

use axum::Router;
use axum::routing::get;
use lastcall::{Config, Service, Session};

/// The app on top of the library's public surface.
pub fn service(config: Config) -> Service {
    Service::new(Router::new().route("/", get(home)), config)
}

async fn home(session: Session) -> String {
    format!("{} on {}", session.user(), session.pod())
}
