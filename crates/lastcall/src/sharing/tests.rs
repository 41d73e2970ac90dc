//! Several pods in one process around one store, under random requests, pauses, outages, kills and drains.

use std::collections::HashMap;

use session_domain::lifecycle::Signal;
use session_domain::registry::{Change, Kind};
use session_domain::{Outcome, PodName, UserName};
use tokio::sync::watch;
use tokio::time::sleep;
use tonic::async_trait;
use uuid::Uuid;

use super::*;
use crate::config::Config;
use crate::driver::Driver;
use crate::page::PlainPages;
use crate::presence::PresenceGuard;
use crate::store::{Adoption, Calls, Entry, Epoch, MemoryStore, Seen, Write, Written};
use crate::sweep;

/// A store at the end of a line: whatever it is asked takes a while to get there, and the answer to get back.
#[derive(Debug)]
struct Slow(Arc<MemoryStore>);

async fn on_its_way() {
    sleep(Duration::from_millis(fastrand::u64(..20))).await;
}

macro_rules! slowly {
    ($self:ident, $operation:ident($($argument:expr),*)) => {{
        on_its_way().await;
        let answer = $self.0.$operation($($argument),*).await;
        on_its_way().await;
        answer
    }};
}

#[async_trait]
impl SessionStore for Slow {
    async fn read(&self, id: SessionId) -> Result<Option<Entry>, StoreError> {
        slowly!(self, read(id))
    }

    async fn adopt(&self, adoption: &Adoption) -> Result<Option<Entry>, StoreError> {
        slowly!(self, adopt(adoption))
    }

    async fn write(&self, writes: Vec<Write>) -> Result<Vec<Written>, StoreError> {
        slowly!(self, write(writes))
    }

    async fn look(&self, ids: Vec<SessionId>) -> Result<Vec<Seen>, StoreError> {
        slowly!(self, look(ids))
    }

    async fn owner(&self, pod: &PodName) -> Result<Owner, StoreError> {
        slowly!(self, owner(pod))
    }

    async fn renew(&self, pod: &PodName, draining: bool, lease: Duration) -> Result<Epoch, StoreError> {
        slowly!(self, renew(pod, draining, lease))
    }

    async fn leave(&self, pod: &PodName) -> Result<(), StoreError> {
        slowly!(self, leave(pod))
    }

    async fn call(&self, pod: &PodName, id: SessionId) -> Result<(), StoreError> {
        slowly!(self, call(pod, id))
    }

    async fn calls(&self, pod: &PodName) -> Result<Calls, StoreError> {
        slowly!(self, calls(pod))
    }

    async fn answered(&self, pod: &PodName, count: usize) -> Result<(), StoreError> {
        slowly!(self, answered(pod, count))
    }

    async fn agree_on_secret(&self, proposal: &str) -> Result<String, StoreError> {
        slowly!(self, agree_on_secret(proposal))
    }
}

/// A pod with its tasks, as [`crate::Service::serve`] runs it, without its listeners.
struct Running {
    pod: Arc<Pod>,
    tasks: JoinSet<()>,
    signal: Option<mpsc::UnboundedSender<Signal>>,
    stop: CancellationToken,
}

async fn start(store: &Arc<MemoryStore>, name: &str) -> Running {
    start_with(Arc::clone(store) as Arc<dyn SessionStore>, name, Duration::from_secs(3_600)).await
}

async fn start_with(store: Arc<dyn SessionStore>, name: &str, session_ttl: Duration) -> Running {
    let mut config = Config::new(PodName::new(name).unwrap());
    config.store = Some(store);
    config.limits.session_ttl = session_ttl;
    config.policy.drain_timeout = Duration::from_secs(20);
    config.policy.propagation_wait = Duration::from_secs(2);
    let pod = Pod::new(config, Box::new(PlainPages));
    let stop = CancellationToken::new();
    let mut tasks = begin(&pod, &stop).await;
    let (signal, signals) = mpsc::unbounded_channel();
    let signals = futures_util::stream::unfold(signals, |mut signals| async {
        signals.recv().await.map(|signal| (signal, signals))
    });
    let driver = Driver::start(Arc::clone(&pod), watch::channel(false).1).await;
    tasks.spawn(driver.drive(signals));
    tasks.spawn(sweep::sweep(Arc::clone(&pod), stop.clone()));
    Running { pod, tasks, signal: Some(signal), stop }
}

impl Running {
    fn is_alive(&self) -> bool {
        !self.tasks.is_empty()
    }

    /// As SIGKILL does: nothing more is written, and the lease runs out.
    async fn kill(&mut self) {
        self.tasks.shutdown().await;
    }

    fn walked(&self) -> Vec<SessionId> {
        let mut ids = Vec::new();
        self.pod.sessions.walk(|session| ids.push(session.id()));
        ids
    }

    fn balances(&self) {
        let totals = self.pod.sessions.totals();
        let walked = u64::try_from(self.walked().len()).unwrap();
        assert_eq!(totals.logins + totals.adopted, walked + totals.all_ended(), "{}", self.pod.config.pod);
        assert_eq!(self.pod.sessions.active(), walked);
    }

    /// A request with the cookie of `id`; `None` where this pod knows of no such session.
    async fn request(&self, id: SessionId, streaming: bool) -> Option<(Live, PresenceGuard)> {
        let now = self.pod.clock.now();
        let live = match self.pod.sessions.find(id, now) {
            Some(live) => live,
            None => match arrive(&self.pod, id, streaming).await {
                Arrival::Found(live) => live,
                Arrival::Nowhere | Arrival::Unclear { .. } => return None,
            },
        };
        let kind = if streaming { Kind::EventStream } else { Kind::Request };
        let guard = PresenceGuard::open(&self.pod, &live, kind);
        if streaming {
            self.pod.written().await;
        }
        Some((live, guard))
    }
}

/// What ended, and how, on whatever pod: a session ends once.
#[derive(Default)]
struct Ends(HashMap<SessionId, (Outcome, PodName)>);

impl Ends {
    fn note(&mut self, pods: &[Running]) {
        for running in pods {
            for change in running.pod.sessions.take_changes() {
                let Change::Removed(id, Some(outcome)) = change else { continue };
                if outcome != Outcome::Moved {
                    let end = (outcome, running.pod.config.pod.clone());
                    let before = self.0.insert(id, end.clone());
                    assert!(before.is_none(), "{id} ended twice: {before:?}, then {end:?}");
                }
            }
        }
    }
}

async fn storm(seed: u64) {
    let random = &mut fastrand::Rng::with_seed(seed);
    let store = Arc::new(MemoryStore::new());
    // Half of the storms with sessions that expire in the midst of it.
    let ttl = Duration::from_secs(if seed.is_multiple_of(2) { 3_600 } else { 6 });
    let start = async |name: String| {
        let slow = Arc::new(Slow(Arc::clone(&store)));
        start_with(slow, &name, ttl).await
    };
    let mut pods = Vec::new();
    for n in 0..3 {
        pods.push(start(format!("pod-{n}")).await);
    }
    let mut ends = Ends::default();
    let mut people: Vec<SessionId> = Vec::new();
    let mut streams: Vec<(usize, PresenceGuard)> = Vec::new();
    for step in 0..120 {
        let at = random.usize(..pods.len());
        let pod = Arc::clone(&pods[at].pod);
        let who = if people.is_empty() { None } else { Some(random.usize(..people.len())) };
        match (random.u8(..20), who) {
            (0..5, _) if pods[at].is_alive() => {
                let id = SessionId::from_uuid(Uuid::from_u128(
                    u128::from(random.u64(..)) << 64 | u128::from(random.u64(..)),
                ));
                if pod.sessions.start(id, UserName::anonymous(), Streams::default(), pod.clock.now()).is_ok() {
                    pod.written().await;
                    people.push(id);
                }
            }
            (5..9, Some(who)) if pods[at].is_alive() => drop(pods[at].request(people[who], false).await),
            (9..12, Some(who)) if pods[at].is_alive() => {
                streams.extend(pods[at].request(people[who], true).await.map(|(_, guard)| (at, guard)));
            }
            (12, Some(who)) if pods[at].is_alive() => {
                if let Some((live, _guard)) = pods[at].request(people[who], false).await {
                    log_out(&pod, &live, false).await;
                    people.swap_remove(who);
                }
            }
            (13, Some(who)) if pods[at].is_alive() => {
                if let Some((live, _guard)) = pods[at].request(people[who], false).await {
                    let id = SessionId::from_uuid(Uuid::from_u128(u128::from(random.u64(..))));
                    let user = UserName::from_input("ada");
                    if sign_in(&pod, &live, id, &user).await {
                        pod.written().await;
                        people[who] = id;
                    }
                }
            }
            (14, _) if !streams.is_empty() => drop(streams.swap_remove(random.usize(..streams.len()))),
            (15, _) if step > 30 && random.u8(..4) == 0 => {
                pods[at].kill().await;
                streams.retain(|(pod, _)| *pod != at);
                let name = format!("pod-{step}");
                pods.push(start(name).await);
            }
            (16, _) if step > 30 && random.u8(..4) == 0 => {
                if let Some(signal) = pods[at].signal.take() {
                    let _ = signal.send(Signal::Term);
                    pods.push(start(format!("pod-{step}")).await);
                }
            }
            (17, Some(who)) if pods[at].is_alive() => {
                // One leaves here and asks for something there, at the same time.
                let there = &pods[random.usize(..pods.len())];
                let leaves = async {
                    if let Some((live, _guard)) = pods[at].request(people[who], false).await {
                        log_out(&pod, &live, false).await;
                    }
                };
                let asks = async {
                    if there.is_alive() {
                        there.request(people[who], random.bool()).await;
                    }
                };
                tokio::join!(leaves, asks);
                people.swap_remove(who);
            }
            _ => sleep(Duration::from_millis(random.u64(..1_500))).await,
        }
        pods.iter().for_each(Running::balances);
        ends.note(&pods);
    }
    // Everybody comes to rest: leases run out, sweeps have been made.
    sleep(Duration::from_secs(40)).await;
    for running in pods.iter().filter(|running| running.is_alive()) {
        running.pod.written().await;
    }
    ends.note(&pods);
    check(&pods, &store, &ends);
    for mut pod in pods {
        pod.stop.cancel();
        pod.kill().await;
    }
}

fn check(pods: &[Running], store: &MemoryStore, ends: &Ends) {
    let mut owners: HashMap<SessionId, &PodName> = HashMap::new();
    for running in pods {
        running.balances();
        if !running.is_alive() {
            continue;
        }
        for id in running.walked() {
            let before = owners.insert(id, &running.pod.config.pod);
            assert!(before.is_none(), "{id} lives on {before:?} and {}", running.pod.config.pod);
        }
    }
    let entries = store.entries();
    for (id, owner) in &owners {
        let entry = entries.iter().find(|entry| entry.session.id == *id);
        assert_eq!(entry.map(|entry| &entry.session.pod), Some(*owner), "{id} in the store");
    }
    // A session begins once and ends once: what has ended for good is not kept, and nothing is kept that never began.
    let totals = |outcome| pods.iter().map(|running| running.pod.sessions.totals().ended(outcome)).sum::<u64>();
    let ended: u64 = [Outcome::Logout, Outcome::AutoLogout, Outcome::Forced, Outcome::Expired].map(totals).iter().sum();
    let logins: u64 = pods.iter().map(|running| running.pod.sessions.totals().logins).sum();
    for entry in &entries {
        let end = ends.0.get(&entry.session.id);
        assert!(end.is_none() || entry.wish.is_some(), "ended {end:?}, and is kept: {entry:?}");
    }
    // What a killed pod had not written yet nobody can know.
    let is_killed = |pod: &PodName| pods.iter().any(|running| running.pod.config.pod == *pod && !running.is_alive());
    let kept = entries.iter().filter(|entry| entry.wish.is_none() && !is_killed(&entry.session.pod)).count();
    let unheld: Vec<_> = entries.iter().filter(|entry| !owners.contains_key(&entry.session.id)).collect();
    assert!(ended + kept as u64 <= logins, "{ended} ended, {kept} kept, {logins} began; held by nobody: {unheld:#?}");
}

#[tokio::test(start_paused = true)]
async fn sessions_live_on_one_pod_and_end_once_whatever_happens_to_the_pods() {
    // `STORMS=10000 cargo nextest run -p lastcall whatever_happens` looks harder.
    let storms = std::env::var("STORMS").ok().and_then(|storms| storms.parse().ok()).unwrap_or(40);
    for seed in 0..storms {
        // Each storm in a task of its own, so that a failure names its seed.
        let done = tokio::spawn(storm(seed)).await;
        assert!(done.is_ok(), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_pods_asked_in_the_same_instant_make_one_owner() {
    let store = Arc::new(MemoryStore::new());
    let (first, second, third) = (start(&store, "a").await, start(&store, "b").await, start(&store, "c").await);
    let id = SessionId::from_uuid(Uuid::from_u128(7));
    first.pod.sessions.start(id, UserName::anonymous(), Streams::default(), first.pod.clock.now()).unwrap();
    first.pod.written().await;
    let (there, elsewhere) = tokio::join!(second.request(id, true), third.request(id, true));
    let guests = [&there, &elsewhere].into_iter().flatten().filter(|(live, _)| live.is_guest()).count();
    assert_eq!((there.is_some(), elsewhere.is_some(), guests), (true, true, 1));
    sleep(Duration::from_secs(3)).await;
    let held = [&first, &second, &third].map(|running| running.walked().len());
    assert_eq!(held.iter().sum::<usize>(), 1, "{held:?}");
    assert_eq!(first.pod.sessions.totals().ended(Outcome::Moved), 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_store_has_lost_is_written_again_and_a_logout_never_comes_to_life() {
    let store = Arc::new(MemoryStore::new());
    let running = start(&store, "a").await;
    let [stays, leaves] = [1, 2].map(|n| SessionId::from_uuid(Uuid::from_u128(n)));
    let live = [stays, leaves].map(|id| {
        running.pod.sessions.start(id, UserName::anonymous(), Streams::default(), running.pod.clock.now()).unwrap()
    });
    let _streams = live.each_ref().map(|live| PresenceGuard::open(&running.pod, live, Kind::EventStream));
    running.pod.written().await;
    assert_eq!(store.entries().len(), 2);
    store.lose_everything();
    running.pod.log_out(&live[1], false);
    // Asked for before the writer has come to it.
    assert!(matches!(arrive(&running.pod, leaves, false).await, Arrival::Nowhere));
    sleep(Duration::from_secs(3)).await;
    let kept: Vec<_> = store.entries().iter().map(|entry| entry.session.id).collect();
    assert_eq!(kept, [stays]);
}
