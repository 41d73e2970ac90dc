//! Several pods in one process around one store, under random requests, pauses, outages, kills and drains.

mod faulty;

use std::collections::HashMap;

use faulty::{FaultyStore, Trouble};
use session_domain::lifecycle::Signal;
use session_domain::registry::{Change, PresenceKind};
use session_domain::{Outcome, PodName, UserName};
use tokio::sync::watch;
use tokio::time::sleep;
use uuid::Uuid;

use super::*;
use crate::config::Config;
use crate::cross_site_posts::CrossSitePosts;
use crate::drain::DrainTask;
use crate::metrics::MetricsOptions;
use crate::page::PlainPages;
use crate::presence::PresenceGuard;
use crate::service_state::ServiceState;
use crate::sessions::{Finding, Held, SignIn};
use crate::store::MemoryStore;
use crate::streams::Streams;
use crate::sweep;
use session_domain::shared::Purpose;

/// A pod with its tasks, as [`crate::Lastcall::serve`] runs it, without its listeners.
struct Running {
    pod: Arc<ServiceState>,
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
    let (posts, hooks) = (CrossSitePosts::default(), crate::hooks::Hooks::default());
    let pages = Box::new(PlainPages::default());
    let pod = ServiceState::new(config, pages, posts, hooks, MetricsOptions::default());
    let stop = CancellationToken::new();
    let mut tasks = begin(pod.sessions.sharing().unwrap(), &stop).await;
    let (signal, signals) = mpsc::unbounded_channel();
    let signals = futures_util::stream::unfold(signals, |mut signals| async {
        signals.recv().await.map(|signal| (signal, signals))
    });
    let driver = DrainTask::start(Arc::clone(&pod), watch::channel(false).1).await;
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
        self.pod.registry.walk(|session| ids.push(session.id()));
        ids
    }

    fn balances(&self) {
        let totals = self.pod.registry.totals();
        let walked = u64::try_from(self.walked().len()).unwrap();
        assert_eq!(totals.logins + totals.adopted, walked + totals.total_ended(), "{}", self.pod.config.pod);
        assert_eq!(self.pod.registry.active(), walked);
    }

    /// A request with the cookie of `id`; `None` where this pod knows of no such session, or cannot look it up.
    async fn request(&self, id: SessionId, streaming: bool) -> Option<(Held, Option<PresenceGuard>)> {
        let purpose = if streaming { Purpose::Stream } else { Purpose::Request };
        let Finding::Found(held) = self.pod.sessions.find(id, purpose).await else { return None };
        let kind = if streaming { PresenceKind::EventStream } else { PresenceKind::Request };
        let guard = PresenceGuard::of(&self.pod, &held, kind);
        if streaming {
            self.pod.sessions.flush().await;
        }
        Some((held, guard))
    }
}

/// What ended, and how, on whatever pod: a session ends once.
#[derive(Default)]
struct Ends {
    ended: HashMap<SessionId, (Outcome, PodName)>,
    /// How often the store failed so that an adoption may have been cut off from its announcement: until the pods have written
    /// what they hold, the old owner does not know of it, and both may end the one session that was just adopted.
    strikes: u64,
    twice: u64,
}

impl Ends {
    fn note(&mut self, pods: &[Running]) {
        for running in pods {
            for change in running.pod.registry.take_changes() {
                let Change::Removed(id, Some(outcome)) = change else { continue };
                if outcome != Outcome::Moved {
                    let end = (outcome, running.pod.config.pod.clone());
                    let before = self.ended.insert(id, end.clone());
                    self.twice += u64::from(before.is_some());
                    assert!(self.twice <= self.strikes, "{id} ended twice: {before:?}, then {end:?}");
                }
            }
        }
    }
}

/// What the store does in the midst of a storm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weather {
    Calm,
    Empty,
    Behind,
    Slow,
    ReadOnly,
    Cut,
}

impl Weather {
    const ALL: [Self; 6] = [Self::Calm, Self::Empty, Self::Behind, Self::Slow, Self::ReadOnly, Self::Cut];

    async fn strike(self, store: &FaultyStore, random: &mut fastrand::Rng) {
        match self {
            Self::Calm => {}
            Self::Empty => store.lose_everything(),
            Self::Behind => {
                let snapshot = store.memory.snapshot();
                sleep(Duration::from_millis(random.u64(..4_000))).await;
                store.fall_behind(&snapshot).await;
            }
            Self::Slow => store.set(Trouble::Slow),
            Self::ReadOnly => store.set(if random.bool() { Trouble::ReadOnly } else { Trouble::None }),
            Self::Cut => store.set(if random.bool() { Trouble::Cut } else { Trouble::None }),
        }
    }

    /// Whether the store forgets what a pod that was killed had written.
    const fn forgets(self) -> bool {
        matches!(self, Self::Empty | Self::Behind)
    }
}

fn new_id(random: &mut fastrand::Rng) -> SessionId {
    SessionId::from_uuid(Uuid::from_u128(u128::from(random.u64(..)) << 64 | u128::from(random.u64(..))))
}

async fn storm(seed: u64) {
    fastrand::seed(seed);
    let random = &mut fastrand::Rng::with_seed(seed);
    let weather = Weather::ALL[usize::try_from(seed % 6).unwrap()];
    let store = Arc::new(FaultyStore::default());
    // Half of the storms with sessions that expire in the midst of it.
    let ttl = Duration::from_secs(if (seed / 6).is_multiple_of(2) { 3_600 } else { 6 });
    let start = async |name: String| start_with(Arc::clone(&store) as Arc<dyn SessionStore>, &name, ttl).await;
    let mut pods = Vec::new();
    for n in 0..3 {
        pods.push(start(format!("pod-{n}")).await);
    }
    let mut ends = Ends::default();
    let mut people: Vec<SessionId> = Vec::new();
    let (mut killed, mut left_in_trouble) = (false, false);
    let mut streams: Vec<(usize, Held, Option<PresenceGuard>)> = Vec::new();
    for step in 0..120 {
        let at = random.usize(..pods.len());
        let pod = Arc::clone(&pods[at].pod);
        let who = if people.is_empty() { None } else { Some(random.usize(..people.len())) };
        match (random.u8(..21), who) {
            (0..5, _) if pods[at].is_alive() => {
                let id = new_id(random);
                if pod.registry.start(id, UserName::anonymous(), Streams::default(), pod.clock.now()).is_ok() {
                    pod.sessions.flush().await;
                    people.push(id);
                }
            }
            (5..9, Some(who)) if pods[at].is_alive() => drop(pods[at].request(people[who], false).await),
            (9..12, Some(who)) if pods[at].is_alive() => {
                streams.extend(pods[at].request(people[who], true).await.map(|(held, guard)| (at, held, guard)));
            }
            (12, Some(who)) if pods[at].is_alive() => {
                pod.sessions.log_out_by_id(people[who], false).await;
                people.swap_remove(who);
            }
            (13, Some(who)) if pods[at].is_alive() => {
                if let Some((held, _guard)) = pods[at].request(people[who], false).await {
                    let id = new_id(random);
                    if pod.sessions.sign_in(&held, id, &UserName::from_input("ada")).await == SignIn::Done {
                        pod.sessions.flush().await;
                        people[who] = id;
                    }
                }
            }
            (14, _) if !streams.is_empty() => drop(streams.swap_remove(random.usize(..streams.len()))),
            (15, _) if step > 30 && random.u8(..4) == 0 => {
                killed = true;
                pods[at].kill().await;
                streams.retain(|(pod, ..)| *pod != at);
                let name = format!("pod-{step}");
                pods.push(start(name).await);
            }
            (16, _) if step > 30 && random.u8(..4) == 0 => {
                if let Some(signal) = pods[at].signal.take() {
                    left_in_trouble |= matches!(weather, Weather::ReadOnly | Weather::Cut);
                    let _ = signal.send(Signal::Term);
                    pods.push(start(format!("pod-{step}")).await);
                }
            }
            (17, Some(who)) if pods[at].is_alive() => {
                // The user logs out here and asks for something there, at the same time.
                let there = &pods[random.usize(..pods.len())];
                let streaming = random.bool();
                let asks = async {
                    if there.is_alive() {
                        there.request(people[who], streaming).await;
                    }
                };
                tokio::join!(pod.sessions.log_out_by_id(people[who], false), asks);
                people.swap_remove(who);
            }
            (18, _) if random.u8(..3) == 0 => {
                ends.strikes += u64::from(weather.forgets() || weather == Weather::Cut);
                weather.strike(&store, random).await;
            }
            _ => sleep(Duration::from_millis(random.u64(..1_500))).await,
        }
        pods.iter().for_each(Running::balances);
        ends.note(&pods);
    }
    store.set(Trouble::None);
    // Everybody comes to rest: leases run out, sweeps have been made.
    sleep(Duration::from_secs(60)).await;
    for running in pods.iter().filter(|running| running.is_alive()) {
        running.pod.sessions.flush().await;
    }
    ends.note(&pods);
    // What a pod could not write before its end lives on: it was ended there all the same.
    let owners = check(&pods, &store.memory, &ends, !left_in_trouble && !killed);
    let entries = store.memory.entries();
    let is_kept = |id: &SessionId| entries.iter().any(|entry| entry.session.id == *id);
    let is_lost = |id: &&SessionId| !owners.contains(id) && !ends.ended.contains_key(id) && !is_kept(id);
    let lost: Vec<_> = people.iter().filter(is_lost).collect();
    // What a killed pod had not written yet nobody can know.
    let may_be_lost = killed && (weather.forgets() || weather == Weather::Cut || weather == Weather::ReadOnly);
    assert!(lost.is_empty() || ttl < Duration::from_secs(60) || may_be_lost, "{weather:?}: lost {lost:?}");
    for mut pod in pods {
        pod.stop.cancel();
        pod.kill().await;
    }
}

/// Checks the books of the pods against each other and the store. Gives the sessions that live.
fn check(pods: &[Running], store: &MemoryStore, ends: &Ends, is_all_written: bool) -> HashSet<SessionId> {
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
    let totals = |outcome| pods.iter().map(|running| running.pod.registry.totals().ended(outcome)).sum::<u64>();
    let ended: u64 = [Outcome::Logout, Outcome::AutoLogout, Outcome::Forced, Outcome::Expired].map(totals).iter().sum();
    let logins: u64 = pods.iter().map(|running| running.pod.registry.totals().logins).sum();
    for entry in &entries {
        let end = ends.ended.get(&entry.session.id);
        assert!(end.is_none() || entry.request.is_some() || !is_all_written, "ended {end:?}, and is kept: {entry:?}");
    }
    // What a killed pod had not written yet nobody can know.
    let is_gone = |pod: &PodName| pods.iter().any(|running| running.pod.config.pod == *pod && !running.is_alive());
    let kept = entries.iter().filter(|entry| entry.request.is_none() && !is_gone(&entry.session.pod)).count();
    let unheld: Vec<_> = entries.iter().filter(|entry| !owners.contains_key(&entry.session.id)).collect();
    let balances = ended + kept as u64 <= logins + ends.strikes;
    assert!(balances || !is_all_written, "{ended} ended, {kept} kept, {logins} began; held by nobody: {unheld:#?}");
    owners.into_keys().collect()
}

#[tokio::test(start_paused = true)]
async fn sessions_live_on_one_pod_and_end_once_whatever_happens_to_pods_and_store() {
    // `STORMS=10000 cargo nextest run -p lastcall whatever_happens` looks harder; `STORM=17` repeats one.
    let number = |name| std::env::var(name).ok().and_then(|number| number.parse().ok());
    let seeds = number("STORM").map_or_else(|| 0..number("STORMS").unwrap_or(60), |seed| seed..seed + 1);
    for seed in seeds {
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
    first.pod.registry.start(id, UserName::anonymous(), Streams::default(), first.pod.clock.now()).unwrap();
    first.pod.sessions.flush().await;
    let (there, elsewhere) = tokio::join!(second.request(id, true), third.request(id, true));
    let guests = [&there, &elsewhere].into_iter().flatten().filter(|(held, _)| matches!(held, Held::Guest(_))).count();
    assert_eq!((there.is_some(), elsewhere.is_some(), guests), (true, true, 1));
    sleep(Duration::from_secs(3)).await;
    let held = [&first, &second, &third].map(|running| running.walked().len());
    assert_eq!(held.iter().sum::<usize>(), 1, "{held:?}");
    assert_eq!(first.pod.registry.totals().ended(Outcome::Moved), 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_store_has_lost_is_written_again_and_a_logout_never_comes_to_life() {
    let store = Arc::new(MemoryStore::new());
    let running = start(&store, "a").await;
    let [stays, leaves] = [1, 2].map(|n| SessionId::from_uuid(Uuid::from_u128(n)));
    let live = [stays, leaves].map(|id| {
        running.pod.registry.start(id, UserName::anonymous(), Streams::default(), running.pod.clock.now()).unwrap()
    });
    let _streams = live.each_ref().map(|live| PresenceGuard::open(&running.pod, live, PresenceKind::EventStream));
    running.pod.sessions.flush().await;
    assert_eq!(store.entries().len(), 2);
    store.lose_everything();
    crate::sessions::log_out(&running.pod.registry, &live[1], false);
    // Asked for before the writer has come to it.
    assert!(matches!(running.pod.sessions.find(leaves, Purpose::Request).await, Finding::Nowhere));
    sleep(Duration::from_secs(3)).await;
    let kept: Vec<_> = store.entries().iter().map(|entry| entry.session.id).collect();
    assert_eq!(kept, [stays]);
}
