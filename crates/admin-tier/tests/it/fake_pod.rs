//! A pod that says what a test wants it to, over real gRPC: each watch gets the next script.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use session_wire::v1::introspection_server::{Introspection, IntrospectionServer};
use session_wire::v1::watch_sessions_response::{Changes, Event, Snapshot};
use session_wire::v1::{
    Counters, GetPodRequest, GetPodResponse, HandoffState, ListSessionsRequest, ListSessionsResponse, Phase, Pod,
    Session, WatchSessionsRequest, WatchSessionsResponse,
};
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status};

/// What comes after the last message of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// The watch stays open, and questions are answered.
    Stay,
    /// The watch stays open, and no question is ever answered.
    Hang,
    /// The watch stays open and the pod stops: it refuses the first call, and its last message follows.
    Stop,
    /// The watch ends.
    End,
}

/// What one watch hears.
pub(crate) type Script = (Vec<Event>, Then);

/// A running fake. Gone when dropped.
#[derive(Debug)]
pub(crate) struct FakePod {
    pub(crate) address: String,
    server: JoinHandle<()>,
    /// Sends messages to the current watchers, after their script.
    voice: broadcast::Sender<Event>,
    /// Dropped with the fake: its open watches end then, which aborting the server would not do.
    _alive: watch::Sender<()>,
}

impl FakePod {
    /// Plays the scripts, one a watch; the last again and again.
    pub(crate) async fn start(scripts: impl IntoIterator<Item = Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (alive, gone) = watch::channel(());
        let (voice, _) = broadcast::channel(1_024);
        let actor = Actor { scripts: Mutex::new(scripts.into_iter().collect()), gone, voice: voice.clone() };
        let server = tonic::transport::Server::builder().add_service(IntrospectionServer::new(actor));
        let server =
            tokio::spawn(async move { server.serve_with_incoming(TcpListenerStream::new(listener)).await.unwrap() });
        Self { address, server, voice, _alive: alive }
    }

    /// Says more to who watches.
    pub(crate) fn say(&self, event: Event) {
        // Fails if there is no watcher.
        let _ = self.voice.send(event);
    }

    /// A pod that says this and stays.
    pub(crate) async fn saying(events: impl IntoIterator<Item = Event>) -> Self {
        Self::start([(events.into_iter().collect(), Then::Stay)]).await
    }
}

impl Drop for FakePod {
    fn drop(&mut self) {
        self.server.abort();
    }
}

struct Actor {
    scripts: Mutex<VecDeque<Script>>,
    gone: watch::Receiver<()>,
    voice: broadcast::Sender<Event>,
}

impl Actor {
    fn next(&self) -> Script {
        let mut scripts = self.scripts.lock().unwrap();
        if scripts.len() > 1 { scripts.pop_front().unwrap() } else { scripts[0].clone() }
    }
}

#[tonic::async_trait]
impl Introspection for Actor {
    type WatchSessionsStream = ReceiverStream<Result<WatchSessionsResponse, Status>>;

    async fn get_pod(&self, _: Request<GetPodRequest>) -> Result<Response<GetPodResponse>, Status> {
        let (events, then) = self.scripts.lock().unwrap()[0].clone();
        match then {
            Then::Hang => std::future::pending::<()>().await,
            Then::Stop => {
                let _ = self.voice.send(events.last().unwrap().clone());
                return Err(Status::unavailable("the server stops"));
            }
            Then::Stay | Then::End => {}
        }
        Ok(Response::new(GetPodResponse { pod: None }))
    }

    async fn list_sessions(&self, _: Request<ListSessionsRequest>) -> Result<Response<ListSessionsResponse>, Status> {
        Err(Status::unimplemented("the admin tier watches"))
    }

    async fn watch_sessions(
        &self,
        _: Request<WatchSessionsRequest>,
    ) -> Result<Response<Self::WatchSessionsStream>, Status> {
        let (mut events, then) = self.next();
        if then == Then::Stop {
            events.pop();
        }
        let (say, heard) = mpsc::channel(1);
        let (mut gone, mut more) = (self.gone.clone(), self.voice.subscribe());
        tokio::spawn(async move {
            for event in events {
                if say.send(Ok(WatchSessionsResponse { event: Some(event) })).await.is_err() {
                    return;
                }
            }
            if then == Then::End {
                return;
            }
            loop {
                tokio::select! {
                    () = say.closed() => return,
                    _ = gone.changed() => return,
                    event = more.recv() => match event {
                        Ok(event) => {
                            let _ = say.send(Ok(WatchSessionsResponse { event: Some(event) })).await;
                        }
                        // Too slow a reader: it begins again.
                        Err(_) => return,
                    },
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(heard)))
    }
}

#[allow(clippy::disallowed_methods, reason = "a pod beside the tier has a clock of its own")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// A pod under this name, serving.
pub(crate) fn pod(name: &str, active_sessions: u64) -> Pod {
    Pod {
        pod: name.into(),
        phase: Phase::Serving.into(),
        started_at: Some(now().into()),
        drain_started_at: None,
        forced_logout_at: None,
        active_sessions,
        version: "1.2.3".into(),
        counters: Some(Counters { logins: 7, ..Counters::default() }),
        is_final: false,
        present_sessions: Some(active_sessions),
        protected_sessions: Some(0),
        revision: "7d9f".into(),
        ready: Some(true),
        handoff: HandoffState::Unspecified.into(),
    }
}

/// A session; `minutes` is how long ago it began, negative in the future.
pub(crate) fn session(pod: &str, user: &str, minutes: i64) -> Session {
    let back = Duration::from_secs(minutes.unsigned_abs() * 60);
    let login = if minutes < 0 { now() + back } else { now() - back };
    Session {
        session_id: uuid::Uuid::new_v4().to_string(),
        user: user.into(),
        login_time: Some(login.into()),
        last_activity: Some(login.into()),
        pod: pod.into(),
        event_streams: 1,
        ..Session::default()
    }
}

/// A session whose pages are all closed.
pub(crate) fn idle(pod: &str, user: &str, minutes: i64) -> Session {
    Session { event_streams: 0, present: Some(false), ..session(pod, user, minutes) }
}

/// A pod under this name with so many sessions of which so many are present, and its sessions. It drains, or serves.
pub(crate) fn partly_present(name: &str, all: u64, present: u64, drains: bool) -> (Pod, Vec<Session>) {
    let at = |seconds| Some((now() + Duration::from_secs(seconds)).into());
    let rows = (0..all).map(|n| match n % (all / present).max(1) {
        0 if n / (all / present).max(1) < present => {
            Session { present: Some(true), ..session(name, &format!("user {n}"), 5) }
        }
        _ => idle(name, &format!("user {n}"), 50),
    });
    let counted = Pod { present_sessions: Some(present), ..pod(name, all) };
    let draining = || Pod {
        phase: Phase::Draining.into(),
        drain_started_at: at(0),
        forced_logout_at: at(60),
        ready: Some(false),
        ..counted.clone()
    };
    (if drains { draining() } else { counted.clone() }, rows.collect())
}

/// A whole snapshot.
pub(crate) fn snapshot(sessions: impl IntoIterator<Item = Session>) -> Event {
    Event::Snapshot(Snapshot { sessions: sessions.into_iter().collect(), end: true })
}

/// Changes: these are new or different, those are gone.
pub(crate) fn changes(upserts: &[Session], removals: &[&Session]) -> Event {
    let removals = removals.iter().map(|session| session.session_id.clone()).collect();
    Event::Changes(Changes { upserts: upserts.to_vec(), removals, outcomes: vec![] })
}
