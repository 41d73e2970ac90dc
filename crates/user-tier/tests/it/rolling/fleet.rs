//! Three pods on one Redis behind HAProxy, replaced one after the other as a Deployment does it.

use std::collections::VecDeque;
use std::time::Instant;

use test_support::{Haproxy, Redis, Signal, UserPod, eventually};

use super::ForcedEnd;
use crate::BINARY;
use crate::last_metrics::LastMetrics;

const PODS: usize = 3;
/// The number of pods while one drains.
const SLOTS: usize = PODS + 1;

/// The running pods, the exited pods, the proxy in front and the store behind them.
#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) haproxy: Haproxy,
    redis: Redis,
    forced_end: ForcedEnd,
    /// Options of every pod.
    options: Vec<(String, String)>,
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
    metrics: LastMetrics,
}

/// A pod that has drained and exited.
#[derive(Debug)]
pub(super) struct Gone {
    pub(super) name: String,
    pub(super) terminated_at: Instant,
    /// Its last metrics page.
    pub(super) metrics: String,
    pub(super) drain_log: Vec<String>,
    log: Vec<String>,
}

impl Fleet {
    /// Starts all of it and waits until every pod gets connections.
    pub(super) async fn start(forced_end: ForcedEnd) -> Self {
        Self::start_with(forced_end, &[]).await
    }

    /// Does the same with these options of every pod.
    pub(super) async fn start_with(forced_end: ForcedEnd, options: &[(&str, &str)]) -> Self {
        let (haproxy, redis) = (Haproxy::with_slots(SLOTS).await, Redis::start().await);
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut fleet =
            Self { haproxy, redis, forced_end, options, running: VecDeque::new(), gone: Vec::new(), started: 0 };
        for slot in 0..PODS {
            fleet.start_pod(slot).await;
        }
        fleet
    }

    /// Diagnostics for a failure: the logs, and the sessions in Redis.
    pub(super) async fn state(&self) -> String {
        let mut state: Vec<String> = self.gone.iter().flat_map(|gone| gone.log.clone()).collect();
        state.extend(self.running.iter().flat_map(|running| running.pod.log()));
        state.push(self.redis.keys("lastcall:*").await.join(" "));
        for key in self.redis.keys("session:*").await {
            let fields: Vec<String> = self.redis.ask(&["HGETALL", &key]).await;
            state.push(format!("{key} {}", fields.join(" ")));
        }
        state.join("\n")
    }

    /// Waits until the pods hold this many sessions between them.
    pub(super) async fn wait_for_sessions(&self, count: usize) {
        eventually("every user's session", || async {
            let active = |running: &Running| running.metrics.value("active_sessions_total");
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
        // No user leaves before a release; the time after it is observed for a while.
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
        let more = self.options.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let options: Vec<_> = options.into_iter().chain(more).collect();
        let pod = UserPod::start(BINARY, &name, &options).await;
        eventually("a pod that is ready", || async { (pod.person().status("/ready").await == 200).then_some(()) })
            .await;
        self.haproxy.serve(slot, &pod.http).await;
        let metrics = LastMetrics::of(pod.url("/metrics"));
        self.running.push_back(Running { pod, name, slot, metrics });
    }

    /// Stops all pods but one at the same time.
    pub(super) async fn scale_down(&mut self) {
        let mut ending = Vec::new();
        while self.running.len() > 1 {
            ending.push(self.terminate_oldest().await);
        }
        for (pod, terminated_at) in ending {
            self.wait_for(pod, terminated_at).await;
        }
    }

    async fn stop_oldest(&mut self) {
        let (pod, terminated_at) = self.terminate_oldest().await;
        self.wait_for(pod, terminated_at).await;
    }

    /// Removes a pod from rotation and stops it at the same time, as Kubernetes does.
    async fn terminate_oldest(&mut self) -> (Running, Instant) {
        let oldest = self.running.pop_front().unwrap();
        self.haproxy.drain(oldest.slot).await;
        let terminated_at = Instant::now();
        oldest.pod.signal(Signal::SIGTERM);
        (oldest, terminated_at)
    }

    /// Waits until a pod has drained and exited.
    async fn wait_for(&mut self, mut ending: Running, terminated_at: Instant) {
        let status = ending.pod.wait().await;
        assert!(status.success(), "{}: {status}\n{}", ending.name, ending.pod.log().join("\n"));
        self.haproxy.free(ending.slot).await;
        let metrics = ending.metrics.last().await;
        self.gone.push(Gone {
            name: ending.name,
            terminated_at,
            metrics,
            drain_log: ending.pod.drain_log(),
            log: ending.pod.log(),
        });
    }
}
