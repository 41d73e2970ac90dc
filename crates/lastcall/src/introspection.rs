//! The gRPC services of the pod, for the admin tier. They answer until the very end, because that is when the pod is watched.

mod list;
mod publisher;
mod report;
mod require_bearer;
mod service;
mod watchers;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http_support::{ConnectionSettings, Connections};
use publisher::publish;
use session_wire::FILE_DESCRIPTOR_SET;
use session_wire::v1::introspection_server::IntrospectionServer;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::service::interceptor::InterceptedService;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::error::ServeError;
use crate::service_state::ServiceState;
use require_bearer::RequireBearer;
use service::Introspector;
use watchers::Watchers;

/// The largest request that is read, in bytes. Requests hold a few names and numbers.
const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// A connection that acknowledges nothing for twice this time is closed.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// The services of the gRPC port: introspection, health, and reflection (both versions, both listing health). Where a token is
/// configured, all but health require it.
fn services(
    state: &Arc<ServiceState>,
    watchers: &Arc<Watchers>,
) -> Result<(Router, HealthReporter), tonic_reflection::server::Error> {
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let (reporter, health) = tonic_health::server::health_reporter();
    let bearer = RequireBearer::new(state.config.grpc_token.clone());
    let introspector = Introspector::new(Arc::clone(state), Arc::clone(watchers));
    let introspection = IntrospectionServer::new(introspector).max_decoding_message_size(MAX_REQUEST_BYTES);
    let v1 = reflection().build_v1()?.max_decoding_message_size(MAX_REQUEST_BYTES);
    let v1alpha = reflection().build_v1alpha()?.max_decoding_message_size(MAX_REQUEST_BYTES);
    let routes = Routes::new(InterceptedService::new(introspection, bearer.clone()))
        .add_service(health.max_decoding_message_size(MAX_REQUEST_BYTES))
        .add_service(InterceptedService::new(v1, bearer.clone()))
        .add_service(InterceptedService::new(v1alpha, bearer));
    Ok((routes.prepare().into_axum_router(), reporter))
}

/// Serves introspection on `listener` and publishes the changes until the streams end; does nothing without a listener. `publishing` holds the
/// publisher alone: watchers get the pod's last report before their server stops.
pub(crate) fn start(
    state: &Arc<ServiceState>,
    listener: Option<TcpListener>,
    connections: &Connections,
    stop: &CancellationToken,
    servers: &mut JoinSet<()>,
    publishing: &mut JoinSet<()>,
) -> Result<(), ServeError> {
    let Some(listener) = listener else { return Ok(()) };
    let watchers = Watchers::new(state);
    let services = services(state, &watchers);
    let (router, reporter) = services.map_err(|error| ServeError::Introspection(error.into()))?;
    servers.spawn(serve(router, listener, stop.clone(), connections.clone()));
    servers.spawn(report_health(Arc::clone(state), reporter, stop.clone()));
    publishing.spawn(publish(Arc::clone(state), watchers, state.streams_end.clone()));
    Ok(())
}

/// Calls in flight get this long to end. A health watch never ends by itself.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves until `stop` is cancelled, and the calls in flight have ended or [`SHUTDOWN_TIMEOUT`] is over.
async fn serve(router: Router, listener: TcpListener, stop: CancellationToken, connections: Connections) {
    let timed_out = async {
        stop.cancelled().await;
        sleep(SHUTDOWN_TIMEOUT).await;
    };
    tokio::select! {
        () = http_support::serve(listener, router, stop.clone(), ConnectionSettings::new(HEARTBEAT), connections) => {}
        () = timed_out => {}
    }
}

/// Reports over gRPC health whether the pod drains, until `stop` is cancelled.
async fn report_health(state: Arc<ServiceState>, reporter: HealthReporter, stop: CancellationToken) {
    let mut lifecycle = state.lifecycle.subscribe();
    loop {
        let phase = lifecycle.borrow_and_update().phase();
        let status = if phase.is_shutting_down() { ServingStatus::NotServing } else { ServingStatus::Serving };
        for service in ["", "lastcall.v1.Introspection"] {
            reporter.set_service_status(service, status).await;
        }
        match stop.run_until_cancelled(lifecycle.changed()).await {
            Some(Ok(())) => {}
            Some(Err(_)) | None => return,
        }
    }
}
