//! What a pod does so that others know its sessions, and so that it knows of theirs. The rules are
//! `session_domain::shared`'s, what is kept is the [store](crate::store)'s; this is when, in which order, and for how long
//! anybody waits.
//!
//! - **arrival**: a session that this pod does not hold comes along: adopted, or served as a guest
//! - **writer**: the one task that writes; whoever needs to know that something is written asks it
//! - **keeper**: renews the pod's lease, and notices when the store goes, returns, or has lost everything
//! - **watcher**: looks after the pod's own sessions in the store: adopted by others, or asked for something

mod arrival;
mod guest;
mod keeper;
#[cfg(test)]
mod tests;
mod watcher;
mod writer;

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use base64::Engine as _;
use session_domain::registry::LiveSession;
use session_domain::{SessionId, Timestamp, UserName};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

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
const CLOSING: Duration = Duration::from_secs(2);

/// First sights of one session take turns: so many that two sessions rarely wait for each other.
const TURNS: usize = 64;

const UNKNOWN: u8 = 0;
const UP: u8 = 1;
const AWAY: u8 = 2;

/// A pod's side of a shared store.
pub(crate) struct Sharing {
    store: Arc<dyn SessionStore>,
    standing: AtomicU8,
    /// When the store last came back after it was away.
    returned_at: AtomicI64,
    errors: AtomicU64,
    turns: [tokio::sync::Mutex<()>; TURNS],
    waiters: mpsc::UnboundedSender<oneshot::Sender<()>>,
    waiting: Mutex<Option<mpsc::UnboundedReceiver<oneshot::Sender<()>>>>,
    touches: papaya::HashMap<SessionId, Timestamp>,
    /// Guests with an event stream here: somebody has to notice when their session ends elsewhere.
    guests: Mutex<Vec<Weak<LiveSession<Streams>>>>,
    /// Sessions that the store should have and does not: ended elsewhere, or lost there.
    missing: Mutex<Vec<Live>>,
    /// The secret that signs, where the pods agree on one: ours until they have.
    secret: Option<Mutex<String>>,
    has_agreed: AtomicBool,
}

impl Sharing {
    pub(crate) fn new(store: Arc<dyn SessionStore>, shared_key: bool) -> Self {
        let (waiters, waiting) = mpsc::unbounded_channel();
        Self {
            store,
            standing: AtomicU8::new(UNKNOWN),
            returned_at: AtomicI64::new(i64::MIN),
            errors: AtomicU64::new(0),
            turns: std::array::from_fn(|_| tokio::sync::Mutex::default()),
            waiters,
            waiting: Mutex::new(Some(waiting)),
            touches: papaya::HashMap::new(),
            guests: Mutex::default(),
            missing: Mutex::default(),
            secret: shared_key.then(|| Mutex::new(secret())),
            has_agreed: AtomicBool::new(false),
        }
    }

    /// The store should have the session, and does not.
    fn is_missing(&self, session: &Live) {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(session));
    }

    fn take_missing(&self) -> Vec<Live> {
        std::mem::take(&mut *self.missing.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the store is there, as far as is known.
    pub(crate) fn is_up(&self) -> bool {
        self.standing.load(Ordering::Acquire) == UP
    }

    /// Operations that failed.
    pub(crate) fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    /// Waits until what was changed before is written; not for long, and not at all while the store is away.
    pub(crate) async fn written(&self) {
        if !self.is_up() {
            return;
        }
        let (done, waits) = oneshot::channel();
        if self.waiters.send(done).is_ok() {
            // Written late is written behind: nothing is lost.
            let _ = timeout(WRITE_THROUGH, waits).await;
        }
    }

    /// A guest was active: its owner will see it.
    pub(crate) fn touch(&self, id: SessionId, now: Timestamp) {
        self.touches.pin().insert(id, now);
    }

    /// A guest has opened an event stream here.
    pub(crate) fn watch_guest(&self, guest: &Live) {
        self.guests().push(Arc::downgrade(guest));
    }

    /// The guests with a stream here.
    fn streaming_guests(&self) -> Vec<Live> {
        let mut guests = self.guests();
        guests.retain(|guest| guest.upgrade().is_some_and(|guest| guest.is_streaming()));
        guests.iter().filter_map(Weak::upgrade).collect()
    }

    /// The session lives here from now on: its guests' streams open again and find it.
    fn end_guests(&self, id: SessionId) {
        for guest in self.streaming_guests() {
            if guest.id() == id {
                guest.attachment().end(End::Moved);
            }
        }
    }

    fn guests(&self) -> std::sync::MutexGuard<'_, Vec<Weak<LiveSession<Streams>>>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self, id: SessionId) -> &tokio::sync::Mutex<()> {
        &self.turns[usize::from(id.as_uuid().as_bytes()[0]) % TURNS]
    }

    /// Gives what the store gave, and notes whether it is there.
    fn heard<T>(&self, answer: Result<T, StoreError>, now: Timestamp) -> Option<T> {
        match answer {
            Ok(value) => {
                self.is_there(now);
                Some(value)
            }
            Err(StoreError::Away(reason)) => {
                self.errors.fetch_add(1, Ordering::Relaxed);
                if self.standing.swap(AWAY, Ordering::AcqRel) != AWAY {
                    warn!(reason, "the session store is away: serving goes on, what changes is kept and written later");
                }
                None
            }
            Err(StoreError::Refused(reason)) => {
                self.errors.fetch_add(1, Ordering::Relaxed);
                warn!(reason, "the session store refused an operation");
                None
            }
        }
    }

    fn is_there(&self, now: Timestamp) {
        if self.standing.load(Ordering::Acquire) == UP {
            return;
        }
        match self.standing.swap(UP, Ordering::AcqRel) {
            UP => {}
            AWAY => {
                self.returned_at.store(now.as_millis(), Ordering::Release);
                info!("the session store is back");
            }
            _ => info!("sessions are shared through the store"),
        }
    }

    /// Whether pods may not have had the time to renew their leases since the store came back.
    fn is_settling(&self, now: Timestamp) -> bool {
        now < Timestamp::from_millis(self.returned_at.load(Ordering::Acquire)).plus(LEASE)
    }
}

/// Finds a session that this pod does not hold, as [`arrival::arrive`] does, within [`ARRIVAL`].
pub(crate) async fn arrive(pod: &Arc<Pod>, id: SessionId, streaming: bool) -> Option<Live> {
    let pod = Arc::clone(pod);
    timeout(ARRIVAL, to_the_end(async move { arrival::arrive(&pod, id, streaming).await }))
        .await
        .ok()
        .flatten()
        .flatten()
}

/// Does something to its end, even where whoever asked for it hangs up in the middle: what was begun in the store and not
/// in the registry would be found nowhere, or twice.
async fn to_the_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Option<T> {
    tokio::spawn(work).await.ok()
}

/// Learns which sessions other pods have taken over since they were looked at last; not for long.
pub(crate) async fn look_once_more(pod: &Arc<Pod>) {
    if let Some(sharing) = pod.sharing.as_ref().filter(|sharing| sharing.is_up()) {
        let _ = timeout(WRITE_THROUGH, watcher::look_at_all(pod, sharing)).await;
    }
}

/// Ends a session because its user leaves, wherever it lives by now.
pub(crate) async fn log_out(pod: &Arc<Pod>, session: &Live, automatic: bool) {
    if pod.sharing.is_none() {
        pod.log_out(session, automatic);
        return;
    }
    let (pod, session) = (Arc::clone(pod), Arc::clone(session));
    to_the_end(async move { log_out_shared(&pod, &session, automatic).await }).await;
}

async fn log_out_shared(pod: &Arc<Pod>, session: &Live, automatic: bool) {
    if guest::take_out(pod, session).await {
        pod.log_out(session, automatic);
        pod.written().await;
    } else if let Some(session) = as_it_is_now(pod, session).await {
        match pod.log_out(&session, automatic) {
            Some(_) => pod.written().await,
            None => guest::end(pod, &session, automatic).await,
        }
    }
}

/// Names a session's user, wherever it lives by now. `false` where it has ended.
pub(crate) async fn sign_in(pod: &Arc<Pod>, session: &Live, id: SessionId, user: &UserName) -> bool {
    if pod.sharing.is_none() {
        return pod.sign_in(session, id, user.clone());
    }
    let (pod, session, user) = (Arc::clone(pod), Arc::clone(session), user.clone());
    to_the_end(async move { sign_in_shared(&pod, &session, id, &user).await }).await.unwrap_or(false)
}

async fn sign_in_shared(pod: &Arc<Pod>, session: &Live, id: SessionId, user: &UserName) -> bool {
    if guest::take_out(pod, session).await {
        return pod.sign_in(session, id, user.clone());
    }
    let Some(session) = as_it_is_now(pod, session).await else { return false };
    pod.sign_in(&session, id, user.clone()) || guest::rename(pod, &session, id, user).await
}

/// A session that another pod has taken over, or that was a guest from the start.
async fn as_it_is_now(pod: &Arc<Pod>, session: &Live) -> Option<Live> {
    if session.is_guest() { Some(Arc::clone(session)) } else { arrive(pod, session.id(), false).await }
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
    let waiting = sharing.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(waiting) = waiting {
        tasks.spawn(writer::write(Arc::clone(pod), waiting, stop.clone()));
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
