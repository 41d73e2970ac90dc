//! Everything that the parts of one running service share. One value a service, never a global.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use http_support::SameOrigin;
use session_domain::lifecycle::{Lifecycle, Notice, Readiness, Reason};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::{Config, StoreAtStart};
use crate::cookie::SigningKeys;
use crate::cross_site_posts::CrossSitePosts;
use crate::metrics::{Metrics, MetricsOptions};
use crate::notice::{Broadcast, Terms};
use crate::page::Pages;
use crate::sessions::{SessionRegistry, Sessions};
use crate::sharing::Sharing;
use crate::store_health::StoreHealth;

/// The shared heart of a service.
pub(crate) struct ServiceState {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    /// The sessions that this pod holds.
    pub(crate) registry: Arc<SessionRegistry>,
    /// The sessions that this pod knows, wherever they live.
    pub(crate) sessions: Sessions,
    /// What every stream is to show now.
    pub(crate) broadcast: watch::Sender<Arc<Broadcast>>,
    /// Where the pod stands. Written by the driver alone.
    pub(crate) lifecycle: watch::Sender<Lifecycle>,
    /// Wakes the driver when sessions come, leave, or become present or absent.
    pub(crate) population_changed: Arc<Notify>,
    /// Cancelled when every stream has to end.
    pub(crate) streams_end: CancellationToken,
    pub(crate) metrics: Metrics,
    /// What signs the cookies now.
    pub(crate) keys: Arc<ArcSwap<SigningKeys>>,
    pub(crate) pages: Box<dyn Pages>,
    /// The paths to which other sites' pages may post.
    pub(crate) cross_site_posts: CrossSitePosts,
    /// Whose pages may change something here.
    pub(crate) same_origin: SameOrigin,
    /// Whether it holds so many sessions that newcomers had better go elsewhere.
    is_full: AtomicBool,
    /// Whether the store has been written once: until then a pod that requires it is not ready.
    store_was_healthy: AtomicBool,
}

/// Whether the pod takes newcomers, as `/ready` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PodReadiness {
    /// What the lifecycle says.
    Lifecycle(Readiness),
    /// The store is required and has not answered yet, or refuses the login.
    StoreNotReady,
    /// It holds nearly as many sessions as it may.
    Full,
}

impl ServiceState {
    pub(crate) fn new(
        config: Config,
        pages: Box<dyn Pages>,
        cross_site_posts: CrossSitePosts,
        metrics: MetricsOptions,
    ) -> Arc<Self> {
        let population_changed = Arc::new(Notify::new());
        let wake = Arc::clone(&population_changed);
        let registry = SessionRegistry::new(config.pod.clone(), config.limits, move || wake.notify_one());
        let registry = if config.store.is_some() { registry.with_store() } else { registry };
        let registry = Arc::new(if cfg!(feature = "introspection") { registry } else { registry.without_watchers() });
        let clock = Clock::start();
        let lifecycle = watch::Sender::new(Lifecycle::new(config.policy));
        let keys = Arc::new(ArcSwap::from_pointee(config.keys.clone()));
        let sharing = config.store.clone().map(|store| {
            let (registry, keys) = (Arc::clone(&registry), Arc::clone(&keys));
            Arc::new(Sharing::new(&config, store, registry, clock, lifecycle.subscribe(), keys))
        });
        Arc::new(Self {
            clock,
            sessions: Sessions::new(Arc::clone(&registry), sharing, clock),
            registry,
            broadcast: watch::Sender::new(Arc::new(Broadcast::Quiet)),
            lifecycle,
            population_changed,
            streams_end: CancellationToken::new(),
            metrics: Metrics::new(&config.version, Arc::clone(&config.dropped_log_lines), metrics),
            pages,
            cross_site_posts,
            same_origin: SameOrigin::new(config.allowed_origins.clone(), config.believed_proxies().is_some()),
            keys,
            config,
            is_full: AtomicBool::new(false),
            store_was_healthy: AtomicBool::new(false),
        })
    }

    /// How the store is; `None` where the pod has none.
    pub(crate) fn store_health(&self) -> Option<StoreHealth> {
        self.sessions.sharing().map(|sharing| sharing.health())
    }

    /// Whether the pod takes newcomers: for `/ready` and for what the pod says of itself over gRPC alike.
    pub(crate) fn readiness(&self) -> PodReadiness {
        let readiness = self.lifecycle.borrow().readiness();
        if readiness == Readiness::Ready && self.lacks_store() {
            return PodReadiness::StoreNotReady;
        }
        if readiness == Readiness::Ready && self.is_full() {
            return PodReadiness::Full;
        }
        PodReadiness::Lifecycle(readiness)
    }

    /// From 95 % of `MAX_SESSIONS` until below 90 %, so that a pod at the limit does not come and go.
    fn is_full(&self) -> bool {
        let (active, max) = (self.registry.active(), self.config.limits.max_sessions);
        if active.saturating_mul(100) >= max.saturating_mul(95) {
            self.is_full.store(true, Ordering::Relaxed);
        } else if active.saturating_mul(100) < max.saturating_mul(90) {
            self.is_full.store(false, Ordering::Relaxed);
        }
        self.is_full.load(Ordering::Relaxed)
    }

    fn lacks_store(&self) -> bool {
        let Some(health) = self.store_health() else { return false };
        if health.is_writable() {
            self.store_was_healthy.store(true, Ordering::Relaxed);
            return false;
        }
        let was_healthy = self.store_was_healthy.load(Ordering::Relaxed);
        matches!(health, StoreHealth::LoginRefused { had_contact: false })
            || (self.config.store_at_start == StoreAtStart::Required && !was_healthy)
    }

    /// What happens to a session at the end of a countdown.
    pub(crate) fn terms(&self, reason: Reason) -> Terms {
        Terms::of(&self.config, reason, self.store_health())
    }

    pub(crate) fn begin_notice(&self, notice: &Notice) {
        self.registry.begin_notice(notice);
        self.broadcast.send_replace(Broadcast::running(*notice, self.terms(notice.reason), self.clock.now()));
    }

    /// The store's health has changed: what happens at the end of a countdown may be another thing now.
    pub(crate) fn renew_terms(&self) {
        let running = self.broadcast.borrow().notice().map(|(notice, terms)| (*notice, terms));
        if let Some((notice, terms)) = running
            && terms != self.terms(notice.reason)
        {
            self.begin_notice(&notice);
        }
    }

    pub(crate) fn cancel_notice(&self, reason: Reason) {
        self.registry.end_notice();
        self.broadcast.send_replace(Broadcast::cancelled(reason, self.clock.now()));
    }

    pub(crate) fn end_notice(&self) {
        self.registry.end_notice();
        self.broadcast.send_replace(Arc::new(Broadcast::Quiet));
    }

    /// Counts the sessions that are present. Walks them all.
    pub(crate) fn count_present(&self) -> u64 {
        self.registry.census(self.clock.now()).population.present
    }

    /// How often expired sessions are looked for: often enough that none stays a tenth
    /// longer than it may.
    pub(crate) fn sweep_interval(&self) -> Duration {
        (self.config.limits.session_ttl / 10).clamp(Duration::from_millis(100), Duration::from_secs(5))
    }
}
