//! Everything that a page shows, at one moment.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use fleet::FleetView;
use tokio::sync::watch;

use super::Picture;
use crate::audit::{Audit, Entry};
use crate::maintenance::{Maintenance, Stand};
use crate::orphans::Orphans;

/// What there is to see.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scene {
    /// Pods and sessions.
    pub(crate) view: Arc<FleetView>,
    /// The maintenance switch, where one was named.
    pub(crate) switch: Option<Switched>,
    /// Sessions that no pod holds, where somebody looks for them.
    pub(crate) orphans: Option<Arc<Orphans>>,
    /// What operators did.
    pub(crate) deeds: Arc<VecDeque<Entry>>,
    /// The panel, which is the same for all who look at it: drawn once.
    pub(crate) panel: OnceLock<Arc<Picture>>,
}

/// The switch and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Switched {
    /// What it calls itself.
    pub(crate) name: String,
    /// Where it stands.
    pub(crate) stand: Stand,
}

/// Where scenes come from. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Sources {
    pub(crate) views: watch::Receiver<Arc<FleetView>>,
    pub(crate) maintenance: Option<Maintenance>,
    pub(crate) orphans: Option<watch::Receiver<Arc<Orphans>>>,
    pub(crate) audit: Audit,
}

impl Sources {
    /// How things stand now.
    pub(crate) fn scene(&self) -> Scene {
        let switched = |maintenance: &Maintenance| Switched { name: maintenance.name(), stand: maintenance.stand() };
        Scene {
            view: Arc::clone(&self.views.borrow()),
            switch: self.maintenance.as_ref().map(switched),
            orphans: self.orphans.as_ref().map(|orphans| Arc::clone(&orphans.borrow())),
            deeds: self.audit.entries(),
            panel: OnceLock::new(),
        }
    }
}
