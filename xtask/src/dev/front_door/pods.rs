//! The pods behind the front door, and the order in which they are tried.

use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::dev::ready;

/// How long a pod on this machine may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// A pod, by its name and its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dev) struct Backend {
    pub(in crate::dev) name: String,
    pub(in crate::dev) http: SocketAddr,
    /// The address that answers `/ready`.
    pub(in crate::dev) probes: SocketAddr,
}

impl Backend {
    pub(super) fn connect(&self) -> Option<TcpStream> {
        let stream = TcpStream::connect_timeout(&self.http, CONNECT_TIMEOUT).ok()?;
        stream.set_nodelay(true).ok()?;
        Some(stream)
    }

    pub(super) fn is_ready(&self) -> bool {
        self.readiness() == Some(200)
    }

    fn readiness(&self) -> Option<u16> {
        ready::status(self.probes, "/ready")
    }
}

/// All pods, and the one that gets the next tab.
#[derive(Debug)]
pub(in crate::dev) struct Pods {
    backends: Vec<Backend>,
    /// Whether the pods share sessions: then a tab leaves a draining pod with its next request, and stays signed in.
    shared: bool,
    /// Whether a whole browser belongs to one pod, not each of its tabs: in front of an app, whose paths have no tab in them.
    pub(super) by_browser: bool,
    turn: AtomicUsize,
}

impl Pods {
    pub(in crate::dev) const fn new(backends: Vec<Backend>, shared: bool, by_browser: bool) -> Self {
        Self { backends, shared, by_browser, turn: AtomicUsize::new(0) }
    }

    /// The pod that a tab belongs to, if it is tried first.
    pub(super) fn sticky(&self, names: impl IntoIterator<Item: AsRef<[u8]>>) -> Option<&Backend> {
        let named = |name: &[u8]| self.backends.iter().find(|pod| pod.name.as_bytes() == name);
        let pod = names.into_iter().find_map(|name| named(name.as_ref()))?;
        (!self.shared || pod.is_ready()).then_some(pod)
    }

    /// The other pods, from the next one on: those that are ready, then those that answer at all. The latter answer with the right
    /// page if no pod is ready: maintenance, busy or shutting down.
    pub(super) fn others(&self, sticky: Option<&Backend>) -> Vec<&Backend> {
        let turn = self.turn.load(Ordering::Relaxed) % self.backends.len().max(1);
        let (before, after) = self.backends.split_at(turn);
        let others = after.iter().chain(before).filter(|pod| Some(*pod) != sticky);
        let mut answering: Vec<_> =
            others.filter_map(|pod| Some((pod.readiness()?, pod))).map(|(status, pod)| (status != 200, pod)).collect();
        answering.sort_by_key(|(unready, _)| *unready);
        answering.into_iter().map(|(_, pod)| pod).collect()
    }

    /// Records that `pod` got a tab: the next tab goes to the pod after it.
    pub(super) fn note_given(&self, pod: &Backend) {
        if let Some(index) = self.backends.iter().position(|backend| backend == pod) {
            self.turn.store(index + 1, Ordering::Relaxed);
        }
    }
}
