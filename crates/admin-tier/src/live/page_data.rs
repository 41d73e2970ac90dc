//! Everything that pages show, at one moment.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use fleet::FleetView;
use tokio::sync::watch;

use super::Fragments;
use crate::audit::{Audit, AuditEntry};
use crate::maintenance::{Maintenance, ObservedSwitch};
use crate::orphans::Orphans;

/// What pages show.
#[derive(Clone, Debug, Default)]
pub(crate) struct PageData {
    /// Pods and sessions.
    pub(crate) view: Arc<FleetView>,
    /// The maintenance switch, where one is configured.
    pub(crate) switch: Option<SwitchData>,
    /// Sessions that no pod holds, where the store is shared.
    pub(crate) orphans: Option<Arc<Orphans>>,
    /// The audit log, newest first.
    pub(crate) audit_entries: Arc<VecDeque<AuditEntry>>,
    /// The rendered panel. It is the same for every viewer, so it is rendered once.
    pub(crate) panel: OnceLock<Arc<Fragments>>,
}

/// The maintenance switch and its state.
#[derive(Clone, Debug)]
pub(crate) struct SwitchData {
    /// The switch's name: its file or ConfigMap.
    pub(crate) name: String,
    /// The state that was read last.
    pub(crate) state: ObservedSwitch,
}

/// Where page data is read. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct PageSources {
    pub(crate) views: watch::Receiver<Arc<FleetView>>,
    pub(crate) maintenance: Option<Maintenance>,
    pub(crate) orphans: Option<watch::Receiver<Arc<Orphans>>>,
    pub(crate) audit: Audit,
}

impl PageSources {
    /// Reads the current page data.
    pub(crate) fn page_data(&self) -> PageData {
        let switch = |maintenance: &Maintenance| SwitchData { name: maintenance.name(), state: maintenance.state() };
        PageData {
            view: Arc::clone(&self.views.borrow()),
            switch: self.maintenance.as_ref().map(switch),
            orphans: self.orphans.as_ref().map(|orphans| Arc::clone(&orphans.borrow())),
            audit_entries: self.audit.entries(),
            panel: OnceLock::new(),
        }
    }
}
