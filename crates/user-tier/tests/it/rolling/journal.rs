//! The observations of one user: requests, sessions, event streams, without the pods' own data.

use std::time::Instant;

use serde_json::Value;

/// How a session ended, from its user's view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    /// The user left by `/logout?reason=drain`, as the notice asked, before the server ended the session.
    AutoLogout,
    /// The server ended it at the deadline, after a notice.
    Forced,
    /// It was gone, or another one, without a notice or a logout.
    Lost,
}

/// One session, from its first answer on.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) id: String,
    /// The end, and the pod that owned the session then.
    pub(super) end: Option<(End, String)>,
}

/// One event stream, from `connected` to its end.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    /// The pod that owned the session, according to `connected`.
    pub(super) pod: String,
    pub(super) opened: Instant,
    pub(super) closed: Option<Instant>,
    /// The value of `auto_logout` in each `drain` event.
    pub(super) drains: Vec<bool>,
}

/// The observations of one user.
#[derive(Clone, Debug)]
pub(super) struct Journal {
    pub(super) user: String,
    /// Whether the user has a page in a browser.
    pub(super) is_page: bool,
    pub(super) requests: u64,
    /// Requests that were sent twice, as browsers do when a kept connection closes unanswered.
    pub(super) repeated: u64,
    /// Requests of a session with a wrong answer.
    pub(super) failures: Vec<String>,
    pub(super) sessions: Vec<Session>,
    pub(super) streams: Vec<Stream>,
    pub(super) began: Instant,
}

impl Journal {
    pub(super) fn new(user: &str) -> Self {
        Self {
            user: user.to_owned(),
            is_page: false,
            requests: 0,
            repeated: 0,
            failures: Vec::new(),
            sessions: Vec::new(),
            streams: Vec::new(),
            began: Instant::now(),
        }
    }

    /// Records what went wrong, and when.
    pub(super) fn fail(&mut self, what: &str) {
        let at = self.began.elapsed().as_secs_f64();
        self.failures.push(format!("{} at {at:.1}s: {what}", self.user));
    }

    pub(super) fn begin(&mut self, id: &str) {
        self.sessions.push(Session { id: id.to_owned(), end: None });
    }

    /// The current session.
    pub(super) fn current(&self) -> Option<&Session> {
        self.sessions.last().filter(|session| session.end.is_none())
    }

    /// The current session has ended, if there is one: a user who left may receive this again.
    pub(super) fn end(&mut self, end: End, pod: &str) {
        let Some(session) = self.sessions.last_mut().filter(|session| session.end.is_none()) else { return };
        session.end = Some((end, pod.to_owned()));
        if end == End::Lost {
            let id = session.id.clone();
            self.fail(&format!("session {id} was lost at {pod}"));
        }
    }

    /// A new stream has sent `connected`.
    pub(super) fn opened(&mut self, data: &Value, at: Instant) {
        self.closed(at);
        let pod = data["pod"].as_str().unwrap_or_default().to_owned();
        self.streams.push(Stream { pod, opened: at, closed: None, drains: Vec::new() });
    }

    /// The last stream has ended.
    pub(super) fn closed(&mut self, at: Instant) {
        if let Some(stream) = self.streams.last_mut() {
            stream.closed.get_or_insert(at);
        }
    }

    /// The open stream has sent `connected` again: another pod may own the session now.
    pub(super) fn connected_again(&mut self, data: &Value) {
        let pod = data["pod"].as_str().unwrap_or_default();
        if let Some(stream) = self.streams.last_mut() {
            pod.clone_into(&mut stream.pod);
        }
    }

    /// A stream has sent `drain`.
    pub(super) fn notified(&mut self, data: &Value) {
        let Some(stream) = self.streams.last_mut() else { return };
        stream.drains.push(data["auto_logout"] == true);
    }

    /// Where the last stream was.
    pub(super) fn last_pod(&self) -> String {
        self.streams.last().map(|stream| stream.pod.clone()).unwrap_or_default()
    }
}
