//! [`AdminTier`]: the running tier. Starts its tasks, watches them, and shuts them down under a deadline.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use fleet::FleetView;
use http_support::{ConnectionSettings, Connections};
use maintenance_switch::Switch;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::audit::Audit;
use crate::auth::Auth;
use crate::discovery::Reporter;
use crate::fleet_task::{self, Commands, Inputs};
use crate::link::AttachBearer;
use crate::live::{EventStreams, PageSources, publisher};
use crate::maintenance::Maintenance;
use crate::middleware::ForwardedTrust;
use crate::options::Options;
use crate::orphans::{self, Orphans, StoreLookup};
use crate::router;
use crate::state::AppState;

/// How long shutting down may take. Connections that are still open then are cut.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(3);

/// The longest pause between two events of an open page, for the connections' keep-alive.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The running tier.
#[derive(Debug)]
pub struct AdminTier {
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

/// Why the tier cannot run.
#[derive(Debug, Error)]
pub enum ServerError {
    /// The listener cannot be used.
    #[error("the listener cannot be used")]
    Listener(#[from] std::io::Error),
    /// A task ended, which none does before the shutdown. This is a bug: the process should exit.
    #[error("a task of the admin tier ended unexpectedly")]
    TaskEnded,
}

impl AdminTier {
    /// Starts serving on `listener`. Operators move `switch`; `dropped_log_lines` is shown on `/metrics`.
    ///
    /// # Errors
    /// Where the listener cannot be used.
    pub fn start(
        options: &Options,
        switch: Option<Switch>,
        listener: TcpListener,
        dropped_log_lines: Arc<AtomicU64>,
    ) -> Result<Self, ServerError> {
        let address = listener.local_addr()?;
        let (mut tasks, stop) = (JoinSet::new(), CancellationToken::new());
        let (views, view) = watch::channel(Arc::new(FleetView::default()));
        let audit = Audit::new();
        let auth = Auth::new(&options.auth, address.port(), audit.clone());
        if let Some(token_auth) = auth.token_auth().filter(|token_auth| !token_auth.has_token()) {
            token_auth.print_link();
        }
        let maintenance = switch.map(|switch| {
            let (maintenance, following) = Maintenance::new(switch, stop.clone());
            tasks.spawn(following);
            maintenance
        });
        let (orphans, store) = start_orphan_scans(options, &mut tasks, &stop).unzip();
        let sources = PageSources { views: view, maintenance: maintenance.clone(), orphans, audit: audit.clone() };
        let (publish, page_data) = watch::channel(Arc::new(sources.page_data()));
        tasks.spawn(publisher::run(sources.clone(), publish, stop.clone()));
        let event_streams = EventStreams::new(sources.clone(), page_data, stop.clone());
        tasks.spawn(event_streams.clone().closed());
        let (commands, received_commands) = Commands::new();
        let (reporter, discovery_state) = Reporter::new();
        tasks.spawn(options.pods.clone().run(reporter, stop.clone()));
        let inputs = Inputs {
            discovery_state,
            attach_bearer: AttachBearer::new(options.grpc_token.clone()),
            commands: received_commands,
            store,
            forget_after: options.forget_after,
            views,
        };
        tasks.spawn(fleet_task::run(inputs, stop.clone()));
        let state = AppState {
            sources,
            event_streams,
            refresh_interval: options.refresh,
            auth,
            audit,
            maintenance,
            commands,
            dropped_log_lines,
        };
        let routes = router::router(state, ForwardedTrust::new(options), address.ip().is_loopback());
        let settings = ConnectionSettings::new(HEARTBEAT).with_peer_address(true);
        let connections = Connections::within_open_files();
        tasks.spawn(http_support::serve(listener, routes, stop.clone(), settings, connections));
        Ok(Self { tasks, stop })
    }

    /// Waits until a task ends unexpectedly.
    ///
    /// # Cancel safety
    /// A dropped wait loses nothing but the task that ended: the caller gives up after either outcome.
    pub async fn failed(&mut self) -> ServerError {
        self.tasks.join_next().await;
        ServerError::TaskEnded
    }

    /// Ends streams, connections and tasks; cuts what has not ended within some seconds.
    pub async fn shut_down(mut self) {
        self.stop.cancel();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(SHUTDOWN_TIMEOUT, ended).await.is_err() {
            warn!(timeout.seconds = SHUTDOWN_TIMEOUT.as_secs(), "connections did not end in time and were closed");
        }
    }
}

/// Starts scanning the shared store, where there is one.
fn start_orphan_scans(
    options: &Options,
    tasks: &mut JoinSet<()>,
    stop: &CancellationToken,
) -> Option<(watch::Receiver<Arc<Orphans>>, StoreLookup)> {
    let url = options.redis.clone()?;
    let (found, orphans) = watch::channel(Arc::default());
    let (store, queries) = StoreLookup::new(orphans.clone());
    tasks.spawn(orphans::run(url, queries, found, stop.clone()));
    Some((orphans, store))
}
