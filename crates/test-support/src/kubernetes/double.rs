//! The double as tests use it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::Serialize;
use serde_json::Value;

use crate::kubernetes::access::{Access, InCluster};
use crate::kubernetes::fault::{Fault, Verb};
use crate::kubernetes::resource::{self, Key};
use crate::kubernetes::server::Server;
use crate::kubernetes::state::{Interruption, Options, ServerState};

/// A running double. Dropping it stops it and closes its connections.
#[derive(Debug)]
pub struct KubernetesDouble {
    state: Arc<ServerState>,
    server: Server,
    access: Access,
}

impl KubernetesDouble {
    /// Starts an empty double on a free port, with plain HTTP and without authentication.
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    /// Starts an empty double with these options.
    pub async fn with(options: Options) -> Self {
        let state = Arc::new(ServerState::new(options));
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(Arc::clone(&state), folder.path()).await;
        let access = Access::new(folder, server.port(), &state.options);
        Self { state, server, access }
    }

    /// The path of a configuration for clients, for `KUBECONFIG`.
    pub fn kubeconfig(&self) -> &Path {
        self.access.kubeconfig()
    }

    /// How to run a process as in a pod of this cluster.
    ///
    /// # Panics
    /// Panics if this machine cannot do that, and if the double lacks TLS or a token.
    pub fn in_cluster(&self, namespace: &str) -> InCluster {
        self.access.in_cluster(namespace)
    }

    /// Creates or replaces an object, whatever faults are on. Returns the revision.
    pub fn put(&self, object: &impl Serialize) -> u64 {
        let mut object = serde_json::to_value(object).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("incomplete: {object}")).to_owned();
        let resource = resource::of_kind(&text(&object["apiVersion"]), &text(&object["kind"]));
        let metadata = &object["metadata"];
        let namespace = if resource.namespaced { text(&metadata["namespace"]) } else { String::new() };
        let name = text(&metadata["name"]);
        let key = Key { plural: resource.plural, namespace, name };
        object["metadata"].as_object_mut().unwrap().remove("resourceVersion");
        let put = self.state.change(|store| {
            if store.get(&key).is_ok() {
                store.update(resource, key.clone(), object)
            } else {
                store.create(resource, key.clone(), object)
            }
        });
        put.unwrap_or_else(|refused| panic!("{refused:?}"));
        self.state.store().revision()
    }

    /// Removes an object.
    pub fn remove(&self, plural: &str, namespace: &str, name: &str) {
        let key = key(plural, namespace, name);
        self.state.change(|store| store.remove(&key, &Value::Null)).unwrap_or_else(|refused| panic!("{refused:?}"));
    }

    /// Returns an object.
    pub fn object(&self, plural: &str, namespace: &str, name: &str) -> Option<Value> {
        self.state.store().get(&key(plural, namespace, name)).ok().cloned()
    }

    /// Switches a fault on for one verb.
    pub fn fault(&self, verb: Verb, fault: Fault) {
        self.state.faults.set(verb, fault);
        if (verb, fault) == (Verb::Watch, Fault::Mute) {
            self.state.mutings.fetch_add(1, Ordering::AcqRel);
        }
        // Wakes the open watches, which check the faults.
        self.state.revision.send_modify(|_| {});
    }

    /// Switches a fault on for all verbs.
    pub fn fault_all(&self, fault: Fault) {
        Verb::ALL.into_iter().for_each(|verb| self.fault(verb, fault));
    }

    /// Switches all faults off.
    pub fn heal(&self) {
        self.state.faults.clear();
        self.reject_connections(false);
    }

    /// Starts or stops closing all connections at once, open ones included. Unlike after [`Self::stop`], new connections are
    /// counted.
    pub fn reject_connections(&self, on: bool) {
        self.state.rejects_connections.store(on, Ordering::Release);
        if on {
            self.server.close_connections();
        }
    }

    /// Stops the server: connections break, and new ones are refused. The objects stay.
    pub async fn stop(&mut self) {
        self.server.stop().await;
    }

    /// Starts the server again on the same port.
    pub async fn start_again(&mut self) {
        self.server.start_again(Arc::clone(&self.state)).await;
    }

    /// Breaks the connections of all open watches.
    pub fn cut_watches(&self) {
        self.state.interruptions.send_modify(|last| *last = Interruption::Cut(last.number() + 1));
    }

    /// Ends all open watches with the event that their revision has expired (410).
    pub fn expire_watches(&self) {
        self.state.interruptions.send_modify(|last| *last = Interruption::Expire(last.number() + 1));
    }

    /// Forgets all changes so far. Watches from earlier revisions and further pages of lists get 410.
    pub fn compact(&self) {
        self.state.store().compact();
    }

    /// How many watches are open, including muted ones.
    pub fn watching(&self) -> usize {
        self.state.watching.load(Ordering::Acquire)
    }

    /// How many requests with this verb came.
    pub fn asked(&self, verb: Verb) -> u64 {
        self.state.faults.asked(verb, None)
    }

    /// How many requests with this verb came for one resource (`configmaps`).
    pub fn asked_of(&self, verb: Verb, plural: &str) -> u64 {
        self.state.faults.asked(verb, Some(plural))
    }

    /// How many requests came.
    pub fn asked_anything(&self) -> u64 {
        Verb::ALL.into_iter().map(|verb| self.asked(verb)).sum()
    }

    /// How many connections came.
    pub fn connections(&self) -> u64 {
        self.state.connections.load(Ordering::Acquire)
    }
}

fn key(plural: &str, namespace: &str, name: &str) -> Key {
    Key { plural: resource::of_plural(plural).plural, namespace: namespace.to_owned(), name: name.to_owned() }
}
