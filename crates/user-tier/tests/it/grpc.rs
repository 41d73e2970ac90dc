//! Introspection over gRPC: reflection, lists and the state of the pod.

mod watch;

use prost::Message as _;
use session_wire::v1::introspection_client::IntrospectionClient;
use session_wire::v1::{GetPodRequest, ListSessionsRequest, Phase};
use test_support::{Signal, UserPod};
use tonic::Code;
use tonic::transport::Channel;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::{v1, v1alpha};

use crate::pod;

pub(crate) async fn channel(pod: &UserPod) -> Channel {
    Channel::from_shared(format!("http://{}", pod.grpc)).unwrap().connect().await.unwrap()
}

fn list(page_size: i32, page_token: &str, user_contains: &str) -> ListSessionsRequest {
    ListSessionsRequest { page_size, page_token: page_token.into(), user_contains: user_contains.into() }
}

#[tokio::test]
async fn reflection_lists_the_services_and_describes_them() {
    let pod = pod(&[]).await;
    let mut client = ServerReflectionClient::new(channel(&pod).await);
    let mut ask = async |request| {
        let request = v1::ServerReflectionRequest { host: String::new(), message_request: Some(request) };
        let mut answers = client.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
        answers.message().await.unwrap().unwrap().message_response.unwrap()
    };
    let MessageResponse::ListServicesResponse(services) = ask(MessageRequest::ListServices(String::new())).await else {
        panic!("no list")
    };
    let names: Vec<_> = services.service.into_iter().map(|service| service.name).collect();
    for name in ["lastcall.v1.Introspection", "grpc.health.v1.Health"] {
        assert!(names.contains(&name.to_owned()), "{names:?}");
    }
    let symbol = MessageRequest::FileContainingSymbol("lastcall.v1.Introspection".into());
    let MessageResponse::FileDescriptorResponse(files) = ask(symbol).await else { panic!("no file") };
    let methods: Vec<_> = files
        .file_descriptor_proto
        .iter()
        .map(|bytes| prost_types::FileDescriptorProto::decode(bytes.as_slice()).unwrap())
        .flat_map(|file| file.service)
        .flat_map(|service| service.method)
        .map(|method| method.name().to_owned())
        .collect();
    assert_eq!(methods, ["GetPod", "ListSessions", "WatchSessions"]);

    let mut old = v1alpha::server_reflection_client::ServerReflectionClient::new(channel(&pod).await);
    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1alpha::server_reflection_request::MessageRequest::ListServices(String::new())),
    };
    let answers = old.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner().message().await;
    assert!(format!("{answers:?}").contains("grpc.health.v1.Health"));
}

#[tokio::test]
async fn sessions_are_listed_page_by_page_and_bad_arguments_are_refused() {
    let pod = pod(&[]).await;
    for user in ["ada", "Adam", "grace"] {
        pod.person().login(user).await;
    }
    let mut client = IntrospectionClient::new(channel(&pod).await);
    let first = client.list_sessions(list(2, "", "")).await.unwrap().into_inner();
    let second = client.list_sessions(list(2, &first.next_page_token, "")).await.unwrap().into_inner();
    let users: Vec<_> = first.sessions.iter().chain(&second.sessions).map(|session| session.user.as_str()).collect();
    assert_eq!((users, first.total), (vec!["ada", "Adam", "grace"], 3));
    assert_eq!(second.next_page_token, "");
    let filtered = client.list_sessions(list(0, "", "ADA")).await.unwrap().into_inner();
    assert_eq!((filtered.total, filtered.sessions.len()), (2, 2));

    for request in [list(-1, "", ""), list(1, "nonsense", ""), list(1, &first.next_page_token, "other")] {
        assert_eq!(client.list_sessions(request).await.unwrap_err().code(), Code::InvalidArgument);
    }
    let reported = client.get_pod(GetPodRequest {}).await.unwrap().into_inner().pod.unwrap();
    assert_eq!((reported.pod.as_str(), reported.phase(), reported.active_sessions), ("user-1", Phase::Serving, 3));
}

#[tokio::test]
async fn a_pod_reports_its_revision_its_readiness_and_its_present_sessions() {
    let options = [("POD_REVISION", "7d9f8c"), ("PRESENCE_LINGER", "0s"), ("DRAIN_TIMEOUT", "1h")];
    let pod = pod(&options).await;
    let mut client = IntrospectionClient::new(channel(&pod).await);
    let mut reported = async || client.get_pod(GetPodRequest {}).await.unwrap().into_inner().pod.unwrap();
    let person = pod.person().visit().await;
    let mut stream = person.events().await;
    let first = reported().await;
    assert_eq!((first.revision.as_str(), first.ready, first.present_sessions), ("7d9f8c", Some(true), Some(1)));
    pod.signal(Signal::SIGTERM);
    stream.next_named("drain").await;
    assert_eq!((reported().await.ready, person.status("/ready").await), (Some(false), 503));
}
