//! A pod in this process, as a test starts, asks and kills it.

use std::sync::Arc;
use std::time::Duration;

use session_domain::lifecycle::Signal;
use session_domain::registry::PresenceKind;
use session_domain::shared::Purpose;
use session_domain::{PodName, SessionId};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::cross_site_posts::CrossSitePosts;
use crate::dependencies::Dependencies;
use crate::drain::DrainTask;
use crate::hooks::Hooks;
use crate::metrics::MetricsOptions;
use crate::page::PlainPages;
use crate::presence::PresenceGuard;
use crate::service_state::ServiceState;
use crate::sessions::outcome::SessionLookup;
use crate::sessions::served::ServedSession;
use crate::store::{MemoryStore, SessionStore};
use crate::{sharing, sweep, tasks as pod_tasks};

/// A pod with its tasks, as the bundled server runs it, without listeners.
pub(super) struct RunningPod {
    pub(super) pod: Arc<ServiceState>,
    pub(super) tasks: JoinSet<()>,
    pub(super) signal: Option<mpsc::UnboundedSender<Signal>>,
    pub(super) stop: CancellationToken,
}

pub(super) async fn start(store: &Arc<MemoryStore>, name: &str) -> RunningPod {
    start_with(Arc::clone(store) as Arc<dyn SessionStore>, name, Duration::from_secs(3_600)).await
}

pub(super) async fn start_with(store: Arc<dyn SessionStore>, name: &str, session_ttl: Duration) -> RunningPod {
    start_configured(store, name, |config| config.limits.session_ttl = session_ttl).await
}

pub(super) async fn start_configured(
    store: Arc<dyn SessionStore>,
    name: &str,
    configure: impl FnOnce(&mut Config),
) -> RunningPod {
    let running = start_unprobed(store, name, configure).await;
    running.pod.sessions.sharing().unwrap().mark_ready();
    running
}

/// The same for a pod whose `/ready` nobody asks.
pub(super) async fn start_unprobed(
    store: Arc<dyn SessionStore>,
    name: &str,
    configure: impl FnOnce(&mut Config),
) -> RunningPod {
    let mut config = Config::new(PodName::new(name).unwrap());
    config.store = Some(store);
    config.policy.drain_timeout = Duration::from_secs(20);
    config.policy.propagation_wait = Duration::from_secs(2);
    config.policy.task_grace = Duration::from_secs(30);
    configure(&mut config);
    let pod = ServiceState::new(
        config,
        Box::new(PlainPages::default()),
        CrossSitePosts::default(),
        Hooks::default(),
        MetricsOptions::default(),
        Dependencies::default(),
    );
    // Tests read what ended and how.
    pod.registry.begin_watching();
    let stop = CancellationToken::new();
    let mut tasks = sharing::start(pod.sessions.sharing().unwrap(), &stop).await;
    pod.sessions.sharing().unwrap().mark_started();
    let (signal, signals) = mpsc::unbounded_channel();
    let signals = futures_util::stream::unfold(signals, |mut signals| async {
        signals.recv().await.map(|signal| (signal, signals))
    });
    let mut drain = DrainTask::start(Arc::clone(&pod), watch::channel(false).1).await;
    tasks.spawn(async move { drain.run(signals).await });
    tasks.spawn(sweep::run(Arc::clone(&pod), stop.clone()));
    tasks.spawn(pod_tasks::lapse(Arc::clone(&pod), stop.clone()));
    RunningPod { pod, tasks, signal: Some(signal), stop }
}

impl RunningPod {
    pub(super) fn is_alive(&self) -> bool {
        !self.tasks.is_empty()
    }

    /// As SIGKILL does: nothing more is written, and the lease runs out.
    pub(super) async fn kill(&mut self) {
        self.tasks.shutdown().await;
    }

    pub(super) fn walked(&self) -> Vec<SessionId> {
        let mut ids = Vec::new();
        self.pod.registry.walk(|session| ids.push(session.id()));
        ids
    }

    pub(super) fn assert_ledger_balances(&self) {
        let totals = self.pod.registry.totals();
        let walked = u64::try_from(self.walked().len()).unwrap();
        assert_eq!(totals.logins + totals.adopted, walked + totals.total_ended(), "{}", self.pod.config.pod);
        assert_eq!(self.pod.registry.active(), walked);
    }

    /// A request with the cookie of `id`; `None` where this pod knows of no such session, or cannot look it up.
    pub(super) async fn request(
        &self,
        id: SessionId,
        streaming: bool,
    ) -> Option<(ServedSession, Option<PresenceGuard>)> {
        let purpose = if streaming { Purpose::Stream } else { Purpose::Request };
        let SessionLookup::Found(session) = self.pod.sessions.find(id, purpose).await else { return None };
        let kind = if streaming { PresenceKind::EventStream } else { PresenceKind::Request };
        let guard = PresenceGuard::of(&self.pod, &session, kind);
        if streaming {
            self.pod.sessions.flush().await;
        }
        Some((session, guard))
    }
}
