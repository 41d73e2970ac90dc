//! `/admin`: every pod and how far each has drained, the maintenance switch, the audit log.

mod audit;
mod card;
mod drain_progress;
mod handoff;
mod revision;
mod summary;
mod switch;

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use audit::AuditList;
use axum::extract::State;
use axum::response::Response;
use card::PodCard;
use http::HeaderMap;
use summary::{Figures, Summary};
use switch::{SwitchSection, SwitchView};

use super::completeness::{Completeness, CompletenessNotice};
use super::layout::Layout;
use super::relative_time::TimeRendering;
use super::response::page;
use crate::clock;
use crate::error::AppError;
use crate::live::{Fragments, PageData};
use crate::operator::Operator;
use crate::state::AppState;

/// How often the panel reloads without scripts while pods follow the switch.
const REFRESH_WHILE_SWITCHING: Duration = Duration::from_secs(1);

#[derive(Template)]
#[template(path = "panel.html")]
struct PanelPage {
    layout: Layout,
    fragments: Fragments,
}

/// `GET /admin`.
pub(crate) async fn panel(State(app): State<AppState>, operator: Operator) -> Response {
    let (page_data, now) = (app.page_data(), clock::now());
    let times = TimeRendering::OnServer(now);
    let is_switching = switch(&page_data, times).is_some_and(|switch| switch.is_being_followed(now));
    let refresh = if is_switching { app.refresh_interval.min(REFRESH_WHILE_SWITCHING) } else { app.refresh_interval };
    let layout = Layout::new("Pods", refresh, now).for_operator(&operator).with_events("/admin/events");
    page(&PanelPage { layout, fragments: render(&page_data, times) })
}

/// `GET /admin/events`: the panel's fragments as they change.
pub(crate) async fn panel_events(
    State(app): State<AppState>,
    operator: Operator,
    headers: HeaderMap,
) -> Result<Response, AppError> {
    app.open_event_stream(&operator, &headers, |page_data| {
        let panel = page_data.panel.get_or_init(|| Arc::new(render(page_data, TimeRendering::InBrowser)));
        Arc::clone(panel)
    })
}

/// Renders the fragments of the panel. Each has its place in `panel.html`.
fn render(page_data: &PageData, times: TimeRendering) -> Fragments {
    let view = &page_data.view;
    let mut fragments = Fragments::default();
    let completeness = Completeness::new(page_data);
    fragments.add("summary", &Summary::new(view, &completeness, times));
    fragments.add("figures", &Figures::new(view, &completeness));
    fragments.add("completeness", &CompletenessNotice { completeness: &completeness });
    fragments.add("switch", &SwitchSection { switch: switch(page_data, times) });
    fragments.add_list("pods", revision::list(view, |pod| PodCard::new(pod, view, times)).into_iter());
    fragments.add("audit", &AuditList::new(page_data.audit_entries.iter()));
    fragments
}

fn switch(page_data: &PageData, times: TimeRendering) -> Option<SwitchView> {
    page_data.switch.as_ref().map(|switch| SwitchView::new(switch, &page_data.view, times))
}
