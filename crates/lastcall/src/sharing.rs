//! What a pod does so that others know its sessions, and so that it knows of theirs. The rules are
//! `session_domain::shared`'s, what is kept is the [store](crate::store)'s; this is when, in which order, and for how long
//! anybody waits.
//!
//! - **arrival**: a session that this pod does not hold comes along: adopted, or served as a guest
//! - **writer**: the one task that writes; whoever needs to know that something is written asks it
//! - **owner**, **guest**: how a session ends or is renamed, by the pod that owns it and by one that only serves it
//! - **keeper**: renews the pod's lease, and notices when the store goes, returns, or has lost everything
//! - **standing**: whether the store is there
//! - **watcher**: looks after the pod's own sessions in the store: adopted by others, or asked for something

mod arrival;
mod guest;
mod keeper;
mod owner;
mod standing;
#[cfg(test)]
mod tests;
mod watcher;
mod writer;

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use base64::Engine as _;
pub(crate) use owner::{end_all, log_out, sign_in};
use session_domain::registry::LiveSession;
use session_domain::shared::Owner;
use session_domain::{PodName, SessionId, Timestamp};
use standing::Standing;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use writer::Ask;

use crate::pod::{Live, Pod};
use crate::store::{SessionStore, StoreError};
use crate::streams::{End, Streams};

/// A pod that says nothing for so long is gone.
const LEASE: Duration = Duration::from_secs(5);

/// A request waits so long for what it has changed to be written. After that it is written behind.
const WRITE_THROUGH: Duration = Duration::from_millis(300);

/// A request waits so long to learn of a session that this pod does not hold.
const ARRIVAL: Duration = Duration::from_millis(1_500);

/// A pod that starts waits so long for its store.
const FIRST_CONTACT: Duration = Duration::from_secs(3);

/// At the end the store gets so long to take what is unwritten.
pub(crate) const CLOSING: Duration = Duration::from_secs(2);

/// First sights of one session take turns: so many that two sessions rarely wait for each other.
const TURNS: usize = 64;

/// A pod that lives is asked for again after so long: its guests here cost one question a request, not two.
const ALIVE_HOLDS: Duration = Duration::from_millis(500);

/// A pod's side of a shared store.
pub(crate) struct Sharing {
    store: Arc<dyn SessionStore>,
    standing: Standing,
    turns: [tokio::sync::Mutex<()>; TURNS],
    writer: mpsc::UnboundedSender<Ask>,
    asked: Mutex<Option<mpsc::UnboundedReceiver<Ask>>>,
    touches: papaya::HashMap<SessionId, Timestamp>,
    /// When other pods were last found alive.
    alive: papaya::HashMap<PodName, Timestamp>,
    /// Guests with an event stream here: somebody has to notice when their session ends elsewhere.
    guests: Mutex<HashMap<SessionId, Vec<Weak<LiveSession<Streams>>>>>,
    /// Sessions of other pods whose users left while nobody could be told, and whether by themselves.
    ended: Mutex<HashMap<SessionId, bool>>,
    /// Sessions that the store should have and does not: ended elsewhere, or lost there.
    missing: Mutex<HashMap<SessionId, Live>>,
    /// The secret that signs, where the pods agree on one: ours until they have.
    secret: Option<Mutex<String>>,
    has_agreed: AtomicBool,
}

impl Sharing {
    pub(crate) fn new(store: Arc<dyn SessionStore>, shared_key: bool) -> Self {
        let (writer, asked) = mpsc::unbounded_channel();
        Self {
            store,
            standing: Standing::new(),
            turns: std::array::from_fn(|_| tokio::sync::Mutex::default()),
            writer,
            asked: Mutex::new(Some(asked)),
            touches: papaya::HashMap::new(),
            alive: papaya::HashMap::new(),
            ended: Mutex::default(),
            guests: Mutex::default(),
            missing: Mutex::default(),
            secret: shared_key.then(|| Mutex::new(secret())),
            has_agreed: AtomicBool::new(false),
        }
    }

    /// The store should have the session, and does not.
    fn is_missing(&self, session: &Live) {
        locked(&self.missing).insert(session.id(), Arc::clone(session));
    }

    fn take_missing(&self) -> HashMap<SessionId, Live> {
        std::mem::take(&mut *locked(&self.missing))
    }

    /// Whether the store is there, as far as is known.
    pub(crate) fn is_up(&self) -> bool {
        self.standing.is_up()
    }

    /// Operations that failed.
    pub(crate) fn errors(&self) -> u64 {
        self.standing.errors()
    }

    /// Waits until what was changed before is written; not for long, and not at all while the store is away.
    pub(crate) async fn written(&self) {
        if !self.is_up() {
            return;
        }
        let (done, waits) = oneshot::channel();
        if self.writer.send(Ask::Written(done)).is_ok() {
            // Written late is written behind: nothing is lost.
            let _ = timeout(WRITE_THROUGH, waits).await;
        }
    }

    /// Takes sessions of this pod out of the store, so that nobody else has them any more, and gives those that were ours to
    /// take: another pod may have some by now, or have had and ended them. What the store does not say within `patience` is
    /// taken for ours: neither a logout nor the end of a drain waits for a store.
    async fn take_out(&self, sessions: Vec<Live>, patience: Duration) -> Vec<Live> {
        let (done, taken) = oneshot::channel();
        if !self.is_up() || self.writer.send(Ask::TakeOut(sessions.clone(), done)).is_err() {
            return sessions;
        }
        match timeout(patience, taken).await {
            Ok(Ok(ours)) => ours,
            Ok(Err(_)) | Err(_) => sessions,
        }
    }

    /// A guest was active: its owner will see it.
    pub(crate) fn touch(&self, id: SessionId, now: Timestamp) {
        self.touches.pin().update_or_insert(id, |known| now.max(*known), now);
    }

    /// A guest has opened an event stream here.
    pub(crate) fn watch_guest(&self, guest: &Live) {
        locked(&self.guests).entry(guest.id()).or_default().push(Arc::downgrade(guest));
    }

    /// The guests with a stream here.
    fn streaming_guests(&self) -> Vec<Live> {
        let mut guests = locked(&self.guests);
        guests.retain(|_, guests| {
            guests.retain(|guest| guest.upgrade().is_some_and(|guest| guest.is_streaming()));
            !guests.is_empty()
        });
        guests.values().flatten().filter_map(Weak::upgrade).collect()
    }

    /// The session lives here from now on: its guests' streams open again and find it.
    fn end_guests(&self, id: SessionId) {
        for guest in locked(&self.guests).remove(&id).into_iter().flatten().filter_map(|guest| guest.upgrade()) {
            guest.attachment().end(End::Moved);
        }
    }

    /// The user of a session of another pod has left, and nobody can be told now.
    fn end_later(&self, id: SessionId, automatic: bool) {
        locked(&self.ended).insert(id, automatic);
    }

    fn take_ended(&self) -> HashMap<SessionId, bool> {
        std::mem::take(&mut *locked(&self.ended))
    }

    fn turn(&self, id: SessionId) -> &tokio::sync::Mutex<()> {
        &self.turns[usize::from(id.as_uuid().as_bytes()[0]) % TURNS]
    }

    /// Gives what the store gave, and notes whether it is there.
    fn heard<T>(&self, answer: Result<T, StoreError>, now: Timestamp) -> Option<T> {
        self.standing.heard(answer, now)
    }

    /// How a pod stands. One that lived a moment ago lives.
    async fn owner(&self, pod: &PodName, now: Timestamp) -> Option<Owner> {
        if self.alive.pin().get(pod).is_some_and(|asked| now < asked.plus(ALIVE_HOLDS)) {
            return Some(Owner::Alive);
        }
        let owner = self.heard(self.store.owner(pod).await, now)?;
        let alive = self.alive.pin();
        if owner == Owner::Alive {
            alive.insert(pod.clone(), now);
        } else {
            alive.remove(pod);
        }
        Some(owner)
    }
}

/// What is behind these locks is whole after any panic: each change of it is a single one.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What became of a search for a session that this pod does not hold.
pub(crate) enum Arrival {
    /// It is here now, or is served here as a guest.
    Found(Live),
    /// There is no such session.
    Nowhere,
    /// The store cannot say.
    Unclear {
        /// Whether to ask again is better than to begin anew: it will be able to, soon.
        wait: bool,
    },
}

/// Finds a session that this pod does not hold, as [`arrival::arrive`] does, within [`ARRIVAL`].
pub(crate) async fn arrive(pod: &Arc<Pod>, id: SessionId, streaming: bool) -> Arrival {
    let pod = Arc::clone(pod);
    let arriving = to_the_end(async move { arrival::arrive(&pod, id, streaming).await });
    timeout(ARRIVAL, arriving).await.ok().flatten().unwrap_or(Arrival::Unclear { wait: true })
}

/// The user of a session that cannot be looked for now leaves.
pub(crate) fn log_out_later(pod: &Pod, id: SessionId, automatic: bool) {
    guest::end_later(pod, id, automatic);
}

/// Does something to its end, even where whoever asked for it hangs up in the middle: what was begun in the store and not
/// in the registry would be found nowhere, or twice.
async fn to_the_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Option<T> {
    tokio::spawn(work).await.ok()
}

/// Learns which of these sessions other pods have taken over, and how active they were there, since they were looked at
/// last; not for long.
pub(crate) async fn look_once_more(pod: &Arc<Pod>, sessions: &[Live]) {
    if let Some(sharing) = pod.sharing.as_ref().filter(|sharing| sharing.is_up()) {
        let ids = sessions.iter().map(|session| session.id()).collect();
        let _ = timeout(WRITE_THROUGH, watcher::look_again(pod, sharing, ids)).await;
    }
}

/// A secret that nobody else has.
fn secret() -> String {
    let mut bytes = [0_u8; 48];
    for part in bytes.chunks_mut(16) {
        part.copy_from_slice(uuid::Uuid::new_v4().as_bytes());
    }
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Begins to share: waits for the store, but not for ever, and starts the tasks.
pub(crate) async fn begin(pod: &Arc<Pod>, stop: &CancellationToken) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let Some(sharing) = &pod.sharing else { return tasks };
    let epoch = timeout(FIRST_CONTACT, keeper::renew(pod, sharing)).await.ok().flatten();
    let asked = locked(&sharing.asked).take();
    if let Some(asked) = asked {
        tasks.spawn(writer::write(Arc::clone(pod), asked, stop.clone()));
    }
    tasks.spawn(keeper::keep(Arc::clone(pod), epoch, stop.clone()));
    tasks.spawn(watcher::watch(Arc::clone(pod), stop.clone()));
    tasks
}

/// Writes what is unwritten and takes the pod's leave, as far as the time allows.
pub(crate) async fn end(pod: &Pod, mut tasks: JoinSet<()>, stop: &CancellationToken) {
    let Some(sharing) = &pod.sharing else { return };
    stop.cancel();
    let closing = async {
        while tasks.join_next().await.is_some() {}
        if sharing.is_up() {
            let left = sharing.store.leave(&pod.config.pod).await;
            sharing.heard(left, pod.clock.now());
        }
    };
    if timeout(CLOSING, closing).await.is_err() {
        warn!(closing.seconds = CLOSING.as_secs(), "the session store did not take everything in time");
    }
}
