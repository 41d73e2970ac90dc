//! What the tests of a followed switch share: what it tells, what it logs, and the clock they wait by.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tracing::subscriber::DefaultGuard;

use crate::{Position, Report, SwitchHealth};

/// How long a test waits for something that must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until the report is as it should be, and gives it and the time that it took.
pub(crate) async fn told(
    reports: &mut watch::Receiver<Report>,
    what: &str,
    is_so: impl Fn(&Report) -> bool,
) -> (Report, Duration) {
    let began = Instant::now();
    let waited = timeout(PATIENCE, reports.wait_for(is_so)).await;
    let report = waited.map(|report| report.unwrap().clone());
    let report = report.unwrap_or_else(|_| panic!("never told: {what}; but {:?}", reports.borrow()));
    (report, began.elapsed())
}

/// Waits for a position that is sound.
pub(crate) async fn sound(reports: &mut watch::Receiver<Report>, position: Position) -> Duration {
    let expected = Report { position, standing: SwitchHealth::Sound };
    told(reports, &format!("{expected:?}"), |report| *report == expected).await.1
}

/// The log of this test's thread, warnings and what is said when they are over.
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

    /// The lines so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        String::from_utf8_lossy(&self.lines.lock().unwrap()).lines().map(str::to_owned).collect()
    }

    /// How many lines have this part.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.lines().iter().filter(|line| line.contains(part)).count()
    }
}
