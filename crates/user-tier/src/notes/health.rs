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
    /// The failure of the last query, and whether it was logged since it began.
    current: Option<(NotesError, bool)>,
    /// Whether a failure was logged that is over only when a query succeeds.
    failure_logged: bool,
    /// When each kind of failure was logged last.
    last: HashMap<&'static str, Instant>,
}

impl Logged {
    /// Takes in a failure. Returns whether it has to be logged.
    fn record_failure(&mut self, failure: NotesError, now: Instant) -> bool {
        if self.current == Some((failure, true)) {
            return false;
        }
        let last = self.last.get(failure.advice());
        let is_due = last.is_none_or(|last| now.duration_since(*last) >= QUIET);
        if is_due {
            self.last.insert(failure.advice(), now);
            self.failure_logged = true;
        }
        self.current = Some((failure, is_due));
        is_due
    }

    /// Takes in a success. Returns whether it has to be logged.
    const fn record_success(&mut self) -> bool {
        self.current = None;
        std::mem::replace(&mut self.failure_logged, false)
    }
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
        if logged.record_failure(failure, Instant::now()) {
            error!(
                "notes cannot be saved: {failure}; {}; users are told, their browsers keep the text and try again",
                failure.advice()
            );
        }
    }

    fn record_success(&self) {
        self.is_failing.store(false, Ordering::Relaxed);
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.record_success() {
            info!("notes can be saved again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_keeps_failing_is_logged_again_once_the_quiet_time_is_over() {
        let (began, mut logged) = (Instant::now(), Logged::default());
        let after = |seconds| began + Duration::from_secs(seconds);
        assert!(logged.record_failure(NotesError::Away, after(0)));
        assert!(!logged.record_failure(NotesError::Away, after(100)), "nothing has changed");
        assert!(logged.record_success());
        // Failures that come and go more often than the quiet time.
        let (mut lines, away, locked) = (0, NotesError::Away, NotesError::Locked);
        for second in (100..220).step_by(10) {
            lines += usize::from(logged.record_failure(away, after(second)));
            lines += usize::from(logged.record_failure(locked, after(second + 5)));
        }
        assert_eq!(lines, 4, "each kind once a minute");
        // One that began in the quiet time, and stays.
        assert!(logged.record_success());
        assert!(!logged.record_failure(locked, after(220)));
        assert!(!logged.record_success(), "nothing was logged that is over now");
        assert!(!logged.record_failure(locked, after(221)));
        assert!(logged.record_failure(locked, after(290)));
        assert!(!logged.record_failure(locked, after(400)));
    }
}
