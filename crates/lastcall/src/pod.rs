//! Everything that the parts of one running service share. One value a service, never a global.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use session_domain::lifecycle::{Lifecycle, Readiness, Reason};
use session_domain::registry::{LiveSession, Registry};
use session_domain::{Counters, Outcome, PodReport, SessionId, SessionView, UserName};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Config;
use crate::cookie::SigningKeys;
use crate::metrics::Metrics;
use crate::notice::Broadcast;
use crate::page::Pages;
use crate::sharing::Sharing;
use crate::streams::{End, Streams};

pub(crate) type Sessions = Registry<Streams>;
pub(crate) type Live = Arc<LiveSession<Streams>>;

/// The shared heart of a service.
pub(crate) struct Pod {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) sessions: Arc<Sessions>,
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
    pub(crate) keys: ArcSwap<SigningKeys>,
    /// The pod's side of a shared store, where there is one.
    pub(crate) sharing: Option<Sharing>,
    pub(crate) pages: Box<dyn Pages>,
}

impl Pod {
    pub(crate) fn new(config: Config, pages: Box<dyn Pages>) -> Arc<Self> {
        let population_changed = Arc::new(Notify::new());
        let wake = Arc::clone(&population_changed);
        let sessions = Registry::new(config.pod.clone(), config.limits, move || wake.notify_one());
        let sharing = config.store.clone().map(|store| Sharing::new(store, config.shared_key));
        let sessions = if sharing.is_some() { sessions.shared() } else { sessions };
        Arc::new(Self {
            clock: Clock::start(),
            sessions: Arc::new(sessions),
            broadcast: watch::Sender::new(Arc::new(Broadcast::Quiet)),
            lifecycle: watch::Sender::new(Lifecycle::new(config.policy)),
            population_changed,
            streams_end: CancellationToken::new(),
            metrics: Metrics::new(&config.version),
            pages,
            keys: ArcSwap::from_pointee(config.keys.clone()),
            sharing,
            config,
        })
    }

    /// Ends the session and all that hangs on it. `None` where it had ended already.
    pub(crate) fn log_out(&self, session: &Live, automatic: bool) -> Option<Outcome> {
        let outcome = self.sessions.log_out(session, automatic)?;
        session.attachment().end(End::Logout);
        Some(outcome)
    }

    /// Names the user of a session, which gets another id. `false` where it has ended, or lives on another pod.
    pub(crate) fn sign_in(&self, session: &Live, id: SessionId, user: UserName) -> bool {
        let renamed = self.sessions.rename(session, id, user);
        if renamed {
            session.attachment().logged_in();
        }
        renamed
    }

    /// Waits until what was changed before is in the shared store, where there is one; not for long.
    pub(crate) async fn written(&self) {
        if let Some(sharing) = &self.sharing {
            sharing.written().await;
        }
    }

    pub(crate) fn begin_notice(&self, notice: &session_domain::lifecycle::Notice) {
        self.sessions.begin_notice(notice);
        self.broadcast.send_replace(Broadcast::running(*notice, self.config.auto_logout, self.clock.now()));
    }

    pub(crate) fn cancel_notice(&self, reason: Reason) {
        self.sessions.end_notice();
        self.broadcast.send_replace(Broadcast::cancelled(reason, self.clock.now()));
    }

    pub(crate) fn end_notice(&self) {
        self.sessions.end_notice();
        self.broadcast.send_replace(Arc::new(Broadcast::Quiet));
    }

    /// The session as others see it.
    pub(crate) fn view(&self, session: &Live) -> SessionView {
        let pod = session.home().unwrap_or(&self.config.pod);
        let present = self.sessions.is_present(session, self.clock.now());
        session.view(pod, self.sessions.is_told(session), present)
    }

    /// Whether the pod is ready, and if not, why: for `/ready` and for what the pod says of itself over gRPC alike.
    pub(crate) fn readiness(&self) -> Readiness {
        self.lifecycle.borrow().readiness()
    }

    /// Counts the sessions that are present. Walks them all.
    pub(crate) fn count_present(&self) -> u64 {
        self.sessions.census(self.clock.now()).population.present
    }

    /// What the pod says of itself; `present` are the sessions that are present.
    pub(crate) fn report(&self, present: u64, is_final: bool) -> PodReport {
        let lifecycle = *self.lifecycle.borrow();
        let totals = self.sessions.totals();
        PodReport {
            pod: self.config.pod.clone(),
            phase: lifecycle.phase(),
            started_at: self.clock.started(),
            drain_started_at: lifecycle.drain_started_at(),
            forced_logout_at: lifecycle.notice().map(|notice| notice.deadline),
            active_sessions: self.sessions.active(),
            present_sessions: Some(present),
            ready: Some(!is_final && self.readiness() == Readiness::Ready),
            revision: Arc::clone(&self.config.revision),
            version: self.config.version.clone(),
            counters: Counters {
                drain_notifications_sent: totals.told,
                graceful_logouts: totals.graceful,
                forced_logouts: totals.ended(Outcome::Forced),
                logins: totals.logins,
                websocket_connections: 0,
            },
            is_final,
        }
    }

    /// How often sessions that have outlived their time are looked for: often enough that none stays a tenth
    /// longer than it may.
    pub(crate) fn sweep_interval(&self) -> Duration {
        (self.config.limits.session_ttl / 10).clamp(Duration::from_millis(100), Duration::from_secs(5))
    }
}
