//! The link to one pod: a watch that is begun again whenever it ends, and an ear for silence.
//!
//! A link never ends by itself, whatever the pod does; it says what it heard, and that it lost the pod, as values.

mod hear;
mod presenter;

use std::sync::Arc;
use std::time::Duration;

use fleet::{Address, PodEvent};
use session_wire::v1::GetPodRequest;
use session_wire::v1::introspection_client::IntrospectionClient;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status, Streaming};
use tracing::{info, warn};

use backoff::Backoff;
pub(crate) use presenter::Presenter;
use session_wire::v1::WatchSessionsResponse;
use session_wire::{MAX_MESSAGE_BYTES, watch_sessions};

/// A pod gets so long to take a connection, and to answer a question.
const PATIENCE: Duration = Duration::from_secs(3);

/// A watch that is silent for so long is asked whether the pod is still there.
const SILENCE: Duration = Duration::from_secs(2);

/// A pod that has said goodbye is tried again so often: another process may take its place.
const AFTER_GOODBYE: Duration = Duration::from_secs(2);

/// A watch that has lasted so long makes up for the failures before it.
const WELL: Duration = Duration::from_secs(5);

/// Asks a pod.
type Client = IntrospectionClient<InterceptedService<Channel, Presenter>>;

/// How a watch ended.
enum End {
    /// The fleet wants the snapshot anew.
    Relisted,
    /// The pod said its last word.
    Finished,
    /// We were too slow, and get a new snapshot.
    FellBehind,
    /// The pod was lost, for this reason.
    Lost(String),
}

/// Where a link says what it hears.
pub(crate) type Ear = mpsc::Sender<(Address, PodEvent)>;

/// Keeps the link to the pod at `address` until `stop` is cancelled. Begins its watch anew whenever `relist` says so.
pub(crate) async fn run(
    address: Address,
    presenter: Presenter,
    ear: Ear,
    relist: Arc<Notify>,
    stop: CancellationToken,
) {
    let linking = async {
        let mut backoff = Backoff::default();
        // What was logged last. Nobody has to act on a pod that is away after its goodbye.
        let mut logged = None;
        let mut said_goodbye = false;
        loop {
            let began = Instant::now();
            let (end, heard_all) = watch(&address, &presenter, &ear, &relist).await;
            if heard_all {
                said_goodbye = false;
            }
            // A pod that comes and goes within moments is not well: neither the pauses nor the log begin anew.
            if heard_all && began.elapsed() >= WELL {
                backoff = Backoff::default();
                logged = None;
            }
            let pause = match end {
                End::FellBehind => backoff.next_pause(),
                // The fleet sees to the pauses.
                End::Relisted => {
                    info!(pod.address = %address, "pod counts other than it has listed, its list is asked for again");
                    continue;
                }
                End::Finished => {
                    info!(pod.address = %address, "pod has finished");
                    said_goodbye = true;
                    AFTER_GOODBYE
                }
                End::Lost(reason) => {
                    if !said_goodbye && logged.as_ref() != Some(&reason) {
                        warn!(pod.address = %address, reason, "pod is lost, trying again");
                        logged = Some(reason.clone());
                    }
                    if ear.send((address.clone(), PodEvent::Unreachable(reason))).await.is_err() {
                        return;
                    }
                    backoff.next_pause()
                }
            };
            sleep(pause).await;
        }
    };
    stop.run_until_cancelled(linking).await;
}

/// Watches the pod once; also whether a whole snapshot came.
async fn watch(address: &Address, presenter: &Presenter, ear: &Ear, relist: &Notify) -> (End, bool) {
    let mut heard_all = false;
    match open(address, presenter).await {
        Ok((mut client, mut stream)) => {
            if ear.send((address.clone(), PodEvent::WatchStarted)).await.is_err() {
                return (End::Lost("the fleet task has stopped".to_owned()), false);
            }
            let end = tokio::select! {
                end = listen(address, ear, &mut client, &mut stream, &mut heard_all) => end,
                () = relist.notified() => End::Relisted,
            };
            (end, heard_all)
        }
        Err(status) => {
            let is_refused = crate::reason::is_refused(&status);
            if is_refused && ear.send((address.clone(), PodEvent::ConnectionRefused)).await.is_err() {
                return (End::Lost("the fleet task has stopped".to_owned()), false);
            }
            (End::Lost(hear::reason(&status)), false)
        }
    }
}

async fn open(address: &Address, presenter: &Presenter) -> Result<(Client, Streaming<WatchSessionsResponse>), Status> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))
        .map_err(|error| Status::from_error(error.into()))?
        .connect_timeout(PATIENCE)
        .tcp_nodelay(true);
    let channel = timeout(PATIENCE, endpoint.connect()).await.map_err(|_| silent())?;
    let channel = channel.map_err(|error| Status::from_error(error.into()))?;
    let service = InterceptedService::new(channel, presenter.clone());
    let stream = timeout(PATIENCE, watch_sessions(service.clone())).await.map_err(|_| silent())??;
    let client = IntrospectionClient::new(service).max_decoding_message_size(MAX_MESSAGE_BYTES);
    Ok((client, stream))
}

fn silent() -> Status {
    Status::deadline_exceeded(format!("it does not answer within {} s", PATIENCE.as_secs()))
}

async fn listen(
    address: &Address,
    ear: &Ear,
    client: &mut Client,
    stream: &mut Streaming<WatchSessionsResponse>,
    heard_all: &mut bool,
) -> End {
    let mut finished = false;
    loop {
        let message = match timeout(SILENCE, stream.message()).await {
            Ok(Ok(Some(message))) => message,
            Ok(Ok(None)) if finished => return End::Finished,
            Ok(Ok(None)) => return End::Lost("it ended the watch without a last word".to_owned()),
            Ok(Err(_)) if finished => return End::Finished,
            Ok(Err(status)) if status.code() == Code::ResourceExhausted => return End::FellBehind,
            Ok(Err(status)) => return End::Lost(hear::reason(&status)),
            Err(_) => match ask(client).await {
                Ok(took) => {
                    if ear.send((address.clone(), PodEvent::ProbeAnswered { took })).await.is_err() {
                        return End::Finished;
                    }
                    continue;
                }
                Err(status) => return End::Lost(hear::reason(&status)),
            },
        };
        for heard in hear::translate(message) {
            finished |= matches!(&heard, PodEvent::Report(report) if report.is_final);
            *heard_all |= matches!(&heard, PodEvent::Snapshot { end: true, .. });
            if ear.send((address.clone(), heard)).await.is_err() {
                return End::Finished;
            }
        }
    }
}

/// Asks a silent pod whether it is there, and gives the time it took to say so.
async fn ask(client: &mut Client) -> Result<Duration, Status> {
    let asked = Instant::now();
    timeout(PATIENCE, client.get_pod(GetPodRequest {})).await.map_err(|_| silent())??;
    Ok(asked.elapsed())
}
