//! `POST /admin/maintenance`: an operator moves the maintenance switch, by the panel's form or by a script.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, StatusCode};
use http_support::{Form, FormError, header_fields};
use maintenance_switch::{SetError, SwitchState};
use serde::{Deserialize, Serialize};
use session_domain::Timestamp;

use super::response::json;
use crate::audit::AuditAction;
use crate::error::{AppError, sentence};
use crate::limits::MAX_FORM_BYTES;
use crate::maintenance::Maintenance;
use crate::operator::Operator;
use crate::state::AppState;

/// The form of `POST /admin/maintenance`.
#[derive(Debug, Deserialize)]
pub(crate) struct MaintenanceForm {
    enabled: String,
}

/// The state of the switch, for programs.
#[derive(Debug, Serialize)]
struct MaintenanceBody {
    enabled: bool,
    /// The name of the switch.
    switch: String,
    /// The time of the last move that was seen.
    since: Option<Timestamp>,
}

/// `POST /admin/maintenance`: moves the switch.
pub(crate) async fn set_maintenance(
    State(app): State<AppState>,
    operator: Operator,
    headers: HeaderMap,
    form: Result<Form<MaintenanceForm, MAX_FORM_BYTES>, FormError>,
) -> Result<Response, AppError> {
    let maintenance = app.maintenance.as_ref().ok_or_else(no_switch)?;
    let Form(form) = form.map_err(|error| bad_form(error.status(), FORM_HINT))?;
    let position = form.enabled.parse::<SwitchState>();
    let position =
        position.map_err(|error| bad_form(StatusCode::BAD_REQUEST, format!("The form field `enabled` {error}.")))?;
    let action = if position.is_on() { AuditAction::MaintenanceOn } else { AuditAction::MaintenanceOff };
    if let Err(error) = maintenance.set(position).await {
        app.audit.record_failed(&operator, action, Some(maintenance.name()), &error);
        return Err(AppError::new(status(&error), "The switch was not moved", sentence(error)));
    }
    app.audit.record_done(&operator, action, Some(maintenance.name()));
    Ok(if wants_json(&headers) { body(maintenance, position) } else { Redirect::to("/admin").into_response() })
}

const FORM_HINT: &str = "Send the form field `enabled`, true or false, as application/x-www-form-urlencoded.";

fn no_switch() -> AppError {
    let detail = "This admin tier has no maintenance switch. Set MAINTENANCE_CONFIGMAP or MAINTENANCE_FILE to the one \
                  that the pods follow.";
    AppError::new(StatusCode::CONFLICT, "There is no switch here", detail)
}

fn bad_form(status: StatusCode, detail: impl Into<std::borrow::Cow<'static, str>>) -> AppError {
    AppError::new(status, "On or off?", detail)
}

fn body(maintenance: &Maintenance, position: SwitchState) -> Response {
    let state = maintenance.state();
    // The switch was moved, but the new position may not have been read yet.
    let since = state.since.filter(|_| state.report.state == position);
    json(MaintenanceBody { enabled: position.is_on(), switch: maintenance.name(), since })
}

/// Returns whether the caller prefers JSON: `Accept` names it before any page.
fn wants_json(headers: &HeaderMap) -> bool {
    let is = |range: &[u8], kind: &str| range.eq_ignore_ascii_case(kind.as_bytes());
    let mut known =
        header_fields::media_ranges(headers).filter(|range| is(range, "application/json") || is(range, "text/html"));
    known.next().is_some_and(|range| is(range, "application/json"))
}

/// A move by another operator is a conflict. The other errors are not the operator's.
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
    use http::header::{ACCEPT, HeaderValue};

    use super::*;

    #[test]
    fn json_is_sent_to_callers_that_name_it_before_any_page() {
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
