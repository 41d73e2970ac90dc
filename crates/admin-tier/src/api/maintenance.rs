//! `POST /admin/maintenance`: an operator moves the switch, by the panel's form or by a script.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{CACHE_CONTROL, HeaderValue};
use http::{HeaderMap, StatusCode};
use http_support::{Form, FormError};
use maintenance_switch::{SetError, SwitchState};
use serde::{Deserialize, Serialize};
use session_domain::Timestamp;

use crate::app::{App, MAX_FORM_BYTES};
use crate::audit::Deed;
use crate::auth::Operator;
use crate::maintenance::Maintenance;
use crate::problem;

/// The form of `POST /admin/maintenance`.
#[derive(Debug, Deserialize)]
pub(crate) struct Move {
    enabled: String,
}

/// `POST /admin/maintenance`: moves the switch.
pub(crate) async fn move_switch(
    State(app): State<App>,
    operator: Operator,
    headers: HeaderMap,
    form: Result<Form<Move, MAX_FORM_BYTES>, FormError>,
) -> Response {
    let Some(maintenance) = &app.maintenance else {
        let detail = "No switch was named to this admin tier. Set MAINTENANCE_CONFIGMAP or MAINTENANCE_FILE, the same \
                      that the pods follow.";
        return problem::answer(&headers, StatusCode::CONFLICT, "There is no switch here", detail);
    };
    let state = match form.map(|Form(form)| form.enabled.parse::<SwitchState>()) {
        Ok(Ok(state)) => state,
        Ok(Err(unclear)) => {
            let detail = format!("The form field `enabled` {unclear}.");
            return problem::answer(&headers, StatusCode::BAD_REQUEST, "On or off?", &detail);
        }
        Err(error) => {
            let detail = "Send the form field `enabled`, true or false, as application/x-www-form-urlencoded.";
            return problem::answer(&headers, error.status(), "On or off?", detail);
        }
    };
    let deed = if state.is_on() { Deed::MaintenanceOn } else { Deed::MaintenanceOff };
    match maintenance.set(state).await {
        Ok(()) => {
            app.audit.done(&operator, deed, Some(maintenance.name()));
            if wants_json(&headers) { moved(maintenance, state) } else { Redirect::to("/admin").into_response() }
        }
        Err(error) => {
            app.audit.failed(&operator, deed, Some(maintenance.name()), &error);
            problem::answer(
                &headers,
                status(&error),
                "The switch was not moved",
                &problem::sentence(&error.to_string()),
            )
        }
    }
}

/// Where the switch stands now, for programs.
#[derive(Debug, Serialize)]
struct Moved {
    enabled: bool,
    /// What the switch calls itself.
    switch: String,
    /// Since when it stands there, as far as was seen.
    since: Option<Timestamp>,
}

fn moved(maintenance: &Maintenance, state: SwitchState) -> Response {
    let stand = maintenance.stand();
    // It is set, though it may not have been read since.
    let since = stand.since.filter(|_| stand.report.state == state);
    let answer = Moved { enabled: state.is_on(), switch: maintenance.name(), since };
    ([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(answer)).into_response()
}

/// Whether the caller asks for JSON: it names it, and no page before it.
fn wants_json(headers: &HeaderMap) -> bool {
    let is = |range: &[u8], kind: &str| range.eq_ignore_ascii_case(kind.as_bytes());
    let mut known = http_support::header_fields::media_ranges(headers)
        .filter(|range| is(range, "application/json") || is(range, "text/html"));
    known.next().is_some_and(|range| is(range, "application/json"))
}

/// A move by another operator is a conflict; the rest is not the operator's fault.
const fn status(error: &SetError) -> StatusCode {
    match error {
        SetError::Conflict { .. } | SetError::Contended(_) => StatusCode::CONFLICT,
        SetError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        SetError::NotFound { .. }
        | SetError::Forbidden(..)
        | SetError::Rejected(_)
        | SetError::Mounted(_)
        | SetError::NotAFile(_)
        | SetError::Unwritable(..) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use http::header::ACCEPT;

    use super::*;

    #[test]
    fn json_is_for_callers_that_name_it_before_any_page() {
        for (accept, is_json) in [
            ("application/json", true),
            ("Application/JSON; q=0.9, */*", true),
            ("text/plain, application/json", true),
            ("text/html;q=0, application/json", true),
            ("text/html,application/xhtml+xml,application/json", false),
            ("*/*", false),
            ("", false),
        ] {
            let headers = [(ACCEPT, HeaderValue::from_static(accept))].into_iter().collect();
            assert_eq!(wants_json(&headers), is_json, "{accept}");
        }
        assert!(!wants_json(&HeaderMap::new()));
    }
}
