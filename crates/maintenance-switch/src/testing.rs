//! Helpers for the tests of a followed switch: waiting for a status, and capturing the log.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tracing::subscriber::DefaultGuard;

use crate::{SwitchHealth, SwitchState, SwitchStatus};

/// How long a test waits for a status.
const TEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Waits until the status fulfils a condition. Returns the status and the time that it took.
pub(crate) async fn wait_for(
    statuses: &mut watch::Receiver<SwitchStatus>,
    what: &str,
    is_expected: impl Fn(&SwitchStatus) -> bool,
) -> (SwitchStatus, Duration) {
    let began = Instant::now();
    let waited = timeout(TEST_TIMEOUT, statuses.wait_for(is_expected)).await;
    let status = waited.map(|status| status.unwrap().clone());
    let status = status.unwrap_or_else(|_| panic!("never published: {what}; but {:?}", statuses.borrow()));
    (status, began.elapsed())
}

/// Waits until the switch is healthy and in this state. Returns the time that it took.
pub(crate) async fn wait_until_healthy(statuses: &mut watch::Receiver<SwitchStatus>, state: SwitchState) -> Duration {
    let expected = SwitchStatus { state, health: SwitchHealth::Healthy };
    wait_for(statuses, &format!("{expected:?}"), |status| *status == expected).await.1
}

/// Captures the log of this test's thread, from the level `info`.
pub(crate) struct Log {
    lines: Arc<Mutex<Vec<u8>>>,
    _guard: DefaultGuard,
}

#[derive(Clone)]
struct Writer(Arc<Mutex<Vec<u8>>>);

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    pub(crate) fn start() -> Self {
        let lines = Arc::default();
        let writer = Writer(Arc::clone(&lines));
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter("maintenance_switch=info")
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        Self { lines, _guard: tracing::subscriber::set_default(subscriber) }
    }

    /// The lines logged so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        String::from_utf8_lossy(&self.lines.lock().unwrap()).lines().map(str::to_owned).collect()
    }

    /// How many lines contain this text.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.lines().iter().filter(|line| line.contains(part)).count()
    }
}
