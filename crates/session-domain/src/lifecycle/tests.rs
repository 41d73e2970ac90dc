//! Every event in every state as a table, and the invariants as properties over random histories.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

const fn with(seconds: i64, present: u64) -> Situation {
    Situation { now: at(seconds), population: Population { held: present, present } }
}

fn serving() -> Lifecycle {
    Lifecycle::new(Policy::default())
}

/// Runs a history and gives the machine and the effects of its last step.
fn after(history: &[(Event, Situation)]) -> (Lifecycle, Vec<Effect>) {
    history.iter().fold((serving(), Vec::new()), |(machine, _), (event, situation)| machine.step(*event, *situation))
}

fn lines(effects: &[Effect]) -> Vec<String> {
    effects.iter().filter_map(|e| if let Effect::Log(line) = e { Some(line.to_string()) } else { None }).collect()
}

const TERM: Event = Event::Terminate(Signal::Term);
const TICK: Event = Event::TimePassed;

#[test]
fn a_drain_is_logged_as_the_contract_writes_it() {
    let history = [
        (TERM, with(0, 3)),
        (TICK, with(10, 2)),
        (TICK, with(20, 1)),
        (Event::PopulationChanged, with(30, 0)),
        (TICK, with(45, 0)),
    ];
    let mut log = Vec::new();
    let mut machine = serving();
    for (event, situation) in history {
        let (next, effects) = machine.step(event, situation);
        log.extend(lines(&effects));
        machine = next;
    }
    assert_eq!(
        log,
        [
            "[GRACEFUL SHUTDOWN] Received SIGTERM signal",
            "[GRACEFUL SHUTDOWN] 3 active users detected",
            "[GRACEFUL SHUTDOWN] Sending drain notification to 3 users...",
            "[GRACEFUL SHUTDOWN] Waiting 60s for users to logout gracefully...",
            "[GRACEFUL SHUTDOWN] 2 users remaining (50s left)...",
            "[GRACEFUL SHUTDOWN] 1 user remaining (40s left)...",
            "[GRACEFUL SHUTDOWN] 0 users remaining (30s left)...",
            "[GRACEFUL SHUTDOWN] Waiting 15s for endpoint removal to propagate...",
            "[GRACEFUL SHUTDOWN] Shutting down cleanly...",
        ]
    );
    assert_eq!(machine.state(), State::Stopped { since: at(0) });
}

#[test]
fn the_forced_end_comes_at_the_deadline_with_the_singular_where_one_is_left() {
    let (machine, effects) = after(&[(TERM, with(0, 1)), (TICK, with(60, 1))]);
    assert_eq!(
        effects,
        [
            Effect::ForceClose(Reason::Shutdown),
            Effect::ReleaseRemaining,
            Effect::Log(LogLine::WaitingForEndpoints(Duration::from_secs(15))),
            Effect::EndNotice,
        ]
    );
    assert_eq!(LogLine::ForceClosing(1).to_string(), "[GRACEFUL SHUTDOWN] Force-closing 1 remaining session...");
    assert_eq!(LogLine::Detected(1).to_string(), "[GRACEFUL SHUTDOWN] 1 active user detected");
    assert_eq!(machine.wakes_at(), Some(at(75)));
}

#[test]
fn a_drain_with_nobody_there_waits_for_the_endpoints_only() {
    let (machine, effects) = after(&[(TERM, with(0, 0))]);
    assert_eq!(
        lines(&effects),
        [
            "[GRACEFUL SHUTDOWN] Received SIGTERM signal",
            "[GRACEFUL SHUTDOWN] 0 active users detected",
            "[GRACEFUL SHUTDOWN] Waiting 15s for endpoint removal to propagate...",
        ]
    );
    assert_eq!(machine.state(), State::Propagating { since: at(0), until: at(15) });
}

#[test]
fn a_second_signal_forces_who_is_left_and_skips_the_propagation() {
    let (machine, effects) = after(&[(TERM, with(0, 2)), (Event::Terminate(Signal::Int), with(5, 2))]);
    assert_eq!(
        effects,
        [
            Effect::Log(LogLine::Hurried),
            Effect::ForceClose(Reason::Shutdown),
            Effect::ReleaseRemaining,
            Effect::Log(LogLine::ShuttingDown),
            Effect::Exit,
            Effect::EndNotice,
        ]
    );
    assert_eq!(machine.state(), State::Stopped { since: at(0) });
}

#[test]
fn sigquit_forces_everybody_at_once_first_or_second_ignored_or_not() {
    const QUIT: Event = Event::Terminate(Signal::Quit);
    let (machine, effects) = after(&[(QUIT, with(0, 2))]);
    assert_eq!(
        effects[effects.len() - 6..],
        [
            Effect::Log(LogLine::Received(Signal::Quit)),
            Effect::Log(LogLine::Detected(2)),
            Effect::ForceClose(Reason::Shutdown),
            Effect::ReleaseRemaining,
            Effect::Log(LogLine::ShuttingDown),
            Effect::Exit,
        ]
    );
    assert_eq!(machine.state(), State::Stopped { since: at(0) });
    for present in [0, 2] {
        let policy = Policy { second_signal: SecondSignal::Ignore, ..Policy::default() };
        let (terminated, _) = Lifecycle::new(policy).step(TERM, with(0, present));
        assert_eq!(terminated.step(QUIT, with(1, present)).0.state(), State::Stopped { since: at(0) });
    }
}

#[test]
fn a_second_signal_is_only_logged_where_it_is_to_be_ignored() {
    let policy = Policy { second_signal: SecondSignal::Ignore, ..Policy::default() };
    let (draining, _) = Lifecycle::new(policy).step(TERM, with(0, 2));
    let (same, effects) = draining.step(TERM, with(5, 2));
    assert_eq!(same, draining);
    assert_eq!(effects, [Effect::Log(LogLine::Ignored(Signal::Term))]);
}

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

    // Nobody is present, but a laptop that sleeps may come back.
    let absent = Situation { now: at(9), population: Population { held: 1, present: 0 } };
    let (vacated, effects) = countdown.step(Event::PopulationChanged, absent);
    assert_eq!((vacated.readiness(), effects), (Readiness::Maintenance, vec![]));
    let (back, effects) = vacated.step(Event::PopulationChanged, with(10, 1));
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
    assert_eq!(closed.state(), State::MaintenanceClosed, "the last one has left, and nobody is waited for");
    assert!(effects.contains(&Effect::EndNotice) && !effects.contains(&Effect::ForceClose(Reason::Maintenance)));
}

#[test]
fn a_pod_that_starts_in_maintenance_has_nobody_to_tell() {
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

/// The table: what each event makes of each state, while two people are there and no deadline has come.
#[test]
fn every_event_in_every_state() {
    const ON: Event = Event::MaintenanceOn;
    const OFF: Event = Event::MaintenanceOff;
    let empty_maintenance = [(ON, with(0, 0))];
    let states: [(&str, &[(Event, Situation)]); 6] = [
        ("serving", &[]),
        ("countdown", &[(ON, with(0, 2))]),
        ("closed", &empty_maintenance),
        ("draining", &[(TERM, with(0, 2))]),
        ("propagating", &[(TERM, with(0, 0))]),
        ("stopped", &[(TERM, with(0, 0)), (TICK, with(15, 0))]),
    ];
    let quit = Event::Terminate(Signal::Quit);
    let events = [ON, OFF, TERM, quit, Event::PopulationChanged, TICK];
    let table = [
        ["countdown", "serving", "draining", "stopped", "serving", "serving"],
        ["countdown", "serving", "draining", "stopped", "countdown", "countdown"],
        ["closed", "serving", "draining", "stopped", "closed", "closed"],
        ["draining", "draining", "stopped", "stopped", "draining", "draining"],
        ["propagating", "propagating", "stopped", "stopped", "propagating", "propagating"],
        ["stopped", "stopped", "stopped", "stopped", "stopped", "stopped"],
    ];
    for ((from, history), expected) in states.iter().zip(table) {
        for (event, to) in events.iter().zip(expected) {
            let (machine, _) = after(history).0.step(*event, with(1, 2));
            assert_eq!(name(machine.state()), to, "{event:?} in {from}");
        }
    }
}

fn name(state: State) -> &'static str {
    match state {
        State::Serving => "serving",
        State::MaintenanceCountdown { .. } => "countdown",
        State::MaintenanceClosed => "closed",
        State::Draining { .. } => "draining",
        State::Propagating { .. } => "propagating",
        State::Stopped { .. } => "stopped",
    }
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => Just(Event::MaintenanceOn),
        2 => Just(Event::MaintenanceOff),
        1 => Just(Event::Terminate(Signal::Term)),
        1 => Just(Event::Terminate(Signal::Quit)),
        4 => Just(Event::PopulationChanged),
        4 => Just(Event::TimePassed),
    ]
}

fn policy() -> impl Strategy<Value = Policy> {
    (0..90_u64, 1..20_u64, 0..30_u64, 0..3_u8, any::<bool>(), any::<bool>()).prop_map(
        |(drain, every, wait, m, r, s)| Policy {
            drain_timeout: Duration::from_secs(drain),
            progress_interval: Duration::from_secs(every),
            propagation_wait: Duration::from_secs(wait),
            maintenance_readiness: [
                MaintenanceReadiness::AfterDrain,
                MaintenanceReadiness::Immediate,
                MaintenanceReadiness::Never,
            ][usize::from(m)],
            readiness_while_draining: if r { ReadinessWhileDraining::Hold } else { ReadinessWhileDraining::Fail },
            second_signal: if s { SecondSignal::Ignore } else { SecondSignal::Hurry },
        },
    )
}

/// What happens, after how many seconds, and how many are present and absent then.
type Step = (Event, i64, u64, u64);

/// Runs a history and checks every invariant after every step.
fn check(policy: Policy, history: &[Step]) -> Result<(), TestCaseError> {
    let mut machine = Lifecycle::new(policy);
    let (mut now, mut terminated, mut admitting, mut exits) = (0, false, Admission::Open, 0);
    let mut told = None;
    for (event, pause, present, absent) in history.iter().copied() {
        now += pause;
        let population = Population { held: present + absent, present };
        let before = machine;
        let (next, effects) = machine.step(event, Situation { now: at(now), population });
        machine = next;

        let hurried = matches!(event, Event::Terminate(Signal::Quit))
            || matches!(event, Event::Terminate(_)) && policy.second_signal == SecondSignal::Hurry;
        for effect in &effects {
            match effect {
                Effect::SetAdmission(admit) => {
                    prop_assert!(!terminated || *admit == Admission::Closed, "a terminated pod takes somebody in");
                    admitting = *admit;
                }
                Effect::ForceClose(_) => {
                    let deadline = before.notice().map(|n| n.deadline);
                    prop_assert!(deadline.is_some_and(|d| d <= at(now)) || hurried, "forced before the deadline");
                }
                Effect::Notify(notice) => told = Some(*notice),
                Effect::CancelNotice(_) | Effect::EndNotice => told = None,
                Effect::Exit => exits += 1,
                Effect::ReleaseRemaining | Effect::Log(_) => {}
            }
        }
        prop_assert_eq!(told, machine.notice(), "what people are told is what runs");
        terminated |= matches!(event, Event::Terminate(_));
        prop_assert_eq!(admitting, machine.admission(), "what was said last is what holds");
        prop_assert_eq!(
            admitting == Admission::Open,
            machine.state() == State::Serving,
            "sessions start in Serving alone"
        );
        if let State::MaintenanceCountdown { notice, .. } = machine.state() {
            prop_assert!(notice.deadline > at(now) || !matches!(event, Event::TimePassed | Event::PopulationChanged));
        }
        prop_assert_eq!(terminated, matches!(machine.phase(), Phase::Draining | Phase::Propagating));
        if let (State::Draining { .. }, Event::PopulationChanged) = (before.state(), event) {
            prop_assert!(present > 0 || !matches!(machine.state(), State::Draining { .. }), "waits for nobody");
        }
        if let State::Draining { notice, .. } = machine.state() {
            prop_assert!(notice.deadline <= at(now).plus(policy.drain_timeout));
        }
        prop_assert!(exits <= 1);
        prop_assert_eq!(exits == 1, matches!(machine.state(), State::Stopped { .. }));
    }
    Ok(())
}

/// The switch, a signal, a second one, people who leave and come back, and time, in every order of six.
#[test]
fn the_invariants_hold_in_every_interleaving() {
    let steps: [Step; 7] = [
        (Event::MaintenanceOn, 1, 2, 0),
        (Event::MaintenanceOff, 1, 2, 0),
        (TERM, 1, 2, 0),
        (Event::PopulationChanged, 1, 0, 0),
        (Event::PopulationChanged, 1, 0, 1),
        (Event::PopulationChanged, 1, 2, 0),
        (TICK, 60, 1, 0),
    ];
    let choices = [MaintenanceReadiness::AfterDrain, MaintenanceReadiness::Immediate, MaintenanceReadiness::Never];
    for number in 0..steps.len().pow(6) {
        let history =
            std::array::from_fn::<_, 6, _>(|place| steps[number / steps.len().pow(place as u32) % steps.len()]);
        for maintenance_readiness in choices {
            let policy = Policy { maintenance_readiness, ..Policy::default() };
            if let Err(broken) = check(policy, &history) {
                panic!("{broken}\nin {history:?}");
            }
        }
    }
}

proptest! {
    #[test]
    fn the_invariants_hold_in_every_history(
        policy in policy(),
        history in prop::collection::vec((event(), 0..25_i64, 0..4_u64, 0..3_u64), 1..60),
    ) {
        check(policy, &history)?;
    }

    #[test]
    fn time_alone_brings_every_terminated_pod_to_its_end(policy in policy(), present in 0..3_u64) {
        let (mut machine, _) = Lifecycle::new(policy).step(TERM, with(0, present));
        let mut steps = 0;
        while let Some(due) = machine.wakes_at() {
            let population = Population { held: present, present: if machine.notice().is_some() { present } else { 0 } };
            (machine, _) = machine.step(TICK, Situation { now: due, population });
            steps += 1;
            prop_assert!(steps < 1000, "does not end");
        }
        let stopped = matches!(machine.state(), State::Stopped { .. });
        prop_assert!(stopped);
    }
}
