//! Reads the JSON of a request about a task.
//!
//! An empty body is an empty object, and `null` counts as absent. Unknown fields are ignored: a later release may know them, and two
//! releases run side by side. The content type is not looked at: the same-origin rule keeps other sites out, and `curl -d` says form.

use axum::body::Body;
use http_support::body::{Limits, read};
use serde_json::{Map, Value};
use session_domain::{InvalidTask, SessionId, TaskLease, TaskName, TaskProgress};

use super::refusal::TaskRefusal;

/// The largest body, in bytes.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// The fields of a request about a task.
#[derive(Debug)]
pub(crate) struct Input(Map<String, Value>);

impl Input {
    /// Reads a body to its end.
    pub(crate) async fn read(body: Body) -> Result<Self, TaskRefusal> {
        let body = read(body, Limits::of(MAX_BODY_BYTES)).await;
        Self::parse(&body.map_err(|error| TaskRefusal::NotReceived(error.status()))?)
    }

    fn parse(body: &[u8]) -> Result<Self, TaskRefusal> {
        if body.trim_ascii().is_empty() {
            return Ok(Self(Map::new()));
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) | Err(_) => Err(TaskRefusal::NotAnObject),
        }
    }

    /// `kind` and `label`; each empty where it is absent.
    pub(super) fn name(&self) -> Result<TaskName, TaskRefusal> {
        TaskName::new(self.text("kind")?, self.text("label")?).map_err(TaskRefusal::Invalid)
    }

    /// `lease_seconds`.
    pub(super) fn lease(&self) -> Result<Option<TaskLease>, TaskRefusal> {
        let Some(value) = self.get("lease_seconds") else { return Ok(None) };
        let seconds = value.as_u64().or_else(|| value.as_f64().and_then(whole));
        let lease = seconds.ok_or(InvalidTask::Lease).and_then(TaskLease::from_seconds);
        lease.map(Some).map_err(TaskRefusal::Invalid)
    }

    /// `progress`.
    pub(super) fn progress(&self) -> Result<Option<TaskProgress>, TaskRefusal> {
        let Some(value) = self.get("progress") else { return Ok(None) };
        let progress = value.as_f64().ok_or(InvalidTask::Progress).and_then(TaskProgress::new);
        progress.map(Some).map_err(TaskRefusal::Invalid)
    }

    /// `session_id`, by which the app's server side names a session.
    pub(crate) fn session(&self) -> Result<SessionId, TaskRefusal> {
        let id = self.get("session_id").and_then(Value::as_str).and_then(|text| text.parse().ok());
        id.ok_or(TaskRefusal::WrongType { field: "session_id", expected: "the id of a session" })
    }

    /// Checks the values that a task has, of whatever request.
    pub(crate) fn check(&self) -> Result<(), TaskRefusal> {
        self.name()?;
        self.lease()?;
        self.progress()?;
        Ok(())
    }

    fn text(&self, field: &'static str) -> Result<&str, TaskRefusal> {
        match self.get(field) {
            None => Ok(""),
            Some(value) => value.as_str().ok_or(TaskRefusal::WrongType { field, expected: "a text" }),
        }
    }

    fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field).filter(|value| !value.is_null())
    }
}

/// A whole number that is written as a fraction, such as `60.0`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked before")]
fn whole(number: f64) -> Option<u64> {
    let is_whole = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    is_whole.then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(body: &str) -> Input {
        Input::parse(body.as_bytes()).unwrap()
    }

    #[test]
    fn what_is_absent_has_a_default_and_an_empty_body_is_an_empty_object() {
        for body in ["", " \n", "{}", r#"{"kind": null, "label": null, "lease_seconds": null, "progress": null}"#] {
            let input = input(body);
            assert_eq!((&**input.name().unwrap().kind(), input.lease(), input.progress()), ("", Ok(None), Ok(None)));
        }
        let input =
            input(r#"{"kind": "export", "label": "Jun\u0069", "lease_seconds": 60.0, "progress": 1, "later": []}"#);
        assert_eq!(&**input.name().unwrap().label(), "Juni");
        assert_eq!(input.lease(), Ok(Some(TaskLease::default())));
        assert_eq!(input.progress().unwrap().map(TaskProgress::get), Some(1.0));
    }

    #[test]
    fn a_body_that_is_not_an_object_is_refused() {
        for body in ["null", "[]", "\"export\"", "5", "{", "{}{}", "{\"progress\": NaN}", "kind=export", "\u{feff}{}"] {
            assert_eq!(Input::parse(body.as_bytes()).unwrap_err(), TaskRefusal::NotAnObject, "{body}");
        }
        assert_eq!(Input::parse(b"{\"kind\": \"\xff\"}").unwrap_err(), TaskRefusal::NotAnObject);
        let deep = "[".repeat(10_000);
        assert_eq!(Input::parse(deep.as_bytes()).unwrap_err(), TaskRefusal::NotAnObject);
    }

    #[test]
    fn a_value_of_another_type_or_outside_of_its_range_is_refused() {
        for value in
            ["0", "-1", "3601", "31536000", "1e300", "1.5", "0.5", "\"60\"", "true", "[]", "18446744073709551616"]
        {
            let refused = input(&format!(r#"{{"lease_seconds": {value}}}"#)).lease();
            assert_eq!(refused, Err(TaskRefusal::Invalid(InvalidTask::Lease)), "{value}");
        }
        for value in ["-0.1", "1.1", "\"0.5\"", "true", "{}", "1e400"] {
            let Ok(input) = Input::parse(format!(r#"{{"progress": {value}}}"#).as_bytes()) else { continue };
            assert_eq!(input.progress(), Err(TaskRefusal::Invalid(InvalidTask::Progress)), "{value}");
        }
        for value in ["5", "true", "[\"export\"]", "{}"] {
            for field in ["kind", "label"] {
                let refused = input(&format!(r#"{{"{field}": {value}}}"#)).name();
                assert_eq!(refused, Err(TaskRefusal::WrongType { field, expected: "a text" }), "{value}");
            }
        }
    }
}
