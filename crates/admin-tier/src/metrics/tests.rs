//! The metrics page of a fleet in given states.

use fleet::{Address, DiscoveredPod, Fleet, PodEvent};
use session_domain::PodName;
use test_support::metric;

use super::*;

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn report(phase: Phase, forced_logout_at: Option<Timestamp>) -> PodReport {
    PodReport {
        pod: PodName::new("user-1").unwrap(),
        phase,
        started_at: at(0),
        drain_started_at: None,
        forced_logout_at,
        active_sessions: 0,
        present_sessions: Some(0),
        protected_sessions: Some(0),
        handoff: None,
        ready: Some(true),
        revision: "".into(),
        version: String::new(),
        counters: Counters { logins: 7, ..Counters::default() },
        is_final: false,
    }
}

fn page(fleet: &Fleet, now: i64) -> String {
    render(&fleet.view(), ProcessMetrics::default(), at(now))
}

#[test]
fn phase_and_deadline_are_shown_while_the_pod_can_be_reached() {
    let address = Address::new("10.0.0.1:9091");
    let mut fleet = Fleet::new();
    fleet.apply_discovery(&[DiscoveredPod::at(address.clone())], at(0));
    let series = |fleet: &Fleet, now| {
        let page = page(fleet, now);
        let phases = Phase::ALL.map(|phase| {
            metric(&page, &format!(r#"lastcall_admin_pod_phase{{pod="user-1",phase="{}"}}"#, phase.as_str()))
        });
        (phases, metric(&page, r#"lastcall_admin_pod_forced_logout_timestamp_seconds{pod="user-1"}"#))
    };
    let only = |phase| Phase::ALL.map(|each| Some(f64::from(u8::from(each == phase))));
    // A pod counts as reachable from the end of its snapshot on.
    for (phase, deadline) in
        [(Phase::Serving, None), (Phase::Draining, Some(at(60))), (Phase::Propagating, None), (Phase::Closing, None)]
    {
        fleet.apply(&address, PodEvent::WatchStarted, at(1));
        fleet.apply(&address, PodEvent::Report(report(phase, deadline)), at(1));
        fleet.apply(&address, PodEvent::Snapshot { sessions: Vec::new(), end: true }, at(1));
        assert_eq!(series(&fleet, 2), (only(phase), deadline.map(|_| 60.0)), "{phase}");
    }
    fleet.apply(&address, PodEvent::Report(PodReport { is_final: true, ..report(Phase::Propagating, None) }), at(3));
    assert_eq!(series(&fleet, 4), ([None; 5], None), "the pod has finished");
}

#[test]
fn a_departed_pods_counters_stay_ten_minutes_while_its_gauges_go() {
    let address = Address::new("10.0.0.1:9091");
    let mut fleet = Fleet::new();
    fleet.apply_discovery(&[DiscoveredPod::at(address.clone())], at(0));
    let last = PodReport { is_final: true, ..report(Phase::Propagating, None) };
    fleet.apply(&address, PodEvent::Report(last), at(100));
    let series = |fleet: &Fleet, now| {
        let page = page(fleet, now);
        [r#"total_logins{pod="user-1"}"#, r#"lastcall_admin_pod_up{pod="user-1"}"#].map(|name| metric(&page, name))
    };
    assert_eq!(series(&fleet, 101), [Some(7.0), None], "a finished pod is not missed, though discovery still lists it");
    fleet.apply_discovery(&[], at(102));
    assert_eq!(series(&fleet, 103), [Some(7.0), None]);
    for (now, counter) in [(200, Some(7.0)), (700, Some(7.0)), (701, None)] {
        fleet.expire(at(now));
        assert_eq!(series(&fleet, now), [counter, None], "{now} s");
    }
    assert!(fleet.view().pods().is_empty());
}
