//! Everything that the parts of one running service share. One value a service, never a global.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use arc_swap::ArcSwap;
use http_support::{CloseAfterAnswer, SameOrigin};
use session_domain::lifecycle::{Lifecycle, Notice, NoticeScope, Readiness, Reason};
use session_domain::registry::AdmissionError;
use session_domain::{SessionId, Timestamp, UserName};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::clock::Clock;
use crate::config::{Config, StoreAtStart};
use crate::cookie::SessionCookie;
use crate::cross_site_posts::CrossSitePosts;
use crate::dependencies::Dependencies;
use crate::event_streams::EventStreams;
use crate::handoff::Handoff;
use crate::hooks::{Hooks, Login, SessionEnd};
use crate::metrics::{Metrics, MetricsOptions};
use crate::newcomers::NewcomerLimit;
use crate::notice::{Broadcast, Terms};
use crate::page::Pages;
use crate::sessions::{LiveSession, SessionRegistry, Sessions};
use crate::setup_faults::SetupFaults;
use crate::sharing::Sharing;
use crate::signing_keys::SigningKeys;
use crate::store_health::StoreHealth;
use crate::tasks::TaskEnds;
use crate::transfers::Transfers;

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
    /// Where the pod stands. Written by the drain task alone.
    pub(crate) lifecycle: watch::Sender<Lifecycle>,
    /// Wakes the drain task when sessions come, leave, or become present or absent.
    pub(crate) population_changed: Arc<Notify>,
    /// Cancelled when a drain is asked for without a signal.
    pub(crate) drain_request: CancellationToken,
    /// The dependencies that the app has named.
    pub(crate) dependencies: Dependencies,
    /// Cancelled when every stream has to end.
    pub(crate) streams_end: CancellationToken,
    /// What happens when a task ends.
    pub(crate) task_ends: Arc<TaskEnds>,
    /// The open WebSockets: the end of the service waits for their Close frames.
    pub(crate) websockets: TaskTracker,
    pub(crate) metrics: Metrics,
    /// Requests in flight whose bodies are large.
    pub(crate) transfers: Transfers,
    /// What the app is told of logins and ends.
    pub(crate) hooks: Arc<Hooks>,
    /// Whether the own routes were taken for a router of the app: they stand behind the layer already.
    pub(crate) routes_are_taken: AtomicBool,
    /// How the session cookie is read and written.
    pub(crate) cookie: SessionCookie,
    /// What signs the cookies now.
    pub(crate) keys: Arc<ArcSwap<SigningKeys>>,
    pub(crate) pages: Box<dyn Pages>,
    /// The paths to which other sites' pages may post.
    pub(crate) cross_site_posts: CrossSitePosts,
    /// Whose pages may change something here.
    pub(crate) same_origin: SameOrigin,
    pub(crate) setup_faults: SetupFaults,
    /// How many newcomers of one address are admitted, where that is limited.
    pub(crate) newcomers: Option<NewcomerLimit>,
    /// The sessions that were asked to move to other pods.
    pub(crate) handoff: Handoff,
    /// Closes connections after their next response, from the signal of a shutdown that hands sessions off.
    pub(crate) close_after_answer: CloseAfterAnswer,
}

/// Whether the pod takes newcomers, as `/ready` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PodReadiness {
    /// What the lifecycle says.
    Lifecycle(Readiness),
    /// The store is required and has not answered yet, or refuses the login.
    StoreNotReady,
    /// The app lacks something that it depends on.
    DependencyMissing,
    /// It holds nearly as many sessions as it may.
    Full,
}

impl PodReadiness {
    /// Whether the pod takes newcomers.
    pub(crate) const fn is_ready(self) -> bool {
        matches!(self, Self::Lifecycle(Readiness::Ready))
    }
}

impl ServiceState {
    pub(crate) fn new(
        config: Config,
        pages: Box<dyn Pages>,
        cross_site_posts: CrossSitePosts,
        hooks: Hooks,
        mut metrics: MetricsOptions,
        dependencies: Dependencies,
    ) -> Arc<Self> {
        metrics.counts_pages = config.foreign_app;
        let hooks = Arc::new(hooks);
        let population_changed = Arc::new(Notify::new());
        let wake = Arc::clone(&population_changed);
        let registry = SessionRegistry::new(config.pod.clone(), config.limits, move || wake.notify_one());
        let on_end = Arc::clone(&hooks);
        let registry = registry.with_end_observer(move |session, outcome| {
            on_end.end(&SessionEnd { session_id: session.id(), user: session.user(), outcome });
        });
        let registry = registry
            .with_protection_observer(|session| session.attachment().update_protected(|| session.is_protected()));
        let task_ends = Arc::new(TaskEnds::default());
        let (ends, leases) = (Arc::clone(&task_ends), Arc::clone(&task_ends));
        let registry = registry
            .with_task_observer(move |ended| ends.ended(ended))
            .with_lease_observer(move || leases.lease_advanced());
        let registry = if config.store.is_some() { registry.with_store() } else { registry };
        // Introspection begins to watch where it is served: elsewhere nothing would drain the changes.
        let registry = Arc::new(registry.without_watchers());
        let clock = Clock::start();
        let lifecycle = watch::Sender::new(Lifecycle::new(config.policy));
        let keys = Arc::new(ArcSwap::from_pointee(config.keys.clone()));
        let sharing = config.store.clone().map(|store| {
            let (registry, keys) = (Arc::clone(&registry), Arc::clone(&keys));
            Arc::new(Sharing::new(&config, store, registry, clock, lifecycle.subscribe(), keys))
        });
        if let Some(sharing) = &sharing {
            task_ends.share(sharing);
        }
        Arc::new(Self {
            clock,
            sessions: Sessions::new(Arc::clone(&registry), sharing, clock),
            registry,
            broadcast: watch::Sender::new(Arc::new(Broadcast::Quiet)),
            lifecycle,
            population_changed,
            drain_request: CancellationToken::new(),
            dependencies,
            streams_end: CancellationToken::new(),
            task_ends,
            websockets: TaskTracker::new(),
            metrics: Metrics::new(&config.version, Arc::clone(&config.dropped_log_lines), metrics),
            pages,
            cross_site_posts,
            transfers: Transfers::default(),
            hooks,
            routes_are_taken: AtomicBool::new(false),
            cookie: SessionCookie::new(&config),
            same_origin: SameOrigin::new(config.allowed_origins.clone(), config.believed_proxies().is_some()),
            setup_faults: SetupFaults::default(),
            newcomers: config.newcomers_per_minute.map(NewcomerLimit::new),
            handoff: Handoff::default(),
            close_after_answer: CloseAfterAnswer::default(),
            keys,
            config,
        })
    }

    /// Starts a session.
    ///
    /// # Errors
    /// Where none is admitted now.
    pub(crate) fn start_session(&self, user: UserName) -> Result<LiveSession, AdmissionError> {
        let id = SessionId::from_uuid(Uuid::new_v4());
        let session = self.registry.start(id, user, EventStreams::default(), self.clock.now())?;
        self.hooks.login(&Login {
            session_id: session.id(),
            replaces: None,
            user: session.user(),
            login_time: session.login_time(),
        });
        Ok(session)
    }

    /// Whether a newcomer would be admitted now.
    pub(crate) fn admits_newcomers(&self) -> bool {
        self.registry.admits_newcomers() && !self.registry.is_full()
    }

    /// How the store is; `None` where the pod has none.
    pub(crate) fn store_health(&self) -> Option<StoreHealth> {
        self.sessions.sharing().map(|sharing| sharing.health())
    }

    /// Whether the pod takes newcomers: for `/ready` and for what the pod says of itself over gRPC alike.
    pub(crate) fn readiness(&self) -> PodReadiness {
        // While another pod can take its sessions, a pod that finishes their work is out of rotation as well.
        let readiness =
            if self.is_moving_sessions() { Readiness::ShuttingDown } else { self.lifecycle.borrow().readiness() };
        if readiness == Readiness::Ready && self.lacks_store() {
            return PodReadiness::StoreNotReady;
        }
        if readiness == Readiness::Ready && !self.dependencies.are_there() {
            return PodReadiness::DependencyMissing;
        }
        if readiness == Readiness::Ready && self.registry.is_nearly_full() {
            return PodReadiness::Full;
        }
        PodReadiness::Lifecycle(readiness)
    }

    fn lacks_store(&self) -> bool {
        let Some(sharing) = self.sessions.sharing() else { return false };
        let health = sharing.health();
        // Required, it has to have taken a write once.
        let is_awaited = self.config.store_at_start == StoreAtStart::Required && !sharing.was_writable();
        !health.is_writable() && (is_awaited || matches!(health, StoreHealth::LoginRefused { had_contact: false }))
    }

    /// Whether the pod drains, or has drained, to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        self.lifecycle.borrow().phase().is_shutting_down()
    }

    /// What happens to a session at the end of a countdown. `is_handoff`: that of a shutdown in which sessions move to other pods.
    pub(crate) fn terms(&self, reason: Reason, is_handoff: bool) -> Terms {
        Terms::of(&self.config, reason, is_handoff, self.store_health())
    }

    /// Shows a notice to every session.
    pub(crate) fn begin_notice(&self, notice: &Notice) {
        self.show_notice(notice, NoticeScope::All);
    }

    fn show_notice(&self, notice: &Notice, scope: NoticeScope) {
        let terms = self.terms(notice.reason, notice.is_handoff);
        self.registry.begin_notice(notice);
        self.broadcast.send_replace(Broadcast::running(*notice, scope, terms, self.clock.now()));
    }

    /// Shows the notice of a handoff to the sessions that were asked at or before `until` and are still here at `now`. Returns their number.
    pub(crate) fn notify_staying(&self, notice: &Notice, until: Timestamp, now: Timestamp) -> usize {
        if self.broadcast.borrow().running_notice().is_none() {
            self.show_notice(notice, NoticeScope::Staying);
        }
        let staying = self.registry.take_staying(until, now);
        staying.iter().for_each(|session| session.attachment().mark_staying());
        staying.len()
    }

    /// The store's health has changed: what happens at the end of a countdown may be another thing now.
    pub(crate) fn renew_terms(&self) {
        let running = self.broadcast.borrow().running_notice();
        if let Some((notice, scope, terms)) = running
            && terms != self.terms(notice.reason, notice.is_handoff)
        {
            self.show_notice(&notice, scope);
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

    /// Whether the pods have not agreed on a signing key yet, so that no cookie of another pod can be verified.
    pub(crate) fn keys_are_provisional(&self) -> bool {
        self.sessions.sharing().is_some_and(|sharing| sharing.keys_are_provisional())
    }

    /// Counts, and logs once an outage of the store, that a request goes to the app without its session.
    pub(crate) fn record_unresolved(&self) {
        self.metrics.request_unresolved();
        self.sessions.sharing().into_iter().for_each(|sharing| sharing.record_unresolved());
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
