//! Protected work, and the closing of resources.

use super::*;

const GRACE: Policy = Policy {
    drain_timeout: Duration::from_secs(60),
    progress_interval: Duration::from_secs(10),
    task_grace: Duration::from_secs(30),
    propagation_wait: Duration::from_secs(15),
    handoff: None,
    close_timeout: None,
    maintenance_readiness: MaintenanceReadiness::AfterDrain,
    readiness_while_draining: ReadinessWhileDraining::Hold,
    second_signal: SecondSignal::Hurry,
};

/// Runs a history. Returns the machine and all lines.
fn log_of(policy: Policy, history: &[(Event, Situation)]) -> (Lifecycle, Vec<String>) {
    history.iter().fold((Lifecycle::new(policy), Vec::new()), |(machine, mut log), (event, situation)| {
        let (machine, effects) = machine.step(*event, *situation);
        log.extend(lines(&effects));
        (machine, log)
    })
}

#[test]
fn protected_sessions_are_waited_for_at_the_deadline_and_the_others_are_force_closed() {
    let (machine, _) = log_of(GRACE, &[(TERM, with_work(0, 3, 2, 0))]);
    let (machine, effects) = machine.step(TICK, with_work(60, 3, 2, 0));
    assert_eq!(
        effects,
        [
            Effect::ForceCloseUnprotected(Reason::Shutdown),
            Effect::ReleaseUnprotected,
            Effect::Log(LogLine::WaitingForWork(Reason::Shutdown, Duration::from_secs(30), 2)),
        ]
    );
    assert_eq!(lines(&effects), ["[GRACEFUL SHUTDOWN] Waiting up to 30s for 2 sessions with work in progress..."]);
    assert_eq!((machine.phase(), machine.readiness()), (crate::pod::Phase::Draining, Readiness::Ready));
    assert_eq!(machine.wakes_at(), Some(at(70)), "the next line about progress");
    let (machine, effects) = machine.step(TICK, with_work(70, 2, 1, 0));
    assert_eq!(lines(&effects), ["[GRACEFUL SHUTDOWN] 1 session with work in progress (20s left)..."]);
    // The work is done: the sessions that are still present are force-closed.
    let (machine, effects) = machine.step(Event::PopulationChanged, with(75, 2));
    assert_eq!(effects[0], Effect::ForceClose(Reason::Shutdown));
    assert_eq!(machine.state(), State::Propagating { since: at(0), until: at(90) });
}

#[test]
fn work_is_cut_when_its_time_is_over() {
    for (grace, over) in [(30, 90), (0, 60)] {
        let policy = Policy { task_grace: Duration::from_secs(grace), ..GRACE };
        let history = [(TERM, with_work(0, 1, 1, 0)), (TICK, with_work(60, 1, 1, 0))];
        let (mut machine, mut effects) = (Lifecycle::new(policy), Vec::new());
        for (event, situation) in history {
            (machine, effects) = machine.step(event, situation);
        }
        if grace > 0 {
            (machine, effects) = machine.step(TICK, with_work(90, 1, 1, 0));
        }
        assert_eq!(effects[..2], [Effect::ForceClose(Reason::Shutdown), Effect::CutWork], "{grace}");
        assert_eq!(machine.state(), State::Propagating { since: at(0), until: at(over + 15) });
    }
}

#[test]
fn a_shutdown_waits_for_the_work_of_sessions_that_other_pods_hold() {
    let (machine, log) =
        log_of(GRACE, &[(TERM, with_work(0, 1, 1, 0)), (Event::PopulationChanged, with_work(20, 0, 0, 1))]);
    assert_eq!(
        log[log.len() - 2..],
        [
            "[GRACEFUL SHUTDOWN] 0 users remaining (40s left)...",
            "[GRACEFUL SHUTDOWN] Waiting up to 70s for 1 session with work in progress...",
        ]
    );
    assert_eq!(machine.readiness(), Readiness::ShuttingDown, "no user is present");
    let (machine, effects) = machine.step(Event::PopulationChanged, with(30, 0));
    assert_eq!(machine.state(), State::Propagating { since: at(0), until: at(45) });
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::ForceClose(_) | Effect::CutWork)));

    let (machine, _) = log_of(GRACE, &[(TERM, with_work(0, 0, 0, 1))]);
    assert_eq!(name(machine.state()), "finishing", "no session is held at all");
}

#[test]
fn maintenance_waits_for_the_work_of_its_own_sessions_only() {
    let countdown = [(Event::MaintenanceOn, with_work(0, 2, 1, 1))];
    let (machine, _) = log_of(GRACE, &countdown);
    let (finishing, effects) = machine.step(TICK, with_work(60, 2, 1, 1));
    assert_eq!(lines(&effects), ["[MAINTENANCE] Waiting up to 30s for 1 session with work in progress..."]);
    assert_eq!(finishing.admission(), Admission::Closed);
    let (closed, effects) = finishing.step(Event::PopulationChanged, with_work(70, 1, 0, 1));
    assert_eq!(closed.state(), State::MaintenanceClosed);
    assert_eq!(effects[0], Effect::ForceClose(Reason::Maintenance));
    let (back, _) = finishing.step(Event::MaintenanceOff, with_work(70, 1, 1, 0));
    assert_eq!(back.state(), State::Serving);
    // A shutdown finds the deadline passed, and the work goes on.
    let (draining, _) = finishing.step(TERM, with_work(70, 1, 1, 0));
    let (finishing, _) = draining.step(TICK, with_work(70, 1, 1, 0));
    assert_eq!(finishing.wakes_at(), Some(at(80)));
    let (ended, effects) = finishing.step(TICK, with_work(90, 1, 1, 0));
    assert_eq!(name(ended.state()), "propagating");
    assert!(effects.contains(&Effect::CutWork));
    let (closed, _) = log_of(GRACE, &[countdown[0], (TICK, with_work(60, 2, 0, 1))]);
    assert_eq!(closed.state(), State::MaintenanceClosed, "the work of other pods' sessions is not cut by that");
}

#[test]
fn resources_are_closed_after_the_propagation_and_within_their_time() {
    let policy = Policy { close_timeout: Some(Duration::from_secs(10)), ..GRACE };
    let history = [(TERM, with(0, 0)), (TICK, with(15, 0))];
    let (closing, _) = log_of(policy, &history);
    assert_eq!(closing.state(), State::Closing { since: at(0), until: at(25) });
    for (event, situation) in [(Event::ResourcesClosed, with(16, 0)), (TICK, with(25, 0)), (TERM, with(16, 0))] {
        assert_eq!(name(closing.step(event, situation).0.state()), "stopped", "{event:?}");
    }
    // A second signal skips the waits for users and endpoints, not the closing: it is bounded, and loses data otherwise.
    let (machine, effects) = log_of(policy, &[(TERM, with(0, 2)), (TERM, with(1, 2))]);
    assert_eq!(name(machine.state()), "closing", "{effects:?}");
}

/// Two sessions are present, one of them protected; no time has passed.
#[test]
fn every_event_leads_the_states_of_work_to_the_state_of_the_table() {
    let policy = Policy { close_timeout: Some(Duration::from_secs(10)), ..GRACE };
    let states: [(&str, &[(Event, Situation)]); 3] = [
        ("maintenance finishing", &[(Event::MaintenanceOn, with_work(0, 2, 1, 0)), (TICK, with_work(60, 2, 1, 0))]),
        ("finishing", &[(TERM, with_work(0, 2, 1, 0)), (TICK, with_work(60, 2, 1, 0))]),
        ("closing", &[(TERM, with(40, 0)), (TICK, with(55, 0))]),
    ];
    let events = [
        Event::MaintenanceOn,
        Event::MaintenanceOff,
        TERM,
        Event::Terminate(Signal::Quit),
        Event::PopulationChanged,
        Event::ResourcesClosed,
        TICK,
    ];
    let table = [
        ["maintenance finishing", "serving", "draining", "closing", "maintenance finishing", "maintenance finishing"],
        ["finishing", "finishing", "closing", "closing", "finishing", "finishing"],
        ["closing", "closing", "stopped", "stopped", "closing", "stopped"],
    ];
    for ((from, history), expected) in states.iter().zip(table) {
        for (place, event) in events.iter().enumerate() {
            let (machine, _) = log_of(policy, history);
            assert_eq!(name(machine.state()), *from);
            let (next, _) = machine.step(*event, with_work(61, 2, 1, 0));
            // Time that passes before anything is due leads where a change of the population does.
            let to = if *event == TICK { expected[4] } else { expected[place] };
            assert_eq!(name(next.state()), to, "{event:?} in {from}");
        }
    }
}
