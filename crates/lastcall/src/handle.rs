//! The handle that an app holds: its routes, its layer, its background work, and how the drain is waited for.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use futures_util::Stream;
use session_domain::lifecycle::Signal;

use crate::background::Background;
use crate::error::{AlreadyStarted, ServeError};
use crate::layers::LastcallLayer;
use crate::metrics::AppRecorder;
use crate::notices::Notices;
use crate::page_reports::PageWithoutNotice;
use crate::route_kind::RouteKind;
use crate::serve::{Listeners, serve};
use crate::service_state::ServiceState;
use crate::{routes, scrape};

/// Tracks the sessions of one app and drains them when the process is told to stop.
///
/// Cheap to clone: all clones are one handle. Handles in one process are independent. Keep one until [`finish`](Self::finish) has
/// completed: when the last clone is dropped, the background work and the event streams end at once. A future of
/// [`drained`](Self::drained) holds a clone; [`layer`](Self::layer) and [`routes`](Self::routes) hold none.
#[derive(Clone)]
pub struct Lastcall(Arc<Parts>);

/// What all clones of a handle share.
struct Parts {
    state: Arc<ServiceState>,
    untracked: Router,
    background: Background,
}

impl std::fmt::Debug for Lastcall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lastcall").field("config", &self.0.state.config).finish_non_exhaustive()
    }
}

impl Lastcall {
    pub(crate) fn new(state: Arc<ServiceState>, untracked: Router, background: Background) -> Self {
        Self(Arc::new(Parts { state, untracked, background }))
    }

    #[cfg(test)]
    pub(crate) fn state(&self) -> &Arc<ServiceState> {
        &self.0.state
    }

    /// Gives Lastcall's own routes, each behind [`layer`](Self::layer) where it concerns sessions: `/login`, `/logout`, `/session`,
    /// `/events`, `/tasks`, `/ws`, the scripts, the probes and `/metrics`. Merge them into the router of the app,
    /// before or after [`layer`](Self::layer) is put around it. An app with such a path of its own sets
    /// [`route_prefix`](crate::Builder::route_prefix).
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        self.0.state.routes_are_taken.store(true, Ordering::Relaxed);
        routes::all(&self.0.state)
    }

    /// Gives the layer that tracks sessions. A request that has passed it once passes it again untouched.
    ///
    /// Where [`trusted_proxies`](crate::Config::trusted_proxies) or [`trusted_user`](crate::Config::trusted_user) is set, requests
    /// have to carry the address of their peer: serve the app by `into_make_service_with_connect_info::<SocketAddr>()`. The paths of
    /// [`SessionScope::Tab`](crate::SessionScope::Tab) need [`serve`](Self::serve).
    pub fn layer(&self) -> LastcallLayer {
        LastcallLayer::new(Arc::clone(&self.0.state), RouteKind::App)
    }

    /// Starts the background work: the drain task, which listens to `signals`, and the upkeep of sessions and store. Needs a Tokio
    /// runtime.
    ///
    /// `signals` may go on after the first: [`SecondSignal`](crate::SecondSignal) defines the effect of a second signal.
    ///
    /// Call it before the listener accepts connections: before it neither the maintenance switch nor the store is read, and newcomers
    /// are admitted.
    ///
    /// # Errors
    /// Where the work was started before.
    pub fn start(&self, signals: impl Stream<Item = Signal> + Send + 'static) -> Result<(), AlreadyStarted> {
        self.0.background.start(&self.0.state, || signals)
    }

    /// Begins a drain without a signal, for a process that something else ends, such as a sidecar. Where one has begun, nothing changes.
    ///
    /// It is the drain of a signal in every respect but its end: the pod then goes on serving requests without a session, refuses newcomers and
    /// stays unready, until the first signal ends it at once. A signal in the middle takes the place of the one that would have
    /// begun the drain: the drain goes on, and its end is that of the process. [`drained`](Self::drained) completes in either case at that
    /// end. Where the background work was not started yet, the drain begins with it.
    pub fn begin_drain(&self) {
        self.0.state.drain_request.cancel();
    }

    /// Completes when the drain is over and the event streams have been told to end: the moment to stop the server. Completes as
    /// well where the background work has failed; [`finish`](Self::finish) says why.
    ///
    /// Where [`start`](Self::start) was not called before, the call starts the work with the signals of the process, or outside a
    /// Tokio runtime the first poll. Call it, or `start`, before the app says that it serves: before that a SIGTERM ends the
    /// process without a drain.
    pub fn drained(&self) -> impl Future<Output = ()> + Send + 'static {
        let handle = self.clone();
        if tokio::runtime::Handle::try_current().is_ok() {
            handle.0.background.start_with_process_signals(&handle.0.state);
        }
        async move {
            handle.0.background.start_with_process_signals(&handle.0.state);
            handle.0.background.over().await;
        }
    }

    /// Completes when a shutdown has begun that hands sessions off ([`Policy::handoff`](crate::Policy::handoff)): the moment at which a
    /// server of the app's own sends GOAWAY on its HTTP/2 connections, so that clients open new ones, which a proxy can lead to another
    /// pod. The server goes on accepting connections until [`drained`](Self::drained). Responses over HTTP/1 behind
    /// [`layer`](Self::layer) and those of [`routes`](Self::routes) carry `Connection: close` by themselves.
    ///
    /// Never completes in other shutdowns. Holds no clone of the handle, and starts nothing. [`serve`](Self::serve) does not need it.
    pub fn handing_off(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut lifecycle = self.0.state.lifecycle.subscribe();
        let has_handoff = self.0.state.config.policy.handoff.is_some();
        async move {
            let has_begun = lifecycle.wait_for(|lifecycle| lifecycle.phase().is_shutting_down()).await.is_ok();
            if !(has_handoff && has_begun) {
                std::future::pending().await
            }
        }
    }

    /// Ends the background work after the server has stopped: writes what the store has yet to get, and joins the tasks. A drain
    /// that is not over is abandoned; the resources of [`on_close`](crate::Builder::on_close) are closed all the same, each within its time limit.
    /// Concurrent calls all wait for the end.
    ///
    /// # Errors
    /// Where a part of the background work has failed. The first call to complete gets the error.
    ///
    /// # Cancel safety
    /// Cancel safe: dropped, the work goes on to its end, and another call waits for it.
    pub async fn finish(&self) -> Result<(), ServeError> {
        self.0.background.finish().await
    }

    /// Gives the notices of this pod, for an app's own jobs.
    pub fn notices(&self) -> Notices {
        Notices::new(Arc::clone(&self.0.state))
    }

    /// Gives a recorder for the app's own metrics: they come out of Lastcall's `/metrics`, with their descriptions.
    pub fn recorder(&self) -> AppRecorder {
        self.0.state.metrics.app_recorder(self.0.state.config.foreign_app)
    }

    /// Gives Lastcall's metrics, and those of the app that were recorded by [`recorder`](Self::recorder), in the text format of
    /// Prometheus: for a `/metrics` of the app.
    pub fn render_metrics(&self) -> String {
        scrape::render(&self.0.state)
    }

    /// Serves the routes of `app` and Lastcall's own until a signal has come and the drain that it begins is over: the bundled way,
    /// with time limits for request heads, bounded buffers, and an end under a deadline.
    ///
    /// # Errors
    /// Where the handle was started before, or a part of the service fails; requests cannot cause this.
    ///
    /// # Cancel safety
    /// Dropped, it closes every connection at once: no user is notified, and nothing is waited for.
    pub async fn serve(
        &self,
        app: Router,
        listeners: Listeners,
        signals: impl Stream<Item = Signal> + Send + 'static,
    ) -> Result<(), ServeError> {
        serve(&self.0.state, &self.0.background, self.0.untracked.clone(), app, listeners, signals).await
    }

    /// Whether the pod takes newcomers, as `/ready` answers: for a probe of the app's own. Not while it drains, is in maintenance, waits for
    /// its store or is nearly full.
    pub fn is_ready(&self) -> bool {
        self.0.state.readiness().is_ready()
    }

    /// Counts a page of a foreign app that a user sees without notice, where [`foreign_app`](crate::Config::foreign_app) is set.
    pub fn page_without_notice(&self, reason: PageWithoutNotice) {
        self.0.state.metrics.page_without_notice(reason);
    }

    /// The path of the script that brings the banner into a page: [`SCRIPT_PATH`](crate::SCRIPT_PATH) behind the prefix. For pages
    /// that are written without a [`Session`](crate::Session).
    pub fn script_path(&self) -> String {
        self.0.state.config.route_prefix.script_path()
    }

    /// The path of Lastcall's own routes, with a slash at its end: `/`, or the prefix. Where a session has the scope of a tab,
    /// [`Session::routes_path`](crate::Session::routes_path) is its own.
    pub fn routes_path(&self) -> String {
        self.0.state.config.route_prefix.below("/")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::StreamExt as _;
    use futures_util::stream::{iter, pending};
    use session_domain::PodName;
    use session_domain::lifecycle::HandoffPolicy;
    use tokio::time::timeout;

    use super::*;
    use crate::store::MemoryStore;

    #[tokio::test(start_paused = true)]
    async fn a_server_learns_of_a_handoff_at_the_signal_and_of_no_other_shutdown() {
        for handoff in [Some(HandoffPolicy::default()), None] {
            let builder = Lastcall::builder(PodName::new("a").unwrap()).config(|config| {
                config.policy.handoff = handoff;
                config.store = Some(Arc::new(MemoryStore::default()));
                config.shared_key = true;
            });
            let lastcall = builder.build();
            let soon = Duration::from_secs(10);
            assert!(timeout(soon, lastcall.handing_off()).await.is_err(), "before the signal");
            let handing_off = lastcall.handing_off();
            lastcall.start(iter([Signal::Term]).chain(pending())).unwrap();
            assert_eq!(timeout(soon, handing_off).await.is_ok(), handoff.is_some());
            lastcall.finish().await.unwrap();
        }
    }
}
