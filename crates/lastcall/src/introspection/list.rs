//! `ListSessions`: the pod's sessions, oldest login first, page by page.

use session_domain::paging::{Cursor, Key, page};
use session_domain::{SessionView, normalize_text};
use session_wire::{MessageBudget, session_to_wire, v1};
use tonic::Status;

use crate::service_state::ServiceState;

/// Sessions on a page where the request does not say.
const DEFAULT_PAGE_SIZE: usize = 100;
/// The most sessions on a page.
const MAX_PAGE_SIZE: usize = 1_000;

/// Lists one page.
pub(super) fn list(
    state: &ServiceState,
    request: &v1::ListSessionsRequest,
) -> Result<v1::ListSessionsResponse, Status> {
    let limit = match usize::try_from(request.page_size) {
        Ok(0) => DEFAULT_PAGE_SIZE,
        Ok(size) => size.min(MAX_PAGE_SIZE),
        Err(_) => return Err(Status::invalid_argument("page_size is negative; 0 means 100")),
    };
    let wanted = normalize_text(&request.user_contains).to_lowercase();
    let scope = format!("login_time user~{wanted}");
    let after = match request.page_token.as_str() {
        "" => None,
        token => {
            let cursor = Cursor::decode(token, &scope);
            Some(cursor.map_err(|error| Status::invalid_argument(format!("page_token: {error}")))?)
        }
    };
    let mut matching = Vec::new();
    state.registry.walk(|session| {
        let view = state.view(session);
        if view.user.as_str().to_lowercase().contains(&wanted) {
            matching.push(view);
        }
    });
    let page = page(matching.into_iter(), position, false, after.as_ref(), limit);
    // Sessions with many tasks: the page ends early, so that its message stays as small as those of a watch.
    let mut budget = MessageBudget::default();
    let rows: Vec<_> = page.rows.iter().map(session_to_wire).take_while(|row| budget.add_session(row)).collect();
    let next = if rows.len() < page.rows.len() { page.rows.get(rows.len() - 1).map(position) } else { page.next };
    Ok(v1::ListSessionsResponse {
        sessions: rows,
        total: page.total,
        next_page_token: next.map(|next| next.encode(&scope)).unwrap_or_default(),
    })
}

fn position(session: &SessionView) -> Cursor {
    Cursor { key: Key::Number(session.login_time.as_millis()), id: session.id }
}
