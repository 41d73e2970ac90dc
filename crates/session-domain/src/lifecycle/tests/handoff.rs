//! Handoffs: case by case, and as a model of sessions that move, stay, or find no pod.

use std::time::Duration;

use proptest::prelude::*;

use super::{TERM, TICK, at};
use crate::lifecycle::*;
use crate::registry::HandoffCensus;
use crate::time::Timestamp;

fn policy() -> Policy {
    Policy { handoff: Some(HandoffPolicy::default()), ..Policy::default() }
}

const fn ms(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// What a page does once it is asked.
#[derive(Clone, Copy, Debug)]
enum Page {
    /// It moves after this many milliseconds.
    Moves(i64),
    /// It stays until the end.
    Stays,
}

/// A pod whose sessions do as their pages do.
struct Model {
    pages: Vec<Page>,
    turns: Vec<Option<i64>>,
    shown: Vec<Option<i64>>,
    machine: Lifecycle,
    lines: Vec<String>,
    can_move: fn(i64) -> bool,
}

impl Model {
    fn new(policy: Policy, pages: Vec<Page>, can_move: fn(i64) -> bool) -> Self {
        let n = pages.len();
        Self {
            pages,
            turns: vec![None; n],
            shown: vec![None; n],
            machine: Lifecycle::new(policy),
            lines: vec![],
            can_move,
        }
    }

    fn is_here(&self, n: usize, now: i64) -> bool {
        match (self.pages[n], self.turns[n]) {
            (Page::Moves(after), Some(turn)) => now < turn + after,
            (Page::Moves(_) | Page::Stays, _) => true,
        }
    }

    fn here(&self, now: i64) -> impl Iterator<Item = usize> {
        (0..self.pages.len()).filter(move |n| self.is_here(*n, now))
    }

    fn situation(&self, now: i64) -> Situation {
        let mut handoff = HandoffCensus::default();
        for n in self.here(now) {
            match self.turns[n] {
                None => handoff.waiting += 1,
                Some(turn) => {
                    handoff.asked += 1;
                    if self.shown[n].is_none() {
                        handoff.first_ask = Some(handoff.first_ask.map_or(ms(turn), |first| first.min(ms(turn))));
                    }
                }
            }
        }
        let present = handoff.waiting + handoff.asked;
        let population = Population { held: present, present, handoff, ..Population::default() };
        Situation { now: ms(now), population, can_move: (self.can_move)(now) }
    }

    fn step(&mut self, event: Event, now: i64) -> Vec<Effect> {
        let (machine, effects) = self.machine.step(event, self.situation(now));
        self.machine = machine;
        for effect in &effects {
            match effect {
                Effect::AskToMove(turns) => {
                    let waiting: Vec<_> = self.here(now).filter(|n| self.turns[*n].is_none()).collect();
                    for n in waiting.into_iter().take(usize::try_from(*turns).unwrap()) {
                        self.turns[n] = Some(now);
                    }
                }
                Effect::NotifyStaying { until, is_first, .. } => {
                    if *is_first {
                        self.lines.push("Sending drain notification".to_owned());
                    }
                    for n in self.here(now).collect::<Vec<_>>() {
                        if self.shown[n].is_none() && self.turns[n].is_some_and(|turn| ms(turn) <= *until) {
                            self.shown[n] = Some(now);
                        }
                    }
                }
                Effect::Notify(_) => {
                    for n in self.here(now).collect::<Vec<_>>() {
                        self.shown[n].get_or_insert(now);
                    }
                }
                Effect::Log(line) => self.lines.push(line.to_string()),
                _ => {}
            }
        }
        effects
    }

    /// Terminates at time 0, and runs on its timers, woken whenever `can_move` may change and when a page moves, until the deadline.
    fn run(&mut self) {
        self.step(TERM, 0);
        let mut now = 0;
        while matches!(self.machine.state(), State::Draining { .. }) {
            let due = self.machine.wakes_at().unwrap().as_millis();
            assert!(due > now, "a timer that is due again at once: {now}");
            let moves = self.turns.iter().zip(&self.pages).filter_map(|(turn, page)| match (turn, page) {
                (Some(turn), Page::Moves(after)) => Some(turn + after),
                _ => None,
            });
            let flips = (now / 500 + 1) * 500;
            now = moves.filter(|at| *at > now).chain([due, flips]).min().unwrap();
            let event = if now == due { TICK } else { Event::PopulationChanged };
            self.step(event, now);
        }
    }

    fn last_turn(&self) -> i64 {
        self.turns.iter().map(|turn| turn.expect("every session had its turn")).max().unwrap()
    }
}

#[test]
fn three_users_move_and_the_log_says_so() {
    let mut model = Model::new(policy(), vec![Page::Moves(300); 3], |_| true);
    model.run();
    assert_eq!(
        model.lines,
        [
            "[GRACEFUL SHUTDOWN] Received SIGTERM signal",
            "[GRACEFUL SHUTDOWN] 3 active users detected",
            "[GRACEFUL SHUTDOWN] Moving 3 users to other pods...",
            "[GRACEFUL SHUTDOWN] Waiting 60s for users to logout gracefully...",
            "[GRACEFUL SHUTDOWN] 0 users remaining (55s left)...",
            "[GRACEFUL SHUTDOWN] Waiting 15s for endpoint removal to propagate...",
        ]
    );
    assert_eq!(model.turns[0], Some(5_000), "the first turn comes at HANDOFF_DELAY");
    assert_eq!(model.shown, [None; 3], "nobody is shown a banner");
}

#[test]
fn a_session_that_stays_is_notified_after_the_quiet_time_and_the_others_at_half() {
    let mut model = Model::new(policy(), vec![Page::Stays; 200], |_| true);
    model.run();
    assert_eq!(model.shown[0], Some(15_000));
    let notified: Vec<_> = model.lines.iter().filter(|line| line.contains("Sending drain notification")).collect();
    assert_eq!(notified.len(), 1, "{:#?}", model.lines);
    assert!(model.shown.iter().all(|shown| shown.is_some_and(|at| at <= 30_000)));
    let first = model.turns.iter().filter(|turn| **turn == Some(5_000)).count();
    assert!(first <= 5, "{first} at once");
    assert_eq!(model.last_turn(), 5_000 + 200 * 1000 / 50, "at 50 a second");
}

#[test]
fn ten_thousand_sessions_are_asked_by_half_of_the_time() {
    for page in [Page::Moves(400), Page::Stays] {
        let mut model = Model::new(policy(), vec![page; 10_000], |_| true);
        model.run();
        let last = model.last_turn();
        let expected = if matches!(page, Page::Stays) { 23_000..=30_000 } else { 20_000..=27_000 };
        assert!(expected.contains(&last), "{page:?}: {last}");
        let most = |second: i64| model.turns.iter().filter(|turn| turn.unwrap() / 1000 == second).count();
        assert!((5..30).map(most).max().unwrap() <= 700, "no flood");
    }
}

#[test]
fn nobody_is_asked_while_no_pod_can_adopt_and_everybody_is_notified_at_half() {
    let mut model = Model::new(policy(), vec![Page::Moves(100); 40], |now| now >= 40_000);
    model.run();
    assert!(model.turns.iter().all(|turn| turn.unwrap() >= 40_000), "asking goes on once a pod is there");
    assert_eq!(model.shown, vec![Some(30_000); 40]);
    let mut model = Model::new(policy(), vec![Page::Moves(100); 4], |_| false);
    model.run();
    assert_eq!(model.turns, [None; 4]);
    assert_eq!(model.shown, [Some(30_000); 4]);
}

#[test]
fn a_pause_is_not_made_up_for_in_one_blow() {
    let mut model = Model::new(policy(), vec![Page::Moves(100); 300], |now| now >= 12_000);
    model.run();
    let at_once = model.turns.iter().filter(|turn| turn.unwrap() < 12_100).count();
    assert!(at_once <= 6, "{at_once} sessions in a tenth of a second");
}

#[test]
fn a_shutdown_that_overtakes_maintenance_is_no_handoff() {
    let situation = Model::new(policy(), vec![Page::Stays; 2], |_| true).situation(0);
    let (machine, _) = Lifecycle::new(policy()).step(Event::MaintenanceOn, situation);
    let (machine, effects) = machine.step(TERM, Situation { now: at(1), ..situation });
    assert!(matches!(machine.state(), State::Draining { handoff: None, .. }));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Notify(_))));
}

#[test]
fn the_pod_is_unready_from_the_first_ask_on_while_another_pod_can_adopt() {
    for (readiness, expected) in [
        (ReadinessWhileDraining::Hold, [Readiness::Ready, Readiness::ShuttingDown, Readiness::Ready]),
        (ReadinessWhileDraining::Fail, [Readiness::ShuttingDown; 3]),
    ] {
        let policy = Policy { readiness_while_draining: readiness, ..policy() };
        let can_move = |now| now < 7_000;
        let mut model = Model::new(policy, vec![Page::Stays; 2], can_move);
        model.step(TERM, 0);
        for (now, expected) in [4_000, 6_000, 8_000].into_iter().zip(expected) {
            model.step(TICK, now);
            assert_eq!(model.machine.readiness(), expected, "{readiness:?} at {now}");
        }
    }
}

#[test]
fn others_hear_of_a_handoff_when_something_changes_that_concerns_them() {
    let mut model = Model::new(policy(), vec![Page::Stays; 100], |_| true);
    model.step(TERM, 0);
    let mut heard = vec![];
    for now in (0..30_500).step_by(100) {
        let before = model.machine;
        model.step(TICK, now);
        if !before.differs_in_pace_only(&model.machine) {
            heard.push(now);
        }
    }
    // The first turn, three lines of progress, the first notice, and the notice of all.
    assert_eq!(heard, [5_000, 10_000, 15_000, 20_000, 30_000]);
}

#[test]
fn a_request_of_a_session_that_moved_is_waited_for() {
    let in_flight = |seconds, requested_elsewhere| {
        let population = Population { requested_elsewhere, ..Population::default() };
        Situation { now: at(seconds), population, can_move: true }
    };
    for (policy, waits) in [(policy(), true), (Policy::default(), false)] {
        let present = Model::new(policy, vec![Page::Stays], |_| true).situation(0);
        let (machine, _) = Lifecycle::new(policy).step(TERM, present);
        let (machine, _) = machine.step(Event::PopulationChanged, in_flight(1, 1));
        assert_eq!(matches!(machine.state(), State::Draining { .. }), waits, "a handoff alone moves sessions early");
        let (machine, _) = machine.step(Event::PopulationChanged, in_flight(2, 0));
        assert!(matches!(machine.state(), State::Propagating { .. }));
    }
    let (machine, _) = Lifecycle::new(policy()).step(TERM, in_flight(0, 1));
    assert!(matches!(machine.state(), State::Propagating { .. }), "without users there is no wait");
}

#[test]
fn after_the_work_of_sessions_that_moved_their_requests_are_waited_for_until_the_deadline() {
    let here = |seconds, protected_elsewhere, requested_elsewhere| {
        let population = Population { protected_elsewhere, requested_elsewhere, ..Population::default() };
        Situation { now: at(seconds), population, can_move: true }
    };
    let policy = Policy { task_grace: Duration::from_secs(30), ..policy() };
    let (machine, _) = Lifecycle::new(policy).step(TERM, here(0, 1, 0));
    let (machine, _) = machine.step(Event::PopulationChanged, here(10, 0, 1));
    assert!(matches!(machine.state(), State::Finishing { .. }));
    let (gone, _) = machine.step(Event::PopulationChanged, here(20, 0, 0));
    assert!(matches!(gone.state(), State::Propagating { .. }));
    let (machine, _) = machine.step(TICK, here(60, 0, 1));
    assert!(
        matches!(machine.state(), State::Propagating { .. }),
        "a request without work has no time beyond the deadline"
    );
}

fn page() -> impl Strategy<Value = Page> {
    prop_oneof![4 => (0..5_000_i64).prop_map(Page::Moves), 1 => Just(Page::Stays)]
}

proptest! {
    #[test]
    fn whatever_pages_do_turns_come_in_their_time_and_nobody_who_moves_in_time_is_notified(
        pages in prop::collection::vec(page(), 1..400),
        delay in 0..8_u64, rate in 1..200_u64, quiet in 6..12_u64, drain in 42..120_u64,
        target in prop::sample::select(vec![(|_| true) as fn(i64) -> bool, |now| now % 4_000 < 2_000, |_| false]),
    ) {
        let handoff = HandoffPolicy { delay: Duration::from_secs(delay), rate, quiet: Duration::from_secs(quiet) };
        let policy = Policy { handoff: Some(handoff), drain_timeout: Duration::from_secs(drain), ..Policy::default() };
        let half = i64::try_from(drain).unwrap() * 500;
        let mut model = Model::new(policy, pages, target);
        model.run();
        for (n, turn) in model.turns.iter().copied().enumerate() {
            if let Some(turn) = turn {
                prop_assert!(turn >= i64::try_from(delay).unwrap() * 1000, "asked before its time");
                prop_assert!(target(turn), "asked where no pod can adopt");
            }
            if target(half) && target(half - 500) {
                prop_assert!(turn.is_some_and(|turn| turn <= half), "asked by half: {:?}", turn);
            }
            if let (Page::Moves(_), Some(turn), Some(shown)) = (model.pages[n], turn, model.shown[n]) {
                prop_assert!(shown >= half || turn >= half, "moved in time, and was notified: {} {}", turn, shown);
            }
            if let (Page::Stays, Some(shown)) = (model.pages[n], model.shown[n]) {
                let due = turn.map_or(half, |turn| (turn + i64::try_from(quiet).unwrap() * 1000).min(half));
                prop_assert!((due..=due + 200).contains(&shown), "due {}, notified {}", due, shown);
            }
        }
    }
}
