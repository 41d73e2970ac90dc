//! What the users noticed: errors, banners, sign-ins, gaps of their event streams. Each is attributed to what was
//! being done to the system at that moment.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::browser::Failure;
use super::chaos::Incident;

/// How many errors of a kind are kept word for word.
const SAMPLES: u64 = 8;

/// How many characters of an answer are kept with it.
const DETAIL: usize = 160;

/// Something that a user notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ErrorKind {
    /// An answer with a status that is no success.
    Status(u16),
    /// No complete answer.
    Failure(Failure),
    /// The session is gone, or is another one.
    SessionLost,
    /// An answer that is not what was asked for.
    WrongAnswer,
    /// The event stream broke off, or fell silent.
    StreamBroken(Failure),
}

/// An error, with the words of the answer.
#[derive(Debug)]
pub(super) struct UserError {
    pub(super) kind: ErrorKind,
    pub(super) detail: String,
}

impl UserError {
    /// An answer that was not expected. Keeps the beginning of its text, without markup.
    pub(super) fn answer(status: u16, body: &str) -> Self {
        let kind = if status == 401 { ErrorKind::SessionLost } else { ErrorKind::Status(status) };
        let text = body.rsplit("<body").next().unwrap_or_default();
        let words: Vec<_> = text.split_whitespace().collect();
        Self { kind, detail: words.join(" ").chars().take(DETAIL).collect() }
    }
}

impl From<ErrorKind> for UserError {
    fn from(kind: ErrorKind) -> Self {
        Self { kind, detail: String::new() }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(formatter, "status {status}"),
            Self::Failure(Failure::Refused) => formatter.write_str("connection refused"),
            Self::Failure(Failure::Reset) => formatter.write_str("connection reset"),
            Self::Failure(Failure::Truncated) => formatter.write_str("answer truncated"),
            Self::Failure(Failure::Silent) => formatter.write_str("no answer"),
            Self::SessionLost => formatter.write_str("session lost"),
            Self::WrongAnswer => formatter.write_str("wrong answer"),
            Self::StreamBroken(Failure::Silent) => formatter.write_str("event stream silent"),
            Self::StreamBroken(_) => formatter.write_str("event stream cut"),
        }
    }
}

/// The observations of all users.
#[derive(Debug)]
pub(super) struct Tally {
    began: Instant,
    /// What is being done to the system besides the drains.
    incident: Mutex<Option<Incident>>,
    inner: Mutex<Inner>,
    requests: AtomicU64,
    /// Requests that browsers sent again, unnoticed by their users.
    pub(super) repeated: Arc<AtomicU64>,
}

/// The counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Inner {
    /// Errors by incident.
    pub(super) errors: BTreeMap<(Option<Incident>, ErrorKind), u64>,
    pub(super) samples: Vec<String>,
    /// Banners by incident.
    pub(super) banners: BTreeMap<Option<Incident>, u64>,
    /// How long banners were shown, over all users.
    pub(super) attention: Duration,
    pub(super) sign_ins: u64,
    /// How often laptops slept.
    pub(super) sleeps: u64,
    pub(super) moves: u64,
    pub(super) quick_retries: u64,
    pub(super) ends_without_event: u64,
    pub(super) gaps: Vec<Duration>,
    /// The part of each gap from the last request for a stream to its `connected`.
    pub(super) openings: Vec<Duration>,
}

impl Tally {
    pub(super) fn new() -> Self {
        let (incident, inner) = (Mutex::default(), Mutex::default());
        Self { began: Instant::now(), incident, inner, requests: AtomicU64::new(0), repeated: Arc::default() }
    }

    /// Attributes what follows to this incident; `None`: to nothing but drains.
    pub(super) fn attribute_to(&self, incident: Option<Incident>) {
        *self.incident.lock() = incident;
    }

    pub(super) fn request(&self) {
        self.requests.fetch_add(1, Relaxed);
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Relaxed)
    }

    /// Records an error; `what` says which request of whom.
    pub(super) fn error(&self, error: UserError, what: &str) {
        let UserError { kind, detail } = error;
        let incident = *self.incident.lock();
        let mut inner = self.inner.lock();
        let count = inner.errors.entry((incident, kind)).or_default();
        *count += 1;
        if *count <= SAMPLES {
            let at = self.began.elapsed().as_secs_f64();
            inner.samples.push(format!("{at:>7.1} s  {kind}: {what} {detail}"));
        }
    }

    pub(super) fn banner(&self) {
        let incident = *self.incident.lock();
        *self.inner.lock().banners.entry(incident).or_default() += 1;
    }

    /// Changes a count.
    pub(super) fn count(&self, change: impl FnOnce(&mut Inner)) {
        change(&mut self.inner.lock());
    }

    /// The counts so far.
    pub(super) fn snapshot(&self) -> Inner {
        self.inner.lock().clone()
    }

    /// The time since the beginning.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}
