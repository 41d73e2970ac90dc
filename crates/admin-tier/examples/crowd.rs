//! A crowd for the dashboard: many pods with many people on them, who come, go and are active every second, told over real
//! gRPC by one process. Nothing here is a user tier; it only talks like one.
//!
//! ```sh
//! cargo run --release -p admin-tier --example crowd -- 100 1000 20
//! USER_PODS=127.0.0.1:23000,… ADMIN_AUTH=off HTTP_ADDR=127.0.0.1:9092 admin-tier
//! ```
//! The arguments: pods, people on each, and changes a second on each. The last pod drains, over and over. The value of
//! `USER_PODS` is the one line that is printed.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a tool: it prints, and it has a clock of its own")]

use std::time::{Duration, SystemTime};

use session_wire::v1::introspection_server::{Introspection, IntrospectionServer};
use session_wire::v1::watch_sessions_response::{Changes, Event, Snapshot};
use session_wire::v1::{
    Counters, GetPodRequest, GetPodResponse, ListSessionsRequest, ListSessionsResponse, Outcome, Phase, Pod, Session,
    WatchSessionsRequest, WatchSessionsResponse,
};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::interval;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status};
use uuid::Uuid;

const FIRST_PORT: u16 = 23_000;

/// From one drain of the last pod to the next, in seconds.
const DRAIN_EVERY: u64 = 90;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(60);

const NAMES: [&str; 16] = [
    "Ada", "Bob", "Chiara", "Dmitri", "Emeka", "Fatima", "Grace", "Hiro", "Inès", "Jonas", "Kofi", "Lena", "Mei",
    "Nora", "Omar", "Priya",
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let numbers: Vec<u16> = std::env::args().skip(1).map(|text| text.parse()).collect::<Result<_, _>>()?;
    let [pods, people, changes] = numbers[..] else { return Err("give pods, people on each, changes a second".into()) };
    let mut addresses = Vec::new();
    for number in 0..pods {
        let listener = TcpListener::bind(("127.0.0.1", FIRST_PORT + number)).await?;
        addresses.push(listener.local_addr()?.to_string());
        let crowd = Crowd { number, people, changes, drains: number + 1 == pods && pods > 1 };
        let server = tonic::transport::Server::builder().add_service(IntrospectionServer::new(crowd));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    }
    println!("{}", addresses.join(","));
    std::future::pending().await
}

/// The people of one pod.
#[derive(Clone, Copy, Debug)]
struct Crowd {
    number: u16,
    people: u16,
    changes: u16,
    drains: bool,
}

/// A watch of it: what it has told so far.
#[derive(Debug)]
struct Talk {
    crowd: Crowd,
    started: SystemTime,
    people: Vec<Session>,
    drain: Option<SystemTime>,
    gone: u64,
    say: mpsc::Sender<Result<WatchSessionsResponse, Status>>,
}

impl Crowd {
    fn name(self) -> String {
        format!("sample-app-user-{:03}", self.number)
    }

    fn someone(self, at: SystemTime) -> Session {
        let id = Uuid::new_v4();
        let [_, chance, high, low, ..] = *id.as_bytes();
        let name = NAMES[usize::from(chance) % NAMES.len()];
        Session {
            session_id: id.to_string(),
            user: format!("{name} {}", u16::from_be_bytes([high, low])),
            login_time: Some(at.into()),
            last_activity: Some(at.into()),
            pod: self.name(),
            event_streams: u32::from(chance % 10 != 0),
            ..Session::default()
        }
    }
}

impl Talk {
    /// Talks until nobody listens.
    async fn go_on(mut self) -> Option<()> {
        let crowd = self.crowd;
        let ago = |n: u64| self.started - Duration::from_secs(13 * n % 86_400);
        self.people = (0..u64::from(crowd.people)).map(|n| crowd.someone(ago(n))).collect();
        self.tell_pod().await?;
        let parts: Vec<_> = self.people.chunks(1_000).map(<[Session]>::to_vec).collect();
        for (number, sessions) in parts.iter().enumerate() {
            let end = number + 1 == parts.len();
            self.tell(Event::Snapshot(Snapshot { sessions: sessions.clone(), end })).await?;
        }
        let mut seconds = interval(Duration::from_secs(1));
        for second in 0_u64.. {
            seconds.tick().await;
            let changes = self.change(second);
            self.tell(Event::Changes(changes)).await?;
            self.tell_pod().await?;
        }
        Some(())
    }

    /// What happens in this second. One change in ten is a departure, and somebody else comes, unless the pod drains.
    fn change(&mut self, second: u64) -> Changes {
        let (now, mut changes) = (SystemTime::now(), Changes::default());
        match (self.crowd.drains, second % DRAIN_EVERY) {
            (true, 20) => self.drain = Some(now),
            (true, 19) => {
                self.drain = None;
                let missing = usize::from(self.crowd.people) - self.people.len();
                changes.upserts = (0..missing).map(|_| self.crowd.someone(now)).collect();
                self.people.extend_from_slice(&changes.upserts);
            }
            _ => {}
        }
        for change in 0..usize::from(self.crowd.changes) {
            let Some(place) = (second as usize * 37 + change * 101).checked_rem(self.people.len()) else { break };
            if change % 10 != 0 {
                let person = &mut self.people[place];
                person.last_activity = Some(now.into());
                changes.upserts.push(person.clone());
                continue;
            }
            changes.removals.push(self.people.swap_remove(place).session_id);
            changes.outcomes.push(Outcome::Logout.into());
            self.gone += 1;
            if self.drain.is_none() {
                let newcomer = self.crowd.someone(now);
                changes.upserts.push(newcomer.clone());
                self.people.push(newcomer);
            }
        }
        changes
    }

    async fn tell_pod(&self) -> Option<()> {
        let people = self.people.len() as u64;
        let phase = if self.drain.is_some() { Phase::Draining } else { Phase::Serving };
        let counters = Counters { logins: self.gone + people, graceful_logouts: self.gone, ..Counters::default() };
        let pod = Pod {
            pod: self.crowd.name(),
            phase: phase.into(),
            started_at: Some(self.started.into()),
            drain_started_at: self.drain.map(Into::into),
            forced_logout_at: self.drain.map(|since| (since + DRAIN_TIMEOUT).into()),
            active_sessions: people,
            version: "1.0.0 (crowd)".to_owned(),
            counters: Some(counters),
            is_final: false,
        };
        self.tell(Event::Pod(pod)).await
    }

    async fn tell(&self, event: Event) -> Option<()> {
        self.say.send(Ok(WatchSessionsResponse { event: Some(event) })).await.ok()
    }
}

#[tonic::async_trait]
impl Introspection for Crowd {
    type WatchSessionsStream = ReceiverStream<Result<WatchSessionsResponse, Status>>;

    async fn get_pod(&self, _: Request<GetPodRequest>) -> Result<Response<GetPodResponse>, Status> {
        Ok(Response::new(GetPodResponse { pod: None }))
    }

    async fn list_sessions(&self, _: Request<ListSessionsRequest>) -> Result<Response<ListSessionsResponse>, Status> {
        Err(Status::unimplemented("the admin tier watches"))
    }

    async fn watch_sessions(
        &self,
        _: Request<WatchSessionsRequest>,
    ) -> Result<Response<Self::WatchSessionsStream>, Status> {
        let (say, heard) = mpsc::channel(4);
        let started = SystemTime::now();
        let talk = Talk { crowd: *self, started, people: Vec::new(), drain: None, gone: 0, say };
        tokio::spawn(talk.go_on());
        Ok(Response::new(ReceiverStream::new(heard)))
    }
}
