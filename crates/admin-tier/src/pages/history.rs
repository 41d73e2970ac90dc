//! `/admin/history`: recent numbers of sessions, the last drains, and lost pods.

mod drain_row;
mod lost;
mod sparkline;
mod trend;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
pub(super) use drain_row::{DrainRow, drain_query};
use fleet::MAX_DRAIN_RECORDS;
use http::HeaderMap;
use lost::LostPods;
use trend::Trend;

use super::layout::Layout;
use super::relative_time::TimeRendering;
use super::response::page;
use crate::clock;
use crate::error::AppError;
use crate::live::{Fragments, PageData};
use crate::operator::Operator;
use crate::state::AppState;

#[derive(Template)]
#[template(path = "history.html")]
struct HistoryPage {
    layout: Layout,
    fragments: Fragments,
}

/// The text above the list of drains.
#[derive(Template)]
#[template(path = "history/range.html")]
struct Range {
    drains: usize,
    kept: usize,
}

/// `GET /admin/history`.
pub(crate) async fn history(State(app): State<AppState>, operator: Operator) -> Response {
    let now = clock::now();
    let layout = Layout::new("History", app.refresh_interval, now).for_operator(&operator);
    let fragments = render(&app.page_data(), TimeRendering::OnServer(now));
    page(&HistoryPage { layout: layout.with_events("/admin/history/events"), fragments })
}

/// `GET /admin/history/events`: the fragments of that page as they change.
pub(crate) async fn history_events(
    State(app): State<AppState>,
    operator: Operator,
    headers: HeaderMap,
) -> Result<Response, AppError> {
    app.open_event_stream(&operator, &headers, |page_data| Arc::new(render(page_data, TimeRendering::InBrowser)))
}

/// Renders the fragments of the page. Each has its place in `history.html`.
fn render(page_data: &PageData, times: TimeRendering) -> Fragments {
    let view = &page_data.view;
    let rows: Vec<_> = view.drains().map(|drain| DrainRow::new(drain, times)).collect();
    let mut fragments = Fragments::default();
    fragments.add("trend", &Trend::new(view));
    fragments.add("range", &Range { drains: rows.len(), kept: MAX_DRAIN_RECORDS });
    fragments.add("lost-pods", &LostPods::new(view, times));
    fragments.add_list("drains", rows.into_iter().map(|row| (row.id.clone(), row)));
    fragments
}
