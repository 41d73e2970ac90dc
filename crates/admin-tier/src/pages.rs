//! The pages that operators look at. Rendered whole on the server, so that they work without scripts; with scripts an
//! event stream brings the parts that change.

mod audit;
mod chart;
mod completeness;
mod drain;
mod frame;
mod history;
mod panel;
mod sign_in;
mod switch;
mod users;
pub(crate) mod words;

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use completeness::Completeness;
pub(crate) use drain::{drain, drain_events};
use frame::Frame;
pub(crate) use history::{history, history_events};
use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderValue};
pub(crate) use panel::{panel, panel_events};
pub(crate) use sign_in::way_in;
use tracing::error;
pub(crate) use users::{users, users_events};

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    frame: Frame,
    heading: &'a str,
    detail: &'a str,
}

/// A page that says what is wrong.
pub(crate) fn problem(title: &str, detail: &str) -> String {
    let frame = Frame::new("Problem", std::time::Duration::ZERO, crate::clock::now());
    ProblemPage { frame, heading: title, detail }.render().unwrap_or_else(|_| detail.to_owned())
}

/// Renders a page; it is never kept.
fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => ([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Html(html)).into_response(),
        Err(error) => {
            error!(%error, "a page cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
