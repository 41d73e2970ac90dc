//! The double as a test holds it.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;

use crate::kubernetes::access::{Access, InCluster};
use crate::kubernetes::fault::{Fault, Faults, Verb};
use crate::kubernetes::resource;
use crate::kubernetes::server::Server;
use crate::kubernetes::status::Status;
use crate::kubernetes::store::{Key, Store};

/// How a double is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// The bearer token that every request must show; none where unset.
    pub token: Option<String>,
    /// Whether it speaks TLS, with a certificate of its own (made by `openssl`).
    pub tls: bool,
    /// How often a watch gets a bookmark, if it asked for them.
    pub bookmarks: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { token: None, tls: false, bookmarks: Duration::from_secs(1) }
    }
}

/// How open watches are ended; each time with another number, so that each is heard.
#[derive(Clone, Copy, Debug)]
pub(super) enum Interruption {
    /// Their connections break.
    Cut(u64),
    /// They hear that they are too far behind.
    Expire(u64),
}

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: Options,
    store: Mutex<Store>,
    /// The newest revision: it wakes the watches.
    pub(super) revision: watch::Sender<u64>,
    pub(super) interruptions: watch::Sender<Interruption>,
    pub(super) faults: Faults,
    /// How many watches are open.
    pub(super) watching: AtomicUsize,
    /// How often open watches were struck dumb, for good.
    pub(super) struck_dumb: AtomicU64,
    pub(super) connections: AtomicU64,
    pub(super) turns_away: AtomicBool,
}

impl Shared {
    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something, and tells the watches.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Store) -> Result<T, Status>) -> Result<T, Status> {
        let mut store = self.store();
        let changed = change(&mut store)?;
        self.revision.send_replace(store.revision());
        Ok(changed)
    }
}

/// A running double. Gone when dropped, and its connections with it.
#[derive(Debug)]
pub struct KubernetesDouble {
    shared: Arc<Shared>,
    server: Server,
    access: Access,
}

impl KubernetesDouble {
    /// Starts one on a free port: plain HTTP, nobody has to sign in, nothing in it.
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    /// Starts one that is set up in another way.
    pub async fn with(options: Options) -> Self {
        let shared = Arc::new(Shared {
            store: Mutex::default(),
            revision: watch::Sender::new(0),
            interruptions: watch::Sender::new(Interruption::Cut(0)),
            faults: Faults::default(),
            watching: AtomicUsize::new(0),
            struck_dumb: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            turns_away: AtomicBool::new(false),
            options,
        });
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(Arc::clone(&shared), folder.path()).await;
        let access = Access::new(folder, server.port(), &shared.options);
        Self { shared, server, access }
    }

    /// A file that tells clients how to reach it, for `KUBECONFIG`.
    pub fn kubeconfig(&self) -> &Path {
        self.access.kubeconfig()
    }

    /// How a process is run as in a pod of this cluster.
    ///
    /// # Panics
    /// Where this machine cannot do that (it says why), or the double has neither TLS nor a token.
    pub fn in_cluster(&self, namespace: &str) -> InCluster {
        self.access.in_cluster(namespace)
    }

    /// Puts an object there, whatever was there before and whatever faults are on; gives its revision.
    pub fn put(&self, object: &impl Serialize) -> u64 {
        let mut object = serde_json::to_value(object).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("incomplete: {object}")).to_owned();
        let resource = resource::of_kind(&text(&object["apiVersion"]), &text(&object["kind"]));
        let metadata = &object["metadata"];
        let namespace = if resource.namespaced { text(&metadata["namespace"]) } else { String::new() };
        let name = text(&metadata["name"]);
        let key = Key { plural: resource.plural, namespace, name };
        object["metadata"].as_object_mut().unwrap().remove("resourceVersion");
        let put = self.shared.change(|store| {
            if store.get(&key).is_ok() {
                store.update(resource, key.clone(), object)
            } else {
                store.create(resource, key.clone(), object)
            }
        });
        put.unwrap_or_else(|refused| panic!("{refused:?}"));
        self.shared.store().revision()
    }

    /// Removes an object.
    pub fn remove(&self, plural: &str, namespace: &str, name: &str) {
        let key = key(plural, namespace, name);
        self.shared.change(|store| store.remove(&key, &Value::Null)).unwrap_or_else(|refused| panic!("{refused:?}"));
    }

    /// An object as it is now.
    pub fn object(&self, plural: &str, namespace: &str, name: &str) -> Option<Value> {
        self.shared.store().get(&key(plural, namespace, name)).ok().cloned()
    }

    /// Switches a fault on, for one verb.
    pub fn fault(&self, verb: Verb, fault: Fault) {
        self.shared.faults.set(verb, fault);
        if (verb, fault) == (Verb::Watch, Fault::Mute) {
            self.shared.struck_dumb.fetch_add(1, Ordering::AcqRel);
        }
        // Open watches look at it now.
        self.shared.revision.send_modify(|_| {});
    }

    /// Switches a fault on, for everything.
    pub fn fault_all(&self, fault: Fault) {
        Verb::ALL.into_iter().for_each(|verb| self.fault(verb, fault));
    }

    /// Switches all faults off.
    pub fn heal(&self) {
        self.shared.faults.clear();
        self.turn_away(false);
    }

    /// Takes connections and closes them at once, those that are open too; or no longer. Unlike after
    /// [`Self::stop`], who tries is counted.
    pub fn turn_away(&self, on: bool) {
        self.shared.turns_away.store(on, Ordering::Release);
        if on {
            self.server.close_connections();
        }
    }

    /// Stops it: connections break, new ones are refused. Everything in it stays.
    pub async fn stop(&mut self) {
        self.server.stop().await;
    }

    /// Starts it again on the same port.
    pub async fn start_again(&mut self) {
        self.server.start_again(Arc::clone(&self.shared)).await;
    }

    /// Breaks the connections of all open watches.
    pub fn cut_watches(&self) {
        self.shared.interruptions.send_modify(|last| *last = Interruption::Cut(last.number() + 1));
    }

    /// Ends all open watches with an event that says that they are too far behind (410).
    pub fn expire_watches(&self) {
        self.shared.interruptions.send_modify(|last| *last = Interruption::Expire(last.number() + 1));
    }

    /// Forgets all changes so far: a watch that begins before now, and a list that is read on, gets 410.
    pub fn compact(&self) {
        self.shared.store().compact();
    }

    /// How many watches are open, mute ones among them.
    pub fn watching(&self) -> usize {
        self.shared.watching.load(Ordering::Acquire)
    }

    /// How often this was asked, of whatever resource.
    pub fn asked(&self, verb: Verb) -> u64 {
        self.shared.faults.asked(verb, None)
    }

    /// How often this was asked of one resource (`configmaps`).
    pub fn asked_of(&self, verb: Verb, plural: &str) -> u64 {
        self.shared.faults.asked(verb, Some(plural))
    }

    /// How often anything was asked.
    pub fn asked_anything(&self) -> u64 {
        Verb::ALL.into_iter().map(|verb| self.asked(verb)).sum()
    }

    /// How many connections came.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Acquire)
    }
}

impl Interruption {
    const fn number(self) -> u64 {
        match self {
            Self::Cut(number) | Self::Expire(number) => number,
        }
    }
}

fn key(plural: &str, namespace: &str, name: &str) -> Key {
    Key { plural: resource::of_plural(plural).plural, namespace: namespace.to_owned(), name: name.to_owned() }
}
