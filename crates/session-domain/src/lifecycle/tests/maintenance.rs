//! Maintenance: announced, cancelled, ended, overtaken by a shutdown, and its readiness.

use super::{TERM, TICK, after, at, lines, with};
use crate::lifecycle::*;
use crate::pod::Phase;

#[test]
fn a_shutdown_overtakes_a_maintenance_with_the_earlier_deadline_and_the_same_notice() {
    for (terminated_at, deadline) in [(10, 60), (59, 60)] {
        let (machine, effects) = after(&[(Event::MaintenanceOn, with(0, 2)), (TERM, with(terminated_at, 2))]);
        let notices: Vec<_> =
            effects.iter().filter_map(|e| if let Effect::Notify(n) = e { Some(*n) } else { None }).collect();
        assert_eq!(notices.len(), 1);
        assert_eq!((notices[0].reason, notices[0].deadline), (Reason::Shutdown, at(deadline)));
        let (maintenance, _) = after(&[(Event::MaintenanceOn, with(0, 2))]);
        assert_eq!(Some(notices[0].id), maintenance.notice().map(|n| n.id));
        assert_eq!(machine.phase(), Phase::Draining);
    }
}

#[test]
fn maintenance_is_announced_counted_down_cancelled_and_closed() {
    let (countdown, effects) = after(&[(Event::MaintenanceOn, with(0, 3))]);
    assert_eq!(lines(&effects), ["[MAINTENANCE] Maintenance mode enabled, notifying 3 users"]);
    assert_eq!(countdown.readiness(), Readiness::Ready);

    let (off, effects) = countdown.step(Event::MaintenanceOff, with(5, 3));
    assert_eq!(off.state(), State::Serving);
    assert_eq!(
        effects,
        [
            Effect::Log(LogLine::MaintenanceDisabled),
            Effect::CancelNotice(Reason::Maintenance),
            Effect::SetAdmission(Admission::Open)
        ]
    );

    // No session is present, but a laptop may wake up.
    let absent = Situation { now: at(9), population: Population { held: 1, ..Population::default() }, can_move: false };
    let (emptied, effects) = countdown.step(Event::PopulationChanged, absent);
    assert_eq!((emptied.readiness(), effects), (Readiness::Maintenance, vec![]));
    let (back, effects) = emptied.step(Event::PopulationChanged, with(10, 1));
    assert_eq!((back.readiness(), effects), (Readiness::Maintenance, vec![]));

    let (closed, effects) = countdown.step(TICK, with(60, 1));
    assert_eq!((closed.state(), closed.readiness()), (State::MaintenanceClosed, Readiness::Maintenance));
    assert_eq!(
        effects,
        [
            Effect::SetAdmission(Admission::Closed),
            Effect::ForceClose(Reason::Maintenance),
            Effect::ReleaseRemaining,
            Effect::EndNotice,
        ]
    );

    let (closed, effects) = countdown.step(Event::PopulationChanged, with(9, 0));
    assert_eq!(closed.state(), State::MaintenanceClosed, "no session is held any more");
    assert!(effects.contains(&Effect::EndNotice) && !effects.contains(&Effect::ForceClose(Reason::Maintenance)));
}

#[test]
fn a_pod_that_starts_in_maintenance_notifies_no_session() {
    let (machine, effects) = after(&[(Event::MaintenanceOn, with(0, 0))]);
    assert_eq!(machine.state(), State::MaintenanceClosed);
    assert!(!effects.iter().any(|e| matches!(e, Effect::Notify(_))));
}

#[test]
fn readiness_follows_the_policy() {
    for (choice, countdown, closed) in [
        (MaintenanceReadiness::AfterDrain, Readiness::Ready, Readiness::Maintenance),
        (MaintenanceReadiness::Immediate, Readiness::Maintenance, Readiness::Maintenance),
        (MaintenanceReadiness::Never, Readiness::Ready, Readiness::Ready),
    ] {
        let policy = Policy { maintenance_readiness: choice, ..Policy::default() };
        let (counting, _) = Lifecycle::new(policy).step(Event::MaintenanceOn, with(0, 1));
        assert_eq!(counting.readiness(), countdown, "{choice:?}");
        assert_eq!(counting.step(TICK, with(60, 1)).0.readiness(), closed, "{choice:?}");
    }
    for (choice, draining) in
        [(ReadinessWhileDraining::Fail, Readiness::ShuttingDown), (ReadinessWhileDraining::Hold, Readiness::Ready)]
    {
        let policy = Policy { readiness_while_draining: choice, ..Policy::default() };
        let (machine, _) = Lifecycle::new(policy).step(TERM, with(0, 1));
        assert_eq!(machine.readiness(), draining, "{choice:?}");
        assert_eq!(machine.step(Event::PopulationChanged, with(1, 0)).0.readiness(), Readiness::ShuttingDown);
    }
}
