//! What the app is for: a page, and a nested router with a state of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::State;
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use http::StatusCode;
use lastcall::Session;

use crate::login::Login;

/// The orders of all users.
#[derive(Clone, Default)]
struct Orders(Arc<AtomicU64>);

pub(crate) fn routes() -> Router {
    metrics::describe_counter!("shop_orders_total", "Orders that were placed.");
    Router::new().route("/", post(order)).route("/count", get(count)).with_state(Orders::default())
}

/// The page, which gets the banner by one tag. It takes a [`Session`]: a user whose session with Lastcall is over, and who is still
/// signed in to the app, gets a new one.
pub(crate) async fn page(login: Login, _session: Session) -> Result<Html<String>, StatusCode> {
    let user = login.user.ok_or(StatusCode::UNAUTHORIZED)?;
    Ok(Html(include_str!("page.html").replace("{user}", user.name)))
}

async fn order(State(orders): State<Orders>) -> Redirect {
    orders.0.fetch_add(1, Ordering::Relaxed);
    metrics::counter!("shop_orders_total").increment(1);
    Redirect::to("/")
}

async fn count(State(orders): State<Orders>) -> String {
    orders.0.load(Ordering::Relaxed).to_string()
}
