//! Splits what a watch sends into messages that its reader accepts. Sessions with many tasks need more messages than others.

use prost::Message as _;

use crate::v1;
use crate::watch_codec::{MAX_MESSAGE_BYTES, MAX_SESSIONS_PER_MESSAGE, MAX_TASKS_PER_MESSAGE};

/// The size at which a message is full, in bytes. One session with all the tasks that it may have takes about a fifth of it.
const FULL_BYTES: usize = MAX_MESSAGE_BYTES / 2;

/// What the message that is being filled contains so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct MessageBudget {
    entries: usize,
    tasks: usize,
    bytes: usize,
}

impl MessageBudget {
    /// Counts a session. Returns `false` if it does not fit: it then counts as the first entry of the next message.
    pub fn add_session(&mut self, session: &v1::Session) -> bool {
        self.add(session.tasks.len(), session.encoded_len())
    }

    /// Counts a removed id, as [`MessageBudget::add_session`] counts a session.
    pub fn add_removal(&mut self, id: &str) -> bool {
        self.add(0, id.len())
    }

    fn add(&mut self, tasks: usize, bytes: usize) -> bool {
        let with = Self { entries: self.entries + 1, tasks: self.tasks + tasks, bytes: self.bytes + bytes };
        let is_within =
            with.entries <= MAX_SESSIONS_PER_MESSAGE && with.tasks <= MAX_TASKS_PER_MESSAGE && with.bytes <= FULL_BYTES;
        let fits = is_within || self.entries == 0;
        *self = if fits { with } else { Self { entries: 1, tasks, bytes } };
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(tasks: usize) -> v1::Session {
        let id = "7d9f3a52-0000-4000-8000-000000000000".to_owned();
        let task =
            v1::Task { task_id: id.clone(), kind: "é".repeat(64), label: "é".repeat(200), ..v1::Task::default() };
        v1::Session { session_id: id, tasks: vec![task; tasks], ..v1::Session::default() }
    }

    fn fitting(session: &v1::Session) -> usize {
        let mut budget = MessageBudget::default();
        (0..2_000).take_while(|_| budget.add_session(session)).count()
    }

    #[test]
    fn a_message_has_a_thousand_sessions_or_less_if_they_have_many_tasks() {
        assert_eq!(fitting(&session(0)), MAX_SESSIONS_PER_MESSAGE);
        let busy = session(100);
        let count = fitting(&busy);
        assert!((2..100).contains(&count) && (count + 1) * busy.encoded_len() < MAX_MESSAGE_BYTES, "{count}");
        let short = v1::Session { tasks: vec![v1::Task::default(); 100], ..v1::Session::default() };
        assert_eq!(fitting(&short) * 100, MAX_TASKS_PER_MESSAGE);
    }
}
