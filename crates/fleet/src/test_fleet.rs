//! Fleets, pods and sessions for tests.

use proptest::prelude::*;
use session_domain::{Counters, Departure, Phase, PodName, PodReport, SessionId, SessionView, Timestamp, UserName};
use uuid::Uuid;

use crate::{Address, DiscoveredPod, Fleet, PodEvent, PodHealth};

pub(crate) const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn name(pod: &str) -> PodName {
    PodName::new(pod).unwrap()
}

pub(crate) fn report(pod: &str, phase: Phase, active_sessions: u64) -> PodReport {
    PodReport {
        pod: name(pod),
        phase,
        started_at: at(0),
        drain_started_at: (phase == Phase::Draining).then(|| at(50)),
        forced_logout_at: None,
        active_sessions,
        present_sessions: Some(active_sessions),
        protected_sessions: Some(0),
        handoff: None,
        ready: Some(phase == Phase::Serving),
        revision: "7d9f".into(),
        version: "0.1.0".into(),
        counters: Counters::default(),
        is_final: false,
    }
}

pub(crate) fn session(n: u128, pod: &str, active: i64) -> SessionView {
    SessionView {
        id: SessionId::from_uuid(Uuid::from_u128(n << 100 | n)),
        user: UserName::from_input(&format!("user {n}")),
        login_time: at(1),
        last_activity: at(active),
        pod: name(pod),
        event_streams: 1,
        websockets: 0,
        tasks: Vec::new(),
        in_flight_requests: 0,
        notified: false,
        asked_to_move: false,
        present: Some(true),
        protected: Some(false),
    }
}

/// A fleet with one pod at each address, each live with these sessions.
pub(crate) fn fleet(pods: &[(&str, &str, Vec<SessionView>)]) -> Fleet {
    let (mut fleet, mut found) = (Fleet::new(), Vec::new());
    for (address, pod, sessions) in pods {
        let address = Address::new(address);
        found.push(DiscoveredPod::at(address.clone()));
        fleet.apply_discovery(&found, at(90));
        watch(&mut fleet, &address, pod, sessions.clone());
    }
    fleet
}

pub(crate) fn watch(fleet: &mut Fleet, address: &Address, pod: &str, sessions: Vec<SessionView>) {
    fleet.apply(address, PodEvent::WatchStarted, at(100));
    fleet.apply(address, PodEvent::Report(report(pod, Phase::Serving, sessions.len() as u64)), at(100));
    fleet.apply(address, PodEvent::Snapshot { sessions, end: true }, at(100));
}

/// These addresses, as discovery lists them.
pub(crate) fn discovered(addresses: &[&str]) -> Vec<DiscoveredPod> {
    addresses.iter().map(|address| DiscoveredPod::at(Address::new(address))).collect()
}

pub(crate) fn health(fleet: &Fleet, address: &str) -> PodHealth {
    fleet.view().pod(&Address::new(address)).unwrap().health()
}

pub(crate) fn pod_event() -> impl Strategy<Value = PodEvent> {
    let sessions = || prop::collection::vec((0..12_u128, 0..3_u8, 0..200_i64), 0..6);
    let make = |all: Vec<(u128, u8, i64)>| -> Vec<SessionView> {
        all.into_iter().map(|(n, pod, active)| session(n, &format!("user-{pod}"), active + 1)).collect()
    };
    prop_oneof![
        Just(PodEvent::WatchStarted),
        (0..3_u8, any::<bool>()).prop_map(|(pod, is_final)| {
            PodEvent::Report(PodReport { is_final, ..report(&format!("user-{pod}"), Phase::Serving, 0) })
        }),
        (sessions(), any::<bool>()).prop_map(move |(all, end)| PodEvent::Snapshot { sessions: make(all), end }),
        (sessions(), prop::collection::vec(0..12_u128, 0..4)).prop_map(move |(all, gone)| PodEvent::Changes {
            upserts: make(all),
            removals: gone.into_iter().map(|n| (session(n, "x", 1).id, Departure::Unknown)).collect(),
        }),
        Just(PodEvent::Unreachable("gone".into())),
        Just(PodEvent::InvalidMessage("nonsense".into())),
    ]
}
