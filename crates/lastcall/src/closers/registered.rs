//! The closers that were registered, before they run.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use session_domain::visible_line;

use super::{CloseResult, MAX_NAME_CHARS, MAX_TIMEOUT};

/// The name of a closer whose given name has no visible character.
const UNNAMED: &str = "resource";

pub(super) type CloseFuture = Pin<Box<dyn Future<Output = Result<(), Box<dyn Error + Send + Sync>>> + Send>>;

/// A registered resource, and how it is closed.
pub(crate) struct Closer {
    pub(super) name: Arc<str>,
    pub(super) timeout: Duration,
    /// How long it may take before the log says that it runs. If absent, the start is logged at once.
    pub(super) announce_after: Option<Duration>,
    /// Behind a lock that is never contended: the drain task, which holds closers, is shared with the effects that it performs.
    pub(super) close: Mutex<CloseFuture>,
}

impl Closer {
    /// The name is put on one line and cut to [`MAX_NAME_CHARS`]; the limit is at most [`MAX_TIMEOUT`].
    pub(crate) fn new<T: CloseResult>(
        name: &str,
        timeout: Duration,
        close: impl Future<Output = T> + Send + 'static,
    ) -> Self {
        let close: CloseFuture = Box::pin(async move { close.await.into_result() });
        Self {
            name: shown_name(name),
            timeout: timeout.min(MAX_TIMEOUT),
            announce_after: None,
            close: Mutex::new(close),
        }
    }

    /// Logs that the closer runs only once it has taken this long.
    pub(crate) fn announced_after(self, delay: Duration) -> Self {
        Self { announce_after: Some(delay), ..self }
    }
}

/// The closers of a handle, in the order of their registration.
#[derive(Default)]
pub(crate) struct Closers(pub(super) Vec<Closer>);

impl Closers {
    pub(crate) fn push(&mut self, closer: Closer) {
        self.0.push(closer);
    }

    /// The first one registered runs last.
    pub(crate) fn insert_first(&mut self, closer: Closer) {
        self.0.insert(0, closer);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How long all of them may take together.
    pub(crate) fn timeout(&self) -> Duration {
        self.0.iter().fold(Duration::ZERO, |sum, closer| sum.saturating_add(closer.timeout))
    }
}

/// A name from the app's code may come from its configuration: a line break in it would look like another line of the log.
fn shown_name(name: &str) -> Arc<str> {
    let cut: String = visible_line(name).chars().take(MAX_NAME_CHARS).collect();
    if cut.is_empty() { UNNAMED.into() } else { cut.trim_end().into() }
}
