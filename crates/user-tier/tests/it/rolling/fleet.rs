//! Three pods on one Redis behind HAProxy, replaced one after the other as a Deployment does it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::Client;
use test_support::{Haproxy, Redis, Signal, UserPod, eventually, metric};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::ForcedEnd;
use crate::BINARY;

const PODS: usize = 3;
/// A pod more than usual runs while another one drains.
const SLOTS: usize = PODS + 1;
const SCRAPE_EVERY: Duration = Duration::from_millis(50);

/// The pods that run, those that have gone, and what is before and behind them.
#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) haproxy: Haproxy,
    redis: Redis,
    forced_end: ForcedEnd,
    /// The oldest first.
    pub(super) running: VecDeque<Running>,
    pub(super) gone: Vec<Gone>,
    started: usize,
}

/// A pod that runs, and its slot in HAProxy.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) pod: UserPod,
    pub(super) name: String,
    slot: usize,
    scraped: Arc<Mutex<String>>,
    scraper: JoinHandle<()>,
}

/// A pod that has drained and ended.
#[derive(Debug)]
pub(super) struct Gone {
    pub(super) name: String,
    pub(super) terminated_at: Instant,
    /// The last page of metrics that it gave.
    pub(super) metrics: String,
    pub(super) drain_log: Vec<String>,
}

impl Fleet {
    /// Starts it all and waits until every pod gets connections.
    pub(super) async fn start(forced_end: ForcedEnd) -> Self {
        let (haproxy, redis) = (Haproxy::with_slots(SLOTS).await, Redis::start().await);
        let mut fleet = Self { haproxy, redis, forced_end, running: VecDeque::new(), gone: Vec::new(), started: 0 };
        for slot in 0..PODS {
            fleet.start_pod(slot).await;
        }
        fleet
    }

    /// Waits until the pods hold this many sessions between them.
    pub(super) async fn wait_for_sessions(&self, count: usize) {
        eventually("every user's session", || async {
            let active = |running: &Running| value(&running.scraped.lock().unwrap(), "active_sessions_total");
            (self.running.iter().map(active).sum::<f64>() >= count as f64).then_some(())
        })
        .await;
    }

    /// One rolling restart: each pod that runs now is replaced.
    pub(super) async fn restart_all(&mut self) {
        for _ in 0..PODS {
            let free = (0..SLOTS).find(|slot| self.running.iter().all(|running| running.slot != *slot));
            self.start_pod(free.unwrap()).await;
            self.stop_oldest().await;
        }
    }

    async fn start_pod(&mut self, slot: usize) {
        self.started += 1;
        let name = format!("user-{}", self.started);
        let url = self.redis.url();
        // Nobody leaves before a release; what happens after it is to be seen for a while.
        let (drain_timeout, propagation_wait) = match self.forced_end {
            ForcedEnd::Delete => ("8s", "1500ms"),
            ForcedEnd::Release => ("6s", "3500ms"),
        };
        let options = [
            ("REDIS_URL", url.as_str()),
            ("SESSION_KEY", "0123456789abcdef0123456789abcdef"),
            ("FORCED_END", self.forced_end.option()),
            ("DRAIN_TIMEOUT", drain_timeout),
            ("PROPAGATION_WAIT", propagation_wait),
            ("DRAIN_PROGRESS_INTERVAL", "1s"),
            // A page that is idle for longer opens a new connection for its next request.
            ("KEEP_ALIVE_TIMEOUT", "2s"),
        ];
        let pod = UserPod::start(BINARY, &name, &options).await;
        eventually("a pod that is ready", || async { (pod.person().status("/ready").await == 200).then_some(()) })
            .await;
        self.haproxy.serve(slot, &pod.http).await;
        let scraped = Arc::new(Mutex::new(String::new()));
        let scraper = tokio::spawn(scrape(pod.url("/metrics"), Arc::clone(&scraped)));
        self.running.push_back(Running { pod, name, slot, scraped, scraper });
    }

    /// Takes a pod out of rotation and ends it in the same moment, as Kubernetes does.
    async fn stop_oldest(&mut self) {
        let mut oldest = self.running.pop_front().unwrap();
        self.haproxy.drain(oldest.slot).await;
        let terminated_at = Instant::now();
        oldest.pod.signal(Signal::SIGTERM);
        let status = oldest.pod.wait().await;
        assert!(status.success(), "{}: {status}\n{}", oldest.name, oldest.pod.log().join("\n"));
        oldest.scraper.await.unwrap();
        self.haproxy.free(oldest.slot).await;
        let metrics = oldest.scraped.lock().unwrap().clone();
        self.gone.push(Gone { name: oldest.name, terminated_at, metrics, drain_log: oldest.pod.drain_log() });
    }
}

/// Reads a pod's metrics at its own address again and again, until it answers no more.
async fn scrape(url: String, scraped: Arc<Mutex<String>>) {
    let client = Client::new();
    let read = async || client.get(&url).send().await?.error_for_status()?.text().await;
    let mut missed = 0;
    while missed < 3 {
        match read().await {
            Ok(page) => {
                *scraped.lock().unwrap() = page;
                missed = 0;
            }
            Err(_) => missed += 1,
        }
        sleep(SCRAPE_EVERY).await;
    }
}

/// The value of a series, which must be there once the page is.
pub(super) fn value(page: &str, series: &str) -> f64 {
    if page.is_empty() { 0.0 } else { metric(page, series).unwrap_or_else(|| panic!("no {series} in:\n{page}")) }
}
