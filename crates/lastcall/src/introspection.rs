//! gRPC: what the pod tells the admin tier. Answers until the very end, because that is when it is watched.

mod list;
mod publisher;
mod report;
mod require_bearer;
mod service;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http_support::{ConnectionSettings, Connections};
use publisher::{Publisher, publish};
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

/// The largest request that is read, in bytes. All of them are a few names and numbers.
const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// A connection that acknowledges nothing for some of these is gone.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// The services of the gRPC port: introspection, health, reflection (both versions, both listing health). All but health
/// are for callers with the token, where there is one.
fn services(
    state: &Arc<ServiceState>,
    publisher: &Arc<Publisher>,
) -> Result<(Router, HealthReporter), tonic_reflection::server::Error> {
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let (reporter, health) = tonic_health::server::health_reporter();
    let admission = RequireBearer::new(state.config.grpc_token.clone());
    let introspector = Introspector::new(Arc::clone(state), Arc::clone(publisher));
    let introspection = IntrospectionServer::new(introspector).max_decoding_message_size(MAX_REQUEST_BYTES);
    let v1 = reflection().build_v1()?.max_decoding_message_size(MAX_REQUEST_BYTES);
    let v1alpha = reflection().build_v1alpha()?.max_decoding_message_size(MAX_REQUEST_BYTES);
    let routes = Routes::new(InterceptedService::new(introspection, admission.clone()))
        .add_service(health.max_decoding_message_size(MAX_REQUEST_BYTES))
        .add_service(InterceptedService::new(v1, admission.clone()))
        .add_service(InterceptedService::new(v1alpha, admission));
    Ok((routes.prepare().into_axum_router(), reporter))
}

/// Serves introspection on `listener`, if there is one, and publishes the changes until the streams end. `publishing` holds the
/// publisher alone: watchers hear the pod's last report before their server is told to stop.
pub(crate) fn start(
    state: &Arc<ServiceState>,
    listener: Option<TcpListener>,
    connections: &Connections,
    stop: &CancellationToken,
    servers: &mut JoinSet<()>,
    publishing: &mut JoinSet<()>,
) -> Result<(), ServeError> {
    let publisher = Publisher::new();
    if let Some(listener) = listener {
        let services = services(state, &publisher);
        let (router, reporter) = services.map_err(|error| ServeError::Introspection(error.into()))?;
        servers.spawn(serve(router, listener, stop.clone(), connections.clone()));
        servers.spawn(report_health(Arc::clone(state), reporter, stop.clone()));
    }
    publishing.spawn(publish(Arc::clone(state), publisher, state.streams_end.clone()));
    Ok(())
}

/// What calls in flight get at the end. A health watch never ends by itself.
const CLOSING: Duration = Duration::from_secs(1);

/// Serves until `stop` is cancelled, and the calls in flight are done or their time is over.
async fn serve(router: Router, listener: TcpListener, stop: CancellationToken, connections: Connections) {
    let over = async {
        stop.cancelled().await;
        sleep(CLOSING).await;
    };
    tokio::select! {
        () = http_support::serve(listener, router, stop.clone(), ConnectionSettings::new(HEARTBEAT), connections) => {}
        () = over => {}
    }
}

/// Says over gRPC health whether newcomers are welcome, until `stop` is cancelled.
async fn report_health(state: Arc<ServiceState>, reporter: HealthReporter, stop: CancellationToken) {
    let mut lifecycle = state.lifecycle.subscribe();
    loop {
        let draining = matches!(
            lifecycle.borrow_and_update().phase(),
            session_domain::Phase::Draining | session_domain::Phase::Propagating
        );
        let status = if draining { ServingStatus::NotServing } else { ServingStatus::Serving };
        for service in ["", "lastcall.v1.Introspection"] {
            reporter.set_service_status(service, status).await;
        }
        match stop.run_until_cancelled(lifecycle.changed()).await {
            Some(Ok(())) => {}
            Some(Err(_)) | None => return,
        }
    }
}
