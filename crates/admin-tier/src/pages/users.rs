//! `/admin/users`: every session, searched, sorted and paged on the server. The URL holds the whole query.

mod controls;
mod orphans;
mod row;
mod table;
mod task;

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as QueryString, State};
use axum::response::Response;
use controls::Controls;
use fleet::{Listing, Query};
use http::HeaderMap;
use orphans::OrphansSection;
use row::UserRow;
use table::{Head, Pager, Range};

use super::completeness::{Completeness, CompletenessNotice};
use super::layout::Layout;
use super::relative_time::TimeRendering;
use super::response::page;
use crate::clock;
use crate::error::AppError;
use crate::live::{Fragments, PageData};
use crate::operator::Operator;
use crate::session_query::SessionQuery;
use crate::state::AppState;

/// How many sessions a page holds.
const ROWS_PER_PAGE: usize = 100;

#[derive(Template)]
#[template(path = "users.html")]
struct UsersPage {
    layout: Layout,
    controls: Controls,
    fragments: Fragments,
}

/// `GET /admin/users`.
pub(crate) async fn users(
    State(app): State<AppState>,
    operator: Operator,
    query: Result<QueryString<SessionQuery>, QueryRejection>,
) -> Result<Response, AppError> {
    let (asked, query) = checked(query)?;
    let (page_data, now) = (app.page_data(), clock::now());
    let controls = Controls::new(&asked, &query, &page_data.view);
    let listing = Listing::new(query, &page_data.view);
    let layout = Layout::new("Users", app.refresh_interval, now).for_operator(&operator);
    let layout = layout.with_events(asked.href("/admin/users/events"));
    let fragments = render(&page_data, &asked, &listing, TimeRendering::OnServer(now));
    Ok(page(&UsersPage { layout, controls, fragments }))
}

/// `GET /admin/users/events`: the fragments of that page as they change.
pub(crate) async fn users_events(
    State(app): State<AppState>,
    operator: Operator,
    headers: HeaderMap,
    query: Result<QueryString<SessionQuery>, QueryRejection>,
) -> Result<Response, AppError> {
    let (asked, query) = checked(query)?;
    let mut last: Option<(Listing, Arc<PageData>)> = None;
    app.open_event_stream(&operator, &headers, move |page_data| {
        let listing = match last.take() {
            Some((mut listing, before)) => {
                listing.follow(&before.view, &page_data.view);
                listing
            }
            None => Listing::new(query.clone(), &page_data.view),
        };
        let fragments = Arc::new(render(page_data, &asked, &listing, TimeRendering::InBrowser));
        last = Some((listing, Arc::clone(page_data)));
        fragments
    })
}

/// Returns the query as it was sent, and as it was understood.
fn checked(query: Result<QueryString<SessionQuery>, QueryRejection>) -> Result<(SessionQuery, Query), AppError> {
    let QueryString(asked) = query?;
    let query = asked.parse(ROWS_PER_PAGE)?;
    Ok((asked, query))
}

/// Renders the fragments of the page. Each has its place in `users.html`.
fn render(page_data: &PageData, asked: &SessionQuery, listing: &Listing, times: TimeRendering) -> Fragments {
    let view = &page_data.view;
    let completeness = Completeness::new(page_data);
    let mut fragments = Fragments::default();
    fragments.add("head", &Head::new(view, &completeness));
    fragments.add("completeness", &CompletenessNotice { completeness: &completeness });
    fragments.add("range", &Range::new(view, &completeness, listing));
    let rows = listing.rows().iter().map(|row| UserRow::new(row, view, asked, times));
    fragments.add_list("rows", rows.map(|row| (row.id.clone(), row)));
    fragments.add("pager", &Pager::new(asked, listing));
    fragments.add("orphans", &OrphansSection::new(page_data.orphans.as_deref(), times));
    fragments
}
