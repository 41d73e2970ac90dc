//! One watch of a pod, from connecting to its end.

use std::time::Duration;

use fleet::{Address, PodEvent};
use session_wire::v1::introspection_client::IntrospectionClient;
use session_wire::v1::{GetPodRequest, WatchSessionsResponse};
use session_wire::{MAX_MESSAGE_BYTES, watch_sessions};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status, Streaming};

use super::attach_bearer::AttachBearer;
use super::decode;
use crate::reason;

/// How long a pod may take to accept a connection, and to answer a call.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a watch may be silent before the pod is probed.
const PROBE_AFTER: Duration = Duration::from_secs(2);

/// How long the final report of a pod that takes no more calls may take.
const FINAL_REPORT_TIMEOUT: Duration = Duration::from_secs(1);

/// The client of a pod.
type Client = IntrospectionClient<InterceptedService<Channel, AttachBearer>>;

/// Where links send the events of their pods.
pub(crate) type PodEventSender = mpsc::Sender<(Address, PodEvent)>;

/// How a watch ended.
pub(super) enum WatchEnd {
    /// The fleet wants a new snapshot.
    Relist,
    /// The pod has sent its final report.
    Finished,
    /// This tier read too slowly, and gets a new snapshot.
    FellBehind,
    /// The pod was lost, for this reason.
    Lost(String),
}

/// Watches the pod once. Also returns whether a complete snapshot came.
pub(super) async fn watch_pod(
    address: &Address,
    attach_bearer: &AttachBearer,
    events: &PodEventSender,
    relist: &Notify,
) -> (WatchEnd, bool) {
    let mut had_snapshot = false;
    match connect(address, attach_bearer).await {
        Ok((mut client, mut stream)) => {
            if events.send((address.clone(), PodEvent::WatchStarted)).await.is_err() {
                return (fleet_task_stopped(), false);
            }
            let end = tokio::select! {
                end = receive(address, events, &mut client, &mut stream, &mut had_snapshot) => end,
                () = relist.notified() => WatchEnd::Relist,
            };
            (end, had_snapshot)
        }
        Err(status) => {
            let is_refused = reason::is_refused(&status);
            if is_refused && events.send((address.clone(), PodEvent::ConnectionRefused)).await.is_err() {
                return (fleet_task_stopped(), false);
            }
            (WatchEnd::Lost(decode::reason(&status)), false)
        }
    }
}

fn fleet_task_stopped() -> WatchEnd {
    WatchEnd::Lost("the fleet task has stopped".to_owned())
}

async fn connect(
    address: &Address,
    attach_bearer: &AttachBearer,
) -> Result<(Client, Streaming<WatchSessionsResponse>), Status> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))
        .map_err(|error| Status::from_error(error.into()))?
        .connect_timeout(RESPONSE_TIMEOUT)
        .tcp_nodelay(true);
    let channel = timeout(RESPONSE_TIMEOUT, endpoint.connect()).await.map_err(|_| timed_out())?;
    let channel = channel.map_err(|error| Status::from_error(error.into()))?;
    let service = InterceptedService::new(channel, attach_bearer.clone());
    let stream = timeout(RESPONSE_TIMEOUT, watch_sessions(service.clone())).await.map_err(|_| timed_out())??;
    let client = IntrospectionClient::new(service).max_decoding_message_size(MAX_MESSAGE_BYTES);
    Ok((client, stream))
}

fn timed_out() -> Status {
    Status::deadline_exceeded(format!("it does not answer within {} s", RESPONSE_TIMEOUT.as_secs()))
}

/// Receives messages until the watch ends, and probes the pod while it is silent.
async fn receive(
    address: &Address,
    events: &PodEventSender,
    client: &mut Client,
    stream: &mut Streaming<WatchSessionsResponse>,
    had_snapshot: &mut bool,
) -> WatchEnd {
    let mut is_finished = false;
    loop {
        let received = match timeout(PROBE_AFTER, stream.message()).await {
            Ok(received) => received,
            Err(_) if is_finished => return WatchEnd::Finished,
            Err(_) => match probe_and_receive(client, stream).await {
                Silence::Broken(received) => *received,
                Silence::Answered(took) => {
                    if events.send((address.clone(), PodEvent::ProbeAnswered { took })).await.is_err() {
                        return fleet_task_stopped();
                    }
                    continue;
                }
                Silence::Lost(status) => return WatchEnd::Lost(decode::reason(&status)),
            },
        };
        let message = match received {
            Ok(Some(message)) => message,
            Ok(None) | Err(_) if is_finished => return WatchEnd::Finished,
            Ok(None) => return WatchEnd::Lost("it ended the watch without a final report".to_owned()),
            Err(status) if status.code() == Code::ResourceExhausted => return WatchEnd::FellBehind,
            Err(status) => return WatchEnd::Lost(decode::reason(&status)),
        };
        for event in decode::decode(message) {
            is_finished |= matches!(&event, PodEvent::Report(report) if report.is_final);
            *had_snapshot |= matches!(&event, PodEvent::Snapshot { end: true, .. });
            if events.send((address.clone(), event)).await.is_err() {
                return fleet_task_stopped();
            }
        }
    }
}

/// How the silence of a pod went on.
enum Silence {
    /// The stream went on, or ended.
    Broken(Box<Result<Option<WatchSessionsResponse>, Status>>),
    /// The pod has answered a probe after this time.
    Answered(Duration),
    /// It has not.
    Lost(Status),
}

/// Probes a silent pod, and goes on receiving meanwhile. A pod that stops takes no new calls, while its final report may still be on its way:
/// the stream has a moment more after a probe that failed.
async fn probe_and_receive(client: &mut Client, stream: &mut Streaming<WatchSessionsResponse>) -> Silence {
    tokio::select! {
        biased;
        received = stream.message() => Silence::Broken(Box::new(received)),
        answer = probe(client) => match answer {
            Ok(took) => Silence::Answered(took),
            Err(status) if status.code() == Code::DeadlineExceeded => Silence::Lost(status),
            Err(status) => match timeout(FINAL_REPORT_TIMEOUT, stream.message()).await {
                Ok(received) => Silence::Broken(Box::new(received)),
                Err(_) => Silence::Lost(status),
            },
        },
    }
}

/// Calls a silent pod and returns the time that it took to answer.
async fn probe(client: &mut Client) -> Result<Duration, Status> {
    let started = Instant::now();
    timeout(RESPONSE_TIMEOUT, client.get_pod(GetPodRequest {})).await.map_err(|_| timed_out())??;
    Ok(started.elapsed())
}
