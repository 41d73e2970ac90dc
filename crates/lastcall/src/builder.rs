//! What a handle is made of: settings, pages, routes outside of tracking, the maintenance switch.

use std::time::Duration;

use axum::Router;
use http::HeaderValue;
use metrics::Recorder;
use session_domain::PodName;
use tokio::sync::watch;

use crate::background::Background;
use crate::closers::{CloseResult, Closer, Closers};
use crate::config::Config;
use crate::cookie_name::CookieName;
use crate::cross_site_posts::CrossSitePosts;
use crate::dependencies::Dependencies;
use crate::handle::Lastcall;
use crate::hooks::{Hooks, Login, SessionEnd};
use crate::metrics::MetricsOptions;
use crate::page::{Pages, PlainPages};
use crate::route_prefix::RoutePrefix;
use crate::service_state::ServiceState;
use crate::setup_faults::SetupFaults;
use crate::sharing;

/// The machine ends the closing this long after the last timeout, if the closers have not ended by then.
const CLOSE_MARGIN: Duration = Duration::from_millis(500);

/// Makes a [`Lastcall`].
#[must_use = "a handle is made by `build`"]
pub struct Builder {
    config: Config,
    pages: Option<Box<dyn Pages>>,
    untracked: Router,
    switch: watch::Receiver<bool>,
    cross_site_posts: CrossSitePosts,
    metrics: MetricsOptions,
    hooks: Hooks,
    closers: Closers,
    dependencies: Dependencies,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Lastcall {
    /// Begins a handle for the pod of this name, with the defaults of [`Config`].
    pub fn builder(pod: PodName) -> Builder {
        Builder::new(pod)
    }
}

impl Builder {
    fn new(pod: PodName) -> Self {
        // Without a sender the switch stays off.
        let (_, switch) = watch::channel(false);
        Self {
            config: Config::new(pod),
            pages: None,
            untracked: Router::new(),
            switch,
            cross_site_posts: CrossSitePosts::default(),
            metrics: MetricsOptions::default(),
            hooks: Hooks::default(),
            closers: Closers::default(),
            dependencies: Dependencies::default(),
        }
    }

    /// Replaces all settings, the name of the pod included.
    pub fn with_config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Changes settings.
    pub fn config(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Sets the time from the notice to the forced end: [`Policy::drain_timeout`](crate::Policy::drain_timeout).
    pub fn drain_timeout(self, timeout: Duration) -> Self {
        self.config(|config| config.policy.drain_timeout = timeout)
    }

    /// Sets the design of the pages that Lastcall shows.
    pub fn pages(mut self, pages: impl Pages) -> Self {
        self.pages = Some(Box::new(pages));
        self
    }

    /// Adds routes that answer every caller and touch no session: style sheets, scripts, pictures. For
    /// [`serve`](Lastcall::serve) only; elsewhere, merge such routes outside of [`layer`](Lastcall::layer).
    pub fn untracked(mut self, routes: Router) -> Self {
        self.untracked = self.untracked.merge(routes);
        self
    }

    /// Follows a maintenance switch. While it is on (`true`), all users are notified and counted down, newcomers get the
    /// maintenance page, and the remaining sessions end with the countdown. Off again, the pod serves as before. Only
    /// the current position matters, not the number of changes. If the sender is dropped, the last position holds.
    pub fn maintenance(mut self, switch: watch::Receiver<bool>) -> Self {
        self.switch = switch;
        self
    }

    /// Lets forms of other sites post to these paths of the app, each written out like `/acs`: answers of identity providers (OIDC
    /// `form_post`, SAML) and returns from a payment.
    ///
    /// Such a post comes without the session's cookie, and is handed to the app without a session: it starts none, leaves the one
    /// that the browser has alone, and is served during a drain as well. [`Session`](crate::Session) answers it with 401; a
    /// handler that knows who the user is takes [`SignIn`](crate::SignIn), or redirects to a page by `303`, where the cookie
    /// is back. That the post is not forged is the handler's to verify (`state`, `RelayState`, signatures). Posts of our own pages
    /// to the same paths are served as ever. Lastcall's own routes take no posts of other sites.
    pub fn cross_site_posts(mut self, paths: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.cross_site_posts = self.cross_site_posts.with(paths);
        self
    }

    /// Records Lastcall's metrics into a recorder of the app as well, under the same names, with descriptions.
    ///
    /// Histograms are recorded at once. All other values are set once a second while the background work runs, at every scrape of
    /// Lastcall's own exporter, and when the background work ends. One recorder takes the metrics of one handle: the names have no
    /// label that tells two apart.
    pub fn metrics_recorder(mut self, recorder: impl Recorder + Send + Sync + 'static) -> Self {
        self.metrics.recorder = Some(Box::new(recorder));
        self
    }

    /// Sets the upper bounds of the buckets of a histogram that the app records into [`Lastcall::recorder`]. Without them it comes out
    /// as a summary. An empty list changes nothing.
    pub fn histogram_buckets(mut self, name: impl Into<String>, bounds: impl IntoIterator<Item = f64>) -> Self {
        self.metrics.buckets.push((name.into(), bounds.into_iter().collect()));
        self
    }

    /// Sets the path in front of Lastcall's own routes that browsers use, for an app with a `/login` or `/events` of its own:
    /// [`Config::route_prefix`].
    pub fn route_prefix(self, prefix: RoutePrefix) -> Self {
        self.config(|config| config.route_prefix = prefix)
    }

    /// Declares that the app is not built on this library: a proxy behind [`layer`](Lastcall::layer) passes requests on, and takes the
    /// [`ForeignRequest`](crate::ForeignRequest) out of each.
    ///
    /// The app has its own rules for requests of other sites and for ended sessions: those of Lastcall, 403 and 409, hold for its own
    /// routes only. A request whose session is unknown, or whose id was replaced, goes to the app without a session. Only a `GET`
    /// that opens a page in a tab or window starts a session. Series under `lastcall_upstream_` and `lastcall_pages_` may be recorded by
    /// [`Lastcall::recorder`].
    pub fn foreign_app(self) -> Self {
        self.config(|config| config.foreign_app = true)
    }

    /// Sets the path of the app's own logout. After a click on `Logout Now` the page posts there by a form, with the tokens against forged
    /// requests that it has in its forms, so that one click leaves both. After an automatic logout it does not: the user of the app stays
    /// signed in there, and goes on at another pod.
    pub fn logout_redirect(self, path: HeaderValue) -> Self {
        self.config(|config| config.logout_redirect = Some(path))
    }

    /// Sets the name of the session cookie: [`Config::session_cookie`].
    pub fn session_cookie(self, name: CookieName) -> Self {
        self.config(|config| config.session_cookie = name)
    }

    /// Leaves `/login` to the app, where this is `false`: [`Session::sign_in`](crate::Session::sign_in) names the user.
    pub fn login_route(self, is_own: bool) -> Self {
        self.config(|config| config.login_route = is_own)
    }

    /// Leaves `/metrics` to the app, where this is `false`: [`Lastcall::render_metrics`] gives the numbers.
    pub fn metrics_route(self, is_own: bool) -> Self {
        self.config(|config| config.metrics_route = is_own)
    }

    /// Leaves `/health`, `/healthz`, `/ready` and `/readyz` to the app, where this is `false`: [`Lastcall::is_ready`] says what `/ready`
    /// would.
    pub fn probes_route(self, is_own: bool) -> Self {
        self.config(|config| config.probes_route = is_own)
    }

    /// Makes the pod unready while something that the app depends on is missing: while `is_there` holds `false`, `/ready` answers 503 with
    /// `"{name}":false`, [`is_ready`](Lastcall::is_ready) is `false`, and the admin tier shows the pod as not ready. Sessions and newcomers
    /// are served all the same. Several names are answered for together; the same name replaces the earlier one.
    ///
    /// It is for what this pod alone lacks, such as a process beside it or a cache that is still being filled. A database that all pods share
    /// is none: all of them would leave the Service at once, and nobody would get even an error page. If the sender is dropped, the last
    /// value holds.
    ///
    /// ```
    /// # use lastcall::{Lastcall, PodName};
    /// # let pod = PodName::new("pod-1").unwrap();
    /// let (warm, is_warm) = tokio::sync::watch::channel(false);
    /// let lastcall = Lastcall::builder(pod).readiness_of("cache", is_warm).build();
    /// assert!(!lastcall.is_ready());
    /// warm.send_replace(true);
    /// assert!(lastcall.is_ready());
    /// ```
    pub fn readiness_of(mut self, name: impl Into<String>, is_there: watch::Receiver<bool>) -> Self {
        self.dependencies.add(name.into(), is_there);
        self
    }

    /// Calls `hook` at each [`Login`] on this pod. It runs in the middle of a request: it must not block, and
    /// must not use a [`Session`](crate::Session). A panic in it is logged and changes nothing.
    pub fn on_login(mut self, hook: impl Fn(&Login) + Send + Sync + 'static) -> Self {
        self.hooks.on_login.push(Box::new(hook));
        self
    }

    /// Calls `hook` once for each session that ends on this pod, whatever ends it. It runs inside of a request or of the drain: it
    /// must not block, and must not use a [`Session`](crate::Session). A panic in it is logged, and the session has ended all the same.
    pub fn on_end(mut self, hook: impl Fn(&SessionEnd) + Send + Sync + 'static) -> Self {
        self.hooks.on_end.push(Box::new(hook));
        self
    }

    /// Registers a resource that is closed at the end of the drain, when the propagation is over and no request is expected any more: a
    /// database pool, a queue. The log names it: `[GRACEFUL SHUTDOWN] Closing database (up to 10s)...`
    ///
    /// Resources are closed one after another, in reverse order of registration. A `timeout` is at most 24 h. If the future fails,
    /// panics or does not end within its `timeout`, an error is logged and the next resource is closed all the same. The process still exits with
    /// status 0. A further signal ends the wait, where [`SecondSignal`](crate::SecondSignal) allows it.
    ///
    /// It happens before [`drained`](Lastcall::drained) completes: the server is still there, also one of the app's own. A request that
    /// arrives that late finds the resource closed. Where the app calls [`finish`](Lastcall::finish) without a drain, resources are closed
    /// then. They are not closed where the handle is dropped or the service fails.
    ///
    /// The future runs on a thread of its own, within the runtime of the app, so that it may block. The grace period of the pod has to cover
    /// the sum of all timeouts: `drain_timeout` + `task_grace` + `propagation_wait` + these + [`CLOSING_TIME`](crate::CLOSING_TIME).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use lastcall::{Lastcall, PodName};
    /// # struct Pool;
    /// # impl Pool { async fn close(&self) -> std::io::Result<()> { Ok(()) } }
    /// # let pool = Pool;
    /// # let pod = PodName::new("pod-1").unwrap();
    /// let lastcall = Lastcall::builder(pod)
    ///     .on_close("database", Duration::from_secs(10), async move { pool.close().await })
    ///     .build();
    /// ```
    pub fn on_close<T: CloseResult>(
        mut self,
        name: impl AsRef<str>,
        timeout: Duration,
        close: impl Future<Output = T> + Send + 'static,
    ) -> Self {
        self.closers.push(Closer::new(name.as_ref(), timeout, close));
        self
    }

    /// Makes the handle. Starts nothing. The [`close_timeout`](crate::Policy::close_timeout) of the policy is that of the resources which
    /// [`on_close`](Self::on_close) registered.
    pub fn build(mut self) -> Lastcall {
        let has_closers = !self.closers.is_empty();
        self.config.policy.close_timeout =
            has_closers.then(|| self.closers.timeout() + sharing::CLOSE_TIMEOUT + CLOSE_MARGIN);
        SetupFaults::check_handoff(&mut self.config);
        let pages = self.pages.unwrap_or_else(|| Box::new(PlainPages::new(self.config.route_prefix.clone())));
        let state =
            ServiceState::new(self.config, pages, self.cross_site_posts, self.hooks, self.metrics, self.dependencies);
        state.setup_faults.check_waits(&state.config, self.closers.timeout());
        if has_closers && let Some(sharing) = state.sessions.sharing() {
            self.closers.insert_first(sharing::closer(sharing));
        }
        Lastcall::new(state, self.untracked, Background::new(self.switch, self.closers))
    }
}
