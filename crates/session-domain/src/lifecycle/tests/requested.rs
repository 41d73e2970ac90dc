//! Drains that no signal began: where they end, and what signals do in the course of them.

use super::*;

const ENOUGH: i64 = 1000;

#[test]
fn a_drain_that_was_asked_for_ends_in_a_pod_that_serves_until_a_signal() {
    let (draining, effects) = after(&[(DRAIN, with(0, 2))]);
    assert_eq!(
        lines(&effects),
        [
            "[GRACEFUL SHUTDOWN] Received drain request",
            "[GRACEFUL SHUTDOWN] 2 active users detected",
            "[GRACEFUL SHUTDOWN] Sending drain notification to 2 users...",
            "[GRACEFUL SHUTDOWN] Waiting 60s for users to logout gracefully...",
        ]
    );
    assert_eq!((draining.admission(), draining.readiness()), (Admission::Closed, Readiness::ShuttingDown));
    let (propagating, _) = draining.step(Event::PopulationChanged, with(20, 0));
    assert!(!propagating.is_drained());
    let (drained, effects) = propagating.step(TICK, with(35, 0));
    assert_eq!(lines(&effects), ["[GRACEFUL SHUTDOWN] Drained, serving until SIGTERM..."]);
    assert_eq!(drained.state(), State::Drained { since: at(0) });
    assert!(drained.is_drained());
    assert_eq!((drained.wakes_at(), drained.phase()), (None, crate::pod::Phase::Propagating));
    assert_eq!((drained.admission(), drained.readiness()), (Admission::Closed, Readiness::ShuttingDown));
    assert_eq!(drained.drain_started_at(), Some(at(0)));
    let (stopped, effects) = drained.step(TERM, with(ENOUGH, 0));
    assert_eq!(
        effects,
        [Effect::Log(LogLine::Received(Signal::Term)), Effect::Log(LogLine::ShuttingDown), Effect::Exit]
    );
    assert_eq!(stopped.state(), State::Stopped { since: at(0) });
}

#[test]
fn asking_again_changes_nothing_whoever_began_the_drain() {
    for begun in [TERM, DRAIN] {
        let histories: [&[(Event, Situation)]; 3] = [
            &[(begun, with(0, 2))],
            &[(begun, with(0, 0))],
            &[(begun, with_work(0, 1, 1, 0)), (Event::PopulationChanged, with_work(1, 0, 0, 1))],
        ];
        for history in histories {
            let machine = after(history).0;
            assert_eq!(machine.step(DRAIN, with_work(2, 2, 0, 1)), (machine, Vec::new()), "{begun:?}");
        }
    }
}

#[test]
fn the_first_signal_lets_the_drain_go_on_to_the_exit_and_a_second_one_hurries_it() {
    let (draining, _) = after(&[(DRAIN, with(0, 2))]);
    let (going_on, effects) = draining.step(TERM, with(5, 2));
    assert_eq!(lines(&effects), ["[GRACEFUL SHUTDOWN] Received SIGTERM signal"]);
    assert_eq!((going_on.state(), going_on.notice()), (draining.state(), draining.notice()));
    let (propagating, _) = going_on.step(Event::PopulationChanged, with(10, 0));
    let (stopped, effects) = propagating.step(TICK, with(25, 0));
    assert_eq!(stopped.state(), State::Stopped { since: at(0) });
    assert_eq!(lines(&effects), ["[GRACEFUL SHUTDOWN] Shutting down cleanly..."]);
    for waiting in [going_on, propagating] {
        let (stopped, effects) = waiting.step(TERM, with(11, 0));
        assert_eq!(stopped.state(), State::Stopped { since: at(0) });
        assert_eq!(effects[0], Effect::Log(LogLine::Hurried));
    }
}

#[test]
fn a_second_signal_is_ignored_after_a_first_one_that_came_in_the_middle_where_the_policy_says_so() {
    let policy = Policy { second_signal: SecondSignal::Ignore, ..Policy::default() };
    let (draining, _) = Lifecycle::new(policy).step(DRAIN, with(0, 2));
    let (going_on, first) = draining.step(TERM, with(1, 2));
    let (same, second) = going_on.step(TERM, with(2, 2));
    assert_eq!(first, [Effect::Log(LogLine::Received(Signal::Term))]);
    assert_eq!((same, second), (going_on, vec![Effect::Log(LogLine::Ignored(Signal::Term))]));
    // The drain is over: the first signal is no second one.
    let (drained, _) = Lifecycle::new(policy).step(DRAIN, with(0, 0)).0.step(TICK, with(15, 0));
    assert_eq!(drained.step(TERM, with(20, 0)).0.state(), State::Stopped { since: at(0) });
}

#[test]
fn sigquit_ends_a_drain_that_was_asked_for_at_once() {
    let (draining, _) = after(&[(DRAIN, with(0, 2))]);
    let (stopped, effects) = draining.step(Event::Terminate(Signal::Quit), with(1, 2));
    assert_eq!(stopped.state(), State::Stopped { since: at(0) });
    assert_eq!(effects[..2], [Effect::Log(LogLine::Received(Signal::Quit)), Effect::ForceClose(Reason::Shutdown)]);
}

#[test]
fn resources_are_closed_at_the_signal_and_not_while_the_pod_goes_on_serving() {
    let policy = Policy { close_timeout: Some(Duration::from_secs(10)), ..Policy::default() };
    let (drained, effects) = Lifecycle::new(policy).step(DRAIN, with(0, 0)).0.step(TICK, with(15, 0));
    assert!(!effects.contains(&Effect::CloseResources));
    let (closing, effects) = drained.step(TERM, with(100, 0));
    assert!(effects.contains(&Effect::CloseResources));
    assert_eq!(closing.state(), State::Closing { since: at(0), until: at(110) });
}

#[test]
fn a_drain_that_is_asked_for_in_maintenance_takes_its_countdown_over() {
    let (countdown, _) = after(&[(Event::MaintenanceOn, with(0, 2))]);
    let (draining, _) = countdown.step(DRAIN, with(20, 2));
    let (before, after) = (countdown.notice().unwrap(), draining.notice().unwrap());
    assert_eq!((after.id, after.deadline, after.reason), (before.id, at(60), Reason::Shutdown));
    // Turned off in the middle, the switch brings nothing back.
    assert_eq!(draining.step(Event::MaintenanceOff, with(21, 2)).0, draining);
    let (closed, _) = super::after(&[(Event::MaintenanceOn, with(0, 0))]);
    let (drained, _) = closed.step(DRAIN, with(1, 0)).0.step(TICK, with(16, 0));
    assert_eq!(drained.state(), State::Drained { since: at(1) });
}
