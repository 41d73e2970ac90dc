//! The invariants of the machine, as properties over random histories and over every short history.

use std::time::Duration;

use proptest::prelude::*;

use super::{DRAIN, TERM, TICK, at, with_work};
use crate::lifecycle::*;
use crate::pod::Phase;
use crate::registry::HandoffCensus;

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => Just(Event::MaintenanceOn),
        2 => Just(Event::MaintenanceOff),
        1 => Just(Event::Terminate(Signal::Term)),
        1 => Just(Event::Terminate(Signal::Quit)),
        1 => Just(DRAIN),
        4 => Just(Event::PopulationChanged),
        1 => Just(Event::ResourcesClosed),
        4 => Just(Event::TimePassed),
    ]
}

fn policy() -> impl Strategy<Value = Policy> {
    let close = prop::option::of(0..20_u64);
    (0..90_u64, 1..20_u64, 0..30_u64, 0..3_u8, any::<(bool, bool, bool)>(), 0..40_u64, close).prop_map(
        |(drain, every, wait, m, (r, s, h), grace, close)| Policy {
            handoff: h.then(HandoffPolicy::default).filter(|handoff| handoff.fits(Duration::from_secs(drain))),
            task_grace: Duration::from_secs(grace),
            close_timeout: close.map(Duration::from_secs),
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

/// An event, the seconds before it, and the numbers of present, absent, protected and elsewhere protected sessions.
type Step = (Event, i64, u64, u64, u64, u64);

/// Whether protected work still has time after the deadline.
fn machine_waits(policy: Policy, notice: Notice, now: i64) -> bool {
    at(now) < notice.deadline.plus(policy.task_grace)
}

/// Runs a history and checks every invariant after every step.
fn check(policy: Policy, history: &[Step]) -> Result<(), TestCaseError> {
    let mut machine = Lifecycle::new(policy);
    let (mut now, mut terminated, mut admission, mut exits) = (0, false, Admission::Open, 0);
    let (mut notified, mut closes, mut signals) = (None, 0, 0);
    for (event, pause, present, absent, protected, protected_elsewhere) in history.iter().copied() {
        now += pause;
        let protected = protected.min(present);
        // Each waits for its turn now and then, and each can move now and then.
        let handoff = HandoffCensus {
            waiting: present / 2,
            asked: present - present / 2,
            first_ask: Some(at(now - (now * 7) % 25)),
        };
        let population = Population {
            held: present + absent,
            present,
            protected,
            protected_elsewhere,
            requested_elsewhere: absent / 2,
            handoff,
        };
        let work_may_go_on = |notice: Notice| machine_waits(policy, notice, now) && protected > 0;
        let before = machine;
        let situation = Situation { now: at(now), population, can_move: now % 3 > 0 };
        let (next, effects) = machine.step(event, situation);
        machine = next;

        let hurried = matches!(event, Event::Terminate(Signal::Quit))
            || matches!(event, Event::Terminate(_)) && signals > 0 && policy.second_signal == SecondSignal::Hurry;
        for effect in &effects {
            match effect {
                Effect::SetAdmission(new) => {
                    prop_assert!(!terminated || *new == Admission::Closed, "a terminated pod admits sessions");
                    admission = *new;
                }
                Effect::ForceClose(_) | Effect::ForceCloseUnprotected(_) => {
                    let notice = before.notice();
                    let cuts_work = matches!(effect, Effect::ForceClose(_)) && notice.is_some_and(work_may_go_on);
                    prop_assert!(!cuts_work || hurried, "work is cut before its time");
                    let is_over = before.deadline().is_some_and(|deadline| deadline <= at(now));
                    let is_finishing = matches!(before.state(), State::Finishing { .. });
                    prop_assert!(is_over || is_finishing || hurried, "forced before the deadline");
                }
                Effect::CutWork => {
                    let waits = before.notice().is_some_and(|notice| machine_waits(policy, notice, now));
                    prop_assert!(!waits || hurried, "work is cut before its time");
                }
                Effect::CloseResources => closes += 1,
                Effect::Notify(notice) | Effect::NotifyStaying { notice, .. } => notified = Some(*notice),
                Effect::AskToMove(turns) => {
                    let State::Draining { handoff: Some(handoff), .. } = machine.state() else {
                        return Err(TestCaseError::fail("asked to move while no handoff runs"));
                    };
                    prop_assert!(handoff.asks_from <= at(now), "asked before its time");
                    prop_assert!(situation.can_move, "asked where no pod can adopt");
                    prop_assert!(*turns <= situation.population.handoff.waiting);
                }
                Effect::CancelNotice(_) | Effect::EndNotice => notified = None,
                Effect::Exit => exits += 1,
                Effect::ReleaseRemaining | Effect::ReleaseUnprotected | Effect::Log(_) => {}
            }
        }
        prop_assert_eq!(notified, machine.notice(), "the effects disagree with the running notice");
        let during = before.admission_during(event);
        prop_assert!(during >= before.admission(), "sessions are admitted that were not before");
        prop_assert!(
            during <= machine.admission() || event == Event::MaintenanceOff,
            "admission is closed further than the step closes it"
        );
        prop_assert!(
            during != Admission::Open || machine.admission() == Admission::Open,
            "a session may start uncounted while the pod leaves Serving"
        );
        terminated |= matches!(event, Event::Terminate(_) | Event::DrainRequested);
        signals += u32::from(matches!(event, Event::Terminate(_)));
        prop_assert!(exits == 0 || signals > 0, "the process exits without a signal");
        if let State::Drained { .. } = machine.state() {
            prop_assert!(signals == 0 && machine.is_drained() && machine.wakes_at().is_none());
            prop_assert_eq!(machine.readiness(), Readiness::ShuttingDown);
        }
        prop_assert_eq!(admission, machine.admission(), "the effects disagree with the admission");
        prop_assert_eq!(
            admission == Admission::Open,
            machine.state() == State::Serving,
            "sessions start in Serving alone"
        );
        if let State::MaintenanceCountdown { notice, .. } = machine.state() {
            prop_assert!(notice.deadline > at(now) || !matches!(event, Event::TimePassed | Event::PopulationChanged));
        }
        prop_assert_eq!(terminated, matches!(machine.phase(), Phase::Draining | Phase::Propagating | Phase::Closing));
        if let (State::Draining { .. }, Event::PopulationChanged) = (before.state(), event) {
            prop_assert!(
                population.present + population.requested_elsewhere > 0
                    || !matches!(machine.state(), State::Draining { .. }),
                "the drain waits although no session is present"
            );
        }
        if let State::Draining { notice, .. } = machine.state() {
            prop_assert!(notice.deadline <= at(now).plus(policy.drain_timeout));
        }
        prop_assert!(exits <= 1);
        prop_assert_eq!(exits == 1, matches!(machine.state(), State::Stopped { .. }));
        let is_closing = matches!(machine.state(), State::Closing { .. } | State::Stopped { .. });
        prop_assert_eq!(closes, u32::from(is_closing && policy.close_timeout.is_some()), "closed once, and last");
    }
    Ok(())
}

/// The switch, signals, sessions that leave and return, and time, in every order of six.
#[test]
fn the_invariants_hold_in_every_interleaving() {
    let steps: [Step; 9] = [
        (Event::MaintenanceOn, 1, 2, 0, 0, 0),
        (Event::MaintenanceOff, 1, 2, 0, 1, 0),
        (TERM, 1, 2, 0, 0, 1),
        (DRAIN, 1, 2, 0, 0, 1),
        (Event::PopulationChanged, 1, 0, 0, 0, 0),
        (Event::PopulationChanged, 1, 0, 1, 0, 1),
        (Event::PopulationChanged, 1, 2, 0, 1, 0),
        (TICK, 60, 1, 0, 0, 0),
        (TICK, 60, 1, 0, 1, 0),
    ];
    let choices = [MaintenanceReadiness::AfterDrain, MaintenanceReadiness::Immediate, MaintenanceReadiness::Never];
    for number in 0..steps.len().pow(6) {
        let history =
            std::array::from_fn::<_, 6, _>(|place| steps[number / steps.len().pow(place as u32) % steps.len()]);
        for maintenance_readiness in choices {
            let task_grace = Duration::from_secs(30);
            let close_timeout = Some(Duration::from_secs(5));
            let policy = Policy { maintenance_readiness, task_grace, close_timeout, ..Policy::default() };
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
        history in prop::collection::vec((event(), 0..25_i64, 0..4_u64, 0..3_u64, 0..3_u64, 0..2_u64), 1..60),
    ) {
        check(policy, &history)?;
    }

    #[test]
    fn time_alone_brings_every_terminated_pod_to_its_end(
        policy in policy(), present in 0..3_u64, working in 0..3_u64, is_requested in any::<bool>(),
    ) {
        let protected = working.min(present);
        let (mut machine, _) = Lifecycle::new(policy).step(if is_requested { DRAIN } else { TERM }, with_work(0, present, protected, working));
        let mut steps = 0;
        while let Some(due) = machine.wakes_at() {
            let present = if machine.notice().is_some() { present } else { 0 };
            let protected = working.min(present);
            let population = Population { held: present, present, protected, protected_elsewhere: working, ..Population::default() };
            (machine, _) = machine.step(TICK, Situation { now: due, population, can_move: false });
            steps += 1;
            prop_assert!(steps < 1000, "does not end");
        }
        prop_assert_eq!(matches!(machine.state(), State::Drained { .. }), is_requested);
        prop_assert_eq!(matches!(machine.state(), State::Stopped { .. }), !is_requested);
    }
}
