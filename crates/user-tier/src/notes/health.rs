//! Logs when the database stops doing its work, and when it does it again: one line for each change, not one for each request.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::{error, info};

use super::NotesError;

/// How long a kind of error is not logged again. Errors that come and go would fill the log.
const QUIET: Duration = Duration::from_secs(60);

/// The state of the database, as the last query found it.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// Whether the last query failed. Read without a lock, so that a save that succeeds takes none.
    is_failing: AtomicBool,
    logged: Mutex<Logged>,
}

/// What was logged.
#[derive(Debug, Default)]
struct Logged {
    current: Option<NotesError>,
    /// Whether the log tells of a failure that is over only when a query succeeds.
    is_told: bool,
    last: HashMap<&'static str, Instant>,
}

impl Health {
    /// Takes in the result of a query.
    pub(super) fn record(&self, failure: Option<&NotesError>) {
        match failure {
            Some(NotesError::Closing) => {}
            Some(failure) => self.record_failure(*failure),
            None if self.is_failing.load(Ordering::Relaxed) => self.record_success(),
            None => {}
        }
    }

    fn record_failure(&self, failure: NotesError) {
        self.is_failing.store(true, Ordering::Relaxed);
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.current == Some(failure) {
            return;
        }
        logged.current = Some(failure);
        let now = Instant::now();
        let last = logged.last.insert(failure.advice(), now);
        if last.is_none_or(|last| now.duration_since(last) >= QUIET) {
            logged.is_told = true;
            error!(
                "notes cannot be saved: {failure}; {}; users are told, their browsers keep the text and try again",
                failure.advice()
            );
        }
    }

    fn record_success(&self) {
        self.is_failing.store(false, Ordering::Relaxed);
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        logged.current = None;
        if std::mem::take(&mut logged.is_told) {
            info!("notes can be saved again");
        }
    }
}
