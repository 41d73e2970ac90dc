//! The pages that operators look at. Rendered whole on the server, so that they work without scripts; a script swaps
//! the changing part in place.

mod audit;
mod chart;
mod drain;
mod history;
mod panel;
mod sign_in;
mod switch;
mod users;
mod words;

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
pub(crate) use drain::drain;
pub(crate) use history::history;
use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderValue};
pub(crate) use panel::panel;
use session_domain::Timestamp;
use session_domain::fleet::{FleetView, PodView, Standing};
pub(crate) use sign_in::way_in;
pub(crate) use switch::move_switch;
use tracing::error;
pub(crate) use users::users;

use crate::assets;
use crate::auth::{How, Operator};

/// What every page has.
#[derive(Debug)]
struct Frame {
    title: &'static str,
    style: String,
    script: String,
    icon: String,
    /// Seconds between renewals; 0: the page does not change.
    refresh: u64,
    /// The time of the page's numbers.
    now: Timestamp,
    /// Who looks, where that is known by name.
    operator: Option<String>,
    /// Whether there is something to sign out of.
    signs_out: bool,
    /// Whether nothing else of ours is shown: nobody is in yet.
    outside: bool,
}

impl Frame {
    fn new(title: &'static str, refresh: std::time::Duration, now: Timestamp) -> Self {
        let seconds = if refresh.is_zero() { 0 } else { refresh.as_secs().max(1) };
        Self {
            title,
            style: assets::url("style.css"),
            script: assets::url("renew.js"),
            icon: assets::url("icon.svg"),
            refresh: seconds,
            now,
            operator: None,
            signs_out: false,
            outside: false,
        }
    }

    /// The same, for an operator.
    fn of(self, operator: &Operator) -> Self {
        let name = (operator.how == How::Proxy).then(|| operator.name.to_string());
        Self { operator: name, signs_out: operator.how.is_signed_in(), ..self }
    }
}

/// What the totals leave out, in words.
#[derive(Debug)]
struct Completeness {
    known: usize,
    all: usize,
    unreachable: Vec<(String, String)>,
    lying: Vec<(String, String)>,
    waiting: Vec<String>,
    /// Why there may be pods that are not shown at all.
    discovery: Option<String>,
}

impl Completeness {
    fn of(view: &FleetView) -> Self {
        let mut whole = Self {
            known: view.pods().iter().filter(|pod| pod.is_known()).count(),
            all: view.pods().len(),
            unreachable: Vec::new(),
            lying: Vec::new(),
            waiting: Vec::new(),
            discovery: view.discovery_trouble().map(str::to_owned),
        };
        for pod in view.pods() {
            let name = PodView::label(pod).to_owned();
            match pod.standing() {
                Standing::Unreachable(reason) => whole.unreachable.push((name, reason)),
                Standing::Lying(reason) => whole.lying.push((name, reason)),
                Standing::Waiting => whole.waiting.push(name),
                Standing::Live | Standing::Finished => {}
            }
        }
        whole
    }
}

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
