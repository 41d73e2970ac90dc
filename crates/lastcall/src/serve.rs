//! The bundled way to serve: the app and Lastcall's own routes on listeners of the caller's, with bounded buffers, time limits, and
//! an end under a deadline.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::Stream;
use http_support::{ConnectionSettings, Connections};
use session_domain::lifecycle::Signal;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::background::Background;
use crate::error::ServeError;
#[cfg(feature = "introspection")]
use crate::introspection;
use crate::routes::OnHttp;
use crate::service_state::ServiceState;
use crate::{routes, sharing};

/// What closing may take at the end: streams, connections and watchers together.
pub const CLOSING_TIME: Duration = Duration::from_secs(5);

/// Where a service listens. Bound by the caller, so that it knows the ports and reports those in use.
#[derive(Debug)]
#[non_exhaustive]
pub struct Listeners {
    /// Pages, events and probes.
    pub http: TcpListener,
    /// Introspection; none: it is not served.
    #[cfg(feature = "introspection")]
    pub grpc: Option<TcpListener>,
    /// Metrics; none: they are served on `http`, unless `probes` has them.
    pub metrics: Option<TcpListener>,
    /// Probes, and what the processes of the pod ask for; none: the probes are served on `http`, and the rest is not.
    pub probes: Option<ProbeListener>,
}

/// Where probes are served, with what belongs to the pod itself: `/wait-for-drain` for any client; `/drain` and `/tasks` for processes on this
/// machine, with JSON, from the loopback address.
#[derive(Debug)]
pub struct ProbeListener {
    listener: Option<TcpListener>,
    has_metrics: bool,
}

impl ProbeListener {
    /// A listener of its own. The app keeps the paths of the probes on `http`.
    pub const fn new(listener: TcpListener) -> Self {
        Self { listener: Some(listener), has_metrics: false }
    }

    /// The listener of pages. `/tasks` is that of the browsers there, where no [`route_prefix`](crate::Builder::route_prefix) is set.
    pub const fn on_http() -> Self {
        Self { listener: None, has_metrics: false }
    }

    /// Serves the metrics there as well.
    #[must_use]
    pub fn with_metrics(self) -> Self {
        Self { has_metrics: true, ..self }
    }

    /// The listener; none: that of pages.
    pub const fn listener(&self) -> Option<&TcpListener> {
        self.listener.as_ref()
    }
}

impl Listeners {
    /// Pages, events, probes and metrics on one listener, and no introspection.
    pub const fn http(http: TcpListener) -> Self {
        Self {
            http,
            #[cfg(feature = "introspection")]
            grpc: None,
            metrics: None,
            probes: None,
        }
    }
}

/// Ends the background work where serving is given up.
struct AbortOnDrop<'a>(&'a Background);

impl Drop for AbortOnDrop<'_> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(crate) async fn serve(
    state: &Arc<ServiceState>,
    background: &Background,
    untracked: Router,
    app: Router,
    listeners: Listeners,
    signals: impl Stream<Item = Signal> + Send + 'static,
) -> Result<(), ServeError> {
    background.start(state, || signals)?;
    let _abort = AbortOnDrop(background);
    let has_control = listeners.probes.is_some();
    let (probes, has_metrics) = match listeners.probes {
        Some(ProbeListener { listener: Some(listener), has_metrics }) => (Some((listener, has_metrics)), has_metrics),
        Some(ProbeListener { listener: None, .. }) | None => (None, false),
    };
    let on_http = OnHttp {
        metrics: listeners.metrics.is_none() && !has_metrics,
        probes: probes.is_none(),
        control: probes.is_none() && has_control,
    };
    let settings = ConnectionSettings::new(state.config.heartbeat_interval)
        .with_keep_alive(state.config.keep_alive_timeout)
        .with_peer_address(state.config.believed_proxies().is_some() || state.config.foreign_app || on_http.control)
        .with_connection_handle(state.config.store.is_some())
        .with_close_after_answer(state.close_after_answer.clone());
    let connections = Connections::within_open_files();
    let stop = CancellationToken::new();
    let routes = routes::bundled(state, untracked, app, on_http);

    background.ready().await;
    let mut parts = JoinSet::new();
    parts.spawn(http_support::serve(listeners.http, routes, stop.clone(), settings.clone(), connections.clone()));
    if let Some(listener) = listeners.metrics {
        let metrics = routes::metrics(state);
        parts.spawn(http_support::serve(listener, metrics, stop.clone(), settings.clone(), connections.clone()));
    }
    if let Some((listener, has_metrics)) = probes {
        let (probes, settings) = (routes::probe_listener(state, has_metrics), settings.with_peer_address(true));
        parts.spawn(http_support::serve(listener, probes, stop.clone(), settings, connections.clone()));
    }
    let mut last_report = JoinSet::<()>::new();
    #[cfg(feature = "introspection")]
    introspection::start(state, listeners.grpc, &connections, &stop, &mut parts, &mut last_report)?;

    tokio::select! {
        () = background.over() => {}
        Some(ended) = parts.join_next() => return Err(ServeError::part_ended(ended.err())),
        Some(ended) = last_report.join_next() => {
            if !state.streams_end.is_cancelled() {
                return Err(ServeError::part_ended(ended.err()));
            }
            // It ends with the drain.
            background.over().await;
        }
    }
    if !background.is_drained() {
        return background.finish().await;
    }

    // The streams have been told to end. Watchers get the pod's last report before their server is told to stop.
    let closing = closing_time(state.sessions.sharing().is_some());
    let deadline = Instant::now() + closing;
    let _ = timeout_at(deadline, last_report.join_next()).await;
    stop.cancel();
    state.websockets.close();
    let all_ended = async {
        while parts.join_next().await.is_some() {}
        // WebSockets outlive the connections that they began on.
        state.websockets.wait().await;
    };
    if timeout_at(deadline, all_ended).await.is_err() {
        warn!(closing.seconds = closing.as_secs(), "connections were cut that did not end in time");
    }
    background.finish().await
}

/// What streams, connections and watchers get: all of [`CLOSING_TIME`] but for what the store gets, where there is one.
fn closing_time(has_store: bool) -> Duration {
    if has_store { CLOSING_TIME - sharing::SHUTDOWN_TIMEOUT } else { CLOSING_TIME }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_the_store_its_time_where_there_is_a_store() {
        assert_eq!(closing_time(false), CLOSING_TIME);
        assert_eq!(closing_time(true) + sharing::SHUTDOWN_TIMEOUT, CLOSING_TIME);
        assert!(closing_time(true) >= Duration::from_secs(1), "watchers and connections get time as well");
    }
}
