//! Drains and signals, case by case, and every event in every state as a table.

use std::time::Duration;

use super::*;
use crate::time::Timestamp;

mod handoff;
mod invariants;
mod maintenance;
mod requested;
mod work;

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn with(seconds: i64, present: u64) -> Situation {
    with_work(seconds, present, 0, 0)
}

fn with_work(seconds: i64, present: u64, protected: u64, protected_elsewhere: u64) -> Situation {
    let population = Population { held: present, present, protected, protected_elsewhere, ..Population::default() };
    Situation { now: at(seconds), population, can_move: false }
}

fn serving() -> Lifecycle {
    Lifecycle::new(Policy::default())
}

/// Runs a history. Returns the machine and the effects of the last step.
fn after(history: &[(Event, Situation)]) -> (Lifecycle, Vec<Effect>) {
    history.iter().fold((serving(), Vec::new()), |(machine, _), (event, situation)| machine.step(*event, *situation))
}

fn lines(effects: &[Effect]) -> Vec<String> {
    effects.iter().filter_map(|e| if let Effect::Log(line) = e { Some(line.to_string()) } else { None }).collect()
}

const TERM: Event = Event::Terminate(Signal::Term);
const DRAIN: Event = Event::DrainRequested;
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
fn the_forced_end_comes_at_the_deadline_and_is_logged_in_the_singular_for_one_session() {
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
    for (limit, text) in [(10_000, "10s"), (1_500, "2s"), (400, "400ms"), (0, "0s")] {
        let line = LogLine::Closing("database".into(), Duration::from_millis(limit));
        assert_eq!(line.to_string(), format!("[GRACEFUL SHUTDOWN] Closing database (up to {text})..."));
    }
    assert_eq!(machine.wakes_at(), Some(at(75)));
}

#[test]
fn a_drain_without_a_present_session_only_waits_for_the_propagation() {
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
fn a_second_signal_force_closes_the_remaining_sessions_and_skips_the_propagation() {
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
fn sigquit_force_closes_all_sessions_at_once_whatever_the_policy_and_the_signals_before() {
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
fn a_second_signal_is_only_logged_if_the_policy_ignores_it() {
    let policy = Policy { second_signal: SecondSignal::Ignore, ..Policy::default() };
    let (draining, _) = Lifecycle::new(policy).step(TERM, with(0, 2));
    let (same, effects) = draining.step(TERM, with(5, 2));
    assert_eq!(same, draining);
    assert_eq!(effects, [Effect::Log(LogLine::Ignored(Signal::Term))]);
}

/// Two sessions are present, and no deadline has passed.
#[test]
fn every_event_leads_every_state_to_the_state_of_the_table() {
    const ON: Event = Event::MaintenanceOn;
    const OFF: Event = Event::MaintenanceOff;
    let empty_maintenance = [(ON, with(0, 0))];
    let states: [(&str, &[(Event, Situation)]); 9] = [
        ("serving", &[]),
        ("countdown", &[(ON, with(0, 2))]),
        ("closed", &empty_maintenance),
        ("draining", &[(TERM, with(0, 2))]),
        ("propagating", &[(TERM, with(0, 0))]),
        ("stopped", &[(TERM, with(0, 0)), (TICK, with(15, 0))]),
        ("draining on request", &[(DRAIN, with(0, 2))]),
        ("propagating on request", &[(DRAIN, with(0, 0))]),
        ("drained", &[(DRAIN, with(0, 0)), (TICK, with(15, 0))]),
    ];
    let quit = Event::Terminate(Signal::Quit);
    let events = [ON, OFF, TERM, quit, Event::PopulationChanged, TICK, DRAIN];
    let table = [
        ["countdown", "serving", "draining", "stopped", "serving", "serving", "draining"],
        ["countdown", "serving", "draining", "stopped", "countdown", "countdown", "draining"],
        ["closed", "serving", "draining", "stopped", "closed", "closed", "draining"],
        ["draining", "draining", "stopped", "stopped", "draining", "draining", "draining"],
        ["propagating", "propagating", "stopped", "stopped", "propagating", "propagating", "propagating"],
        ["stopped", "stopped", "stopped", "stopped", "stopped", "stopped", "stopped"],
        ["draining", "draining", "draining", "stopped", "draining", "draining", "draining"],
        ["propagating", "propagating", "propagating", "stopped", "propagating", "propagating", "propagating"],
        ["drained", "drained", "stopped", "stopped", "drained", "drained", "drained"],
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
        State::MaintenanceFinishing { .. } => "maintenance finishing",
        State::MaintenanceClosed => "closed",
        State::Draining { .. } => "draining",
        State::Finishing { .. } => "finishing",
        State::Propagating { .. } => "propagating",
        State::Drained { .. } => "drained",
        State::Closing { .. } => "closing",
        State::Stopped { .. } => "stopped",
    }
}
