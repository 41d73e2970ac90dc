//! The ledger of a pod: every session that started or arrived is still there or has ended, once.
//!
//! A reader reads `/metrics` from the start of a pod to its exit, ever more closely during a drain, and keeps the
//! last page.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::plain_http::get;

const CALM: Duration = Duration::from_millis(1_000);
const CLOSE: Duration = Duration::from_millis(50);

/// How often a page that does not balance is read again.
const MAX_READINGS: u32 = 10;

/// Reads the metrics of a pod while it lives.
#[derive(Debug)]
pub(super) struct MetricsReader {
    port: u16,
    page: Arc<Mutex<String>>,
    is_draining: Arc<AtomicBool>,
    reader: JoinHandle<()>,
}

/// The last counts of a pod.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    pub(super) pod: String,
    pub(super) logins: u64,
    pub(super) adopted: u64,
    pub(super) active: u64,
    pub(super) ended: BTreeMap<String, u64>,
    pub(super) notified: u64,
    pub(super) has_been_read: bool,
}

impl MetricsReader {
    pub(super) fn of(port: u16) -> Self {
        let (page, is_draining): (Arc<Mutex<String>>, Arc<AtomicBool>) = Default::default();
        let (written, draining) = (Arc::clone(&page), Arc::clone(&is_draining));
        let reader = tokio::spawn(async move {
            loop {
                if let Ok((200, text)) = get(port, "/metrics").await {
                    *written.lock() = text;
                }
                // In small steps, so that a drain is watched closely at once.
                let mut slept = Duration::ZERO;
                while slept < CALM && !(draining.load(Relaxed) && slept >= CLOSE) {
                    sleep(CLOSE).await;
                    slept += CLOSE;
                }
            }
        });
        Self { port, page, is_draining, reader }
    }

    pub(super) fn watch_closely(&self) {
        self.is_draining.store(true, Relaxed);
    }

    /// Reads the page now. While sessions come and go, a page may be written between two steps of one: it is read
    /// again then, a few times.
    ///
    /// # Errors
    /// The pod does not answer.
    pub(super) async fn read_settled(&self) -> anyhow::Result<()> {
        for _ in 0..MAX_READINGS {
            let (_, text) = get(self.port, "/metrics").await?;
            let is_balanced = Ledger::read(String::new(), &text).fault().is_none();
            *self.page.lock() = text;
            if is_balanced {
                break;
            }
            sleep(CLOSE).await;
        }
        Ok(())
    }

    /// The last page, once the pod has exited.
    pub(super) async fn close(self, pod: String) -> Ledger {
        self.reader.abort();
        let _ = self.reader.await;
        let page = self.page.lock();
        Ledger::read(pod, &page)
    }
}

impl Ledger {
    pub(super) fn read(pod: String, page: &str) -> Self {
        let (mut values, mut ended) = (BTreeMap::new(), BTreeMap::new());
        for line in page.lines() {
            let Some((series, value)) = line.rsplit_once(' ') else { continue };
            // All of these are whole numbers.
            let Ok(value) = value.parse::<u64>() else { continue };
            match series.strip_prefix("lastcall_session_ends_total{outcome=\"") {
                Some(outcome) => {
                    ended.insert(outcome.trim_end_matches("\"}").to_owned(), value);
                }
                None => {
                    values.insert(series, value);
                }
            }
        }
        let value = |series: &str| values.get(series).copied().unwrap_or_default();
        Self {
            pod,
            logins: value("total_logins"),
            adopted: value("lastcall_sessions_adopted_total"),
            active: value("active_sessions_total"),
            notified: value("drain_notifications_sent"),
            has_been_read: values.contains_key("total_logins"),
            ended,
        }
    }

    pub(super) fn ended(&self, outcome: &str) -> u64 {
        self.ended.get(outcome).copied().unwrap_or_default()
    }

    /// What is wrong with them.
    pub(super) fn fault(&self) -> Option<String> {
        let (came, went) = (self.logins + self.adopted, self.active + self.ended.values().sum::<u64>());
        if !self.has_been_read {
            return Some(format!("{}: its metrics could not be read", self.pod));
        }
        (came != went).then(|| {
            format!(
                "{}: {} logins + {} adopted = {came}, but {} active + {:?} ended = {went}",
                self.pod, self.logins, self.adopted, self.active, self.ended
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# HELP total_logins x\ntotal_logins 5\nlastcall_sessions_adopted_total 2\nactive_sessions_total 1\n\
        lastcall_session_ends_total{outcome=\"moved\"} 4\nlastcall_session_ends_total{outcome=\"forced\"} 2\n";

    #[test]
    fn a_ledger_balances_where_every_session_is_there_or_has_ended() {
        assert_eq!(Ledger::read("user-1".to_owned(), PAGE).fault(), None);
    }

    #[test]
    fn a_ledger_that_misses_a_session_or_was_never_read_is_at_fault() {
        let missing = PAGE.replace("active_sessions_total 1", "active_sessions_total 0");
        assert!(Ledger::read("user-1".to_owned(), &missing).fault().is_some());
        assert!(Ledger::read("user-1".to_owned(), "").fault().is_some());
    }
}
