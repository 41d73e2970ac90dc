//! `GRPC_TOKEN`: introspection requires it, health checks do not.

use session_wire::v1::introspection_client::IntrospectionClient;
use session_wire::v1::{GetPodRequest, ListSessionsRequest, WatchSessionsRequest};
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;

use crate::grpc::channel;
use crate::pod;

const TOKEN: &str = "a-token-of-the-tests";

/// A call that presents this token, if any.
fn call<T>(message: T, presented: Option<&str>) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(presented) = presented {
        request.metadata_mut().insert("authorization", format!("Bearer {presented}").parse().unwrap());
    }
    request
}

#[tokio::test]
async fn introspection_requires_the_token_and_health_does_not() {
    let pod = pod(&[("GRPC_TOKEN", TOKEN)]).await;
    let channel = channel(&pod).await;
    let mut client = IntrospectionClient::new(channel.clone());
    let mut reflection = ServerReflectionClient::new(channel.clone());
    let mut answers = async |presented| {
        let list = MessageRequest::ListServices(String::new());
        let list = ServerReflectionRequest { host: String::new(), message_request: Some(list) };
        let stream = tokio_stream::once(list);
        [
            client.get_pod(call(GetPodRequest {}, presented)).await.map(drop),
            client.list_sessions(call(ListSessionsRequest::default(), presented)).await.map(drop),
            client.watch_sessions(call(WatchSessionsRequest {}, presented)).await.map(drop),
            reflection.server_reflection_info(call(stream, presented)).await.map(drop),
        ]
        .map(|answer| answer.map_or_else(|status| status.code(), |()| Code::Ok))
    };
    assert_eq!(answers(Some(TOKEN)).await, [Code::Ok; 4]);
    for presented in [None, Some("another"), Some(""), Some("a-token-of-the-test")] {
        assert_eq!(answers(presented).await, [Code::Unauthenticated; 4], "{presented:?}");
    }
    let health = HealthClient::new(channel).check(HealthCheckRequest::default()).await;
    assert!(health.is_ok(), "a kubelet has no token: {health:?}");
    assert!(!pod.log().join("\n").contains(TOKEN));
}

#[tokio::test]
async fn introspection_is_open_on_loopback_without_a_token_and_with_auth_off() {
    for options in [&[][..], &[("GRPC_AUTH", "off"), ("GRPC_TOKEN", TOKEN)]] {
        let pod = pod(options).await;
        let mut client = IntrospectionClient::new(channel(&pod).await);
        for presented in [None, Some("whatever")] {
            client.get_pod(call(GetPodRequest {}, presented)).await.unwrap();
        }
    }
}
