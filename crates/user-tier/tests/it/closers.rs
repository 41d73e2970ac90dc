//! Resources that are closed at the end: what the pod reports over gRPC meanwhile, and what a further signal does.

use std::time::Duration;

use axum::Router;
use lastcall::{Lastcall, Listeners, PodName, Signal};
use session_wire::v1::introspection_client::IntrospectionClient;
use session_wire::v1::{GetPodRequest, Phase};
use test_support::{TEST_TIMEOUT, eventually};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tonic::transport::Channel;

#[tokio::test]
async fn a_pod_reports_that_it_closes_its_resources_until_a_further_signal_ends_that() {
    let http = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let grpc = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", grpc.local_addr().unwrap());
    let mut listeners = Listeners::http(http);
    listeners.grpc = Some(grpc);
    let lastcall = Lastcall::builder(PodName::new("closers").unwrap())
        .config(|config| config.policy.propagation_wait = Duration::ZERO)
        .on_close("database", Duration::from_secs(3600), std::future::pending::<()>())
        .build();
    let (signals, mut sent) = mpsc::unbounded_channel();
    let signals_of_process = futures_util::stream::poll_fn(move |context| sent.poll_recv(context));
    let served = tokio::spawn(async move { lastcall.serve(Router::new(), listeners, signals_of_process).await });
    let channel = Channel::from_shared(address).unwrap().connect().await.unwrap();
    let client = IntrospectionClient::new(channel);
    let phase = || {
        let mut client = client.clone();
        async move { client.get_pod(GetPodRequest {}).await.unwrap().into_inner().pod.unwrap().phase() }
    };
    assert_eq!(phase().await, Phase::Serving);
    signals.send(Signal::Term).unwrap();
    eventually("closing", || async { (phase().await == Phase::Closing).then_some(()) }).await;
    assert!(!served.is_finished());
    signals.send(Signal::Term).unwrap();
    timeout(TEST_TIMEOUT, served).await.unwrap().unwrap().unwrap();
}
