//! A task in a session's hash: the field `task:{task_id}` holds the end of its lease in milliseconds by Redis' clock, a space, and
//! the other fields as JSON.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use session_domain::shared::SharedTask;
use session_domain::{PodName, TaskId, TaskLease, TaskName, TaskProgress};

/// The beginning of the names of the fields.
const PREFIX: &str = "task:";

/// What a field and a message say of a task, besides its id and the end of its lease.
#[derive(Serialize, Deserialize)]
struct StoredTask<'a> {
    pod: std::borrow::Cow<'a, str>,
    kind: std::borrow::Cow<'a, str>,
    label: std::borrow::Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    progress: Option<f64>,
    /// Absent for a task of the pod's own code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lease_seconds: Option<u64>,
}

/// The name of a task's field.
pub(super) fn field(id: TaskId) -> String {
    format!("{PREFIX}{id}")
}

/// The JSON of a task.
pub(super) fn to_json(task: &SharedTask) -> String {
    let stored = StoredTask {
        pod: task.holder.as_str().into(),
        kind: (&**task.name.kind()).into(),
        label: (&**task.name.label()).into(),
        progress: task.progress.map(TaskProgress::get),
        lease_seconds: task.lease.map(|lease| lease.duration().as_secs()),
    };
    // Texts and numbers are always JSON.
    serde_json::to_string(&stored).unwrap_or_default()
}

/// Decodes the JSON of a task; `None` where it is invalid.
pub(super) fn from_json(id: TaskId, remaining: Duration, json: &str) -> Option<SharedTask> {
    let stored: StoredTask<'_> = serde_json::from_str(json).ok()?;
    Some(SharedTask {
        id,
        holder: PodName::new(&stored.pod)?,
        name: TaskName::new(&stored.kind, &stored.label).ok()?,
        progress: stored.progress.and_then(|progress| TaskProgress::new(progress).ok()),
        lease: match stored.lease_seconds {
            Some(seconds) => Some(TaskLease::from_seconds(seconds).ok()?),
            None => None,
        },
        remaining,
    })
}

/// Decodes a field at `now`, in milliseconds by Redis' clock; `None` where it is no task, or an invalid one.
pub(super) fn from_field(name: &str, value: &str, now: u64) -> Option<SharedTask> {
    let id = name.strip_prefix(PREFIX)?.parse().ok()?;
    let (until, json) = value.split_once(' ')?;
    let remaining = until.parse::<u64>().ok()?.saturating_sub(now);
    from_json(id, Duration::from_millis(remaining), json)
}

/// Whether a field with this name is a task's.
pub(super) fn is_task(name: &str) -> bool {
    name.starts_with(PREFIX)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn task() -> SharedTask {
        SharedTask {
            id: TaskId::from_uuid(Uuid::from_u128(7)),
            holder: PodName::new("user-1").unwrap(),
            name: TaskName::new("export", "\"June\" 🚀").unwrap(),
            progress: TaskProgress::new(0.25).ok(),
            lease: TaskLease::from_seconds(60).ok(),
            remaining: Duration::from_millis(1_500),
        }
    }

    #[test]
    fn a_task_is_read_back() {
        for task in [task(), SharedTask { progress: None, lease: None, ..task() }] {
            let value = format!("6500 {}", to_json(&task));
            assert_eq!(from_field(&field(task.id), &value, 5_000), Some(task.clone()));
            let over = SharedTask { remaining: Duration::ZERO, ..task.clone() };
            assert_eq!(from_field(&field(task.id), &value, 9_000), Some(over));
        }
    }

    #[test]
    fn what_is_no_task_is_left_out() {
        let json = to_json(&task());
        let name = field(task().id);
        for (name, value) in [
            ("user", format!("6500 {json}")),
            ("task:7", format!("6500 {json}")),
            (&name, json.clone()),
            (&name, format!("soon {json}")),
            (&name, "6500 {}".to_owned()),
            (&name, format!("6500 {}", json.replace("60", "31536000"))),
            (&name, format!("6500 {}", json.replace("user-1", ""))),
        ] {
            assert_eq!(from_field(name, &value, 5_000), None, "{name} {value}");
        }
    }
}
