//! Whatever a pod does and says, the numbers of each of its drains add up, and those of the one that runs are what it lists.

use proptest::prelude::*;

use crate::tests::{at, named, report, session};
use crate::*;
use session_domain::{Outcome, Phase, PodReport, SessionView};

const POD: &str = "user-1";

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    Says { phase: Phase, countdown: bool, is_final: bool },
    Holds { n: u128, present: bool },
    Loses { n: u128, how: usize },
    Renames { n: u128, to: u128, present: bool },
    IsLost,
    IsForgotten,
    ListsAnew { held: Vec<(u128, bool)> },
    Restarts,
}

fn step() -> impl Strategy<Value = Step> {
    let n = 1..8_u128;
    prop_oneof![
        3 => (prop::sample::select(&Phase::ALL[..]), any::<bool>(), prop::bool::weighted(0.1))
            .prop_map(|(phase, countdown, is_final)| Step::Says { phase, countdown, is_final }),
        6 => (n.clone(), any::<bool>()).prop_map(|(n, present)| Step::Holds { n, present }),
        4 => (n.clone(), 0..6_usize).prop_map(|(n, how)| Step::Loses { n, how }),
        1 => (n.clone(), n.clone(), any::<bool>()).prop_map(|(n, to, present)| Step::Renames { n, to, present }),
        1 => Just(Step::IsLost),
        1 => Just(Step::IsForgotten),
        2 => prop::collection::btree_map(n, any::<bool>(), 0..6)
            .prop_map(|held| Step::ListsAnew { held: held.into_iter().collect() }),
        1 => Just(Step::Restarts),
    ]
}

fn held(n: u128, present: bool) -> SessionView {
    SessionView { present: Some(present), ..session(n, POD, 90) }
}

/// A pod that is told to do things, and the fleet that hears of it.
struct World {
    fleet: Fleet,
    now: i64,
    started: i64,
    said: PodReport,
}

impl World {
    fn new() -> Self {
        let mut fleet = Fleet::new();
        fleet.apply_discovery(&named(&["a:1"]), at(100));
        Self { fleet, now: 100, started: 0, said: report(POD, Phase::Serving, 0) }
    }

    fn hears(&mut self, heard: PodEvent) {
        self.fleet.apply(&Address::new("a:1"), heard, at(self.now));
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Says { phase, countdown, is_final } => {
                // A countdown goes on, or another begins.
                let since = self.said.drain_started_at.unwrap_or(at(self.now));
                let drain_started_at = countdown.then_some(since);
                let started_at = at(self.started);
                self.said = PodReport { started_at, drain_started_at, is_final, ..report(POD, phase, 0) };
                self.hears(PodEvent::Report(self.said.clone()));
            }
            Step::Holds { n, present } => self.changes(vec![held(n, present)], vec![]),
            Step::Loses { n, how } => {
                let departure = Outcome::ALL.get(how).map_or(Departure::Unknown, |outcome| Departure::Ended(*outcome));
                self.changes(vec![], vec![(held(n, true).id, departure)]);
            }
            Step::Renames { n, to, present } if n != to => {
                self.changes(vec![held(to, present)], vec![(held(n, true).id, Departure::Renamed)]);
            }
            Step::Renames { .. } => {}
            Step::IsLost => self.hears(PodEvent::Unreachable("refused".into())),
            Step::IsForgotten => {
                self.hears(PodEvent::Unreachable("refused".into()));
                let _ = self.fleet.forget("a:1", at(self.now));
            }
            Step::ListsAnew { held: listed } => {
                self.hears(PodEvent::WatchStarted);
                let said = PodReport { is_final: false, ..self.said.clone() };
                self.hears(PodEvent::Report(said));
                let sessions = listed.into_iter().map(|(n, present)| held(n, present)).collect();
                self.hears(PodEvent::Snapshot { sessions, end: true });
            }
            Step::Restarts => {
                self.hears(PodEvent::Unreachable("refused".into()));
                self.started = self.now;
                self.said = report(POD, Phase::Serving, 0);
            }
        }
    }

    fn changes(&mut self, upserts: Vec<SessionView>, removals: Vec<(SessionId, Departure)>) {
        // A pod tells changes after its snapshot, as long as it is heard.
        if self.fleet.view().pods().iter().all(|pod| pod.is_reachable()) {
            self.hears(PodEvent::Changes { upserts, removals });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_drain_adds_up_and_the_one_that_runs_is_what_its_pod_lists(
        steps in prop::collection::vec((step(), 0..7_i64), 1..60),
    ) {
        let mut world = World::new();
        for (step, later) in steps {
            world.now += later;
            world.take(step.clone());
            world.fleet.expire(at(world.now));
            let view = world.fleet.view();
            let rows = view.all_sessions(&Query::parse(Filter::default(), None, None, CursorParams::default(), 1).unwrap());
            let present = rows.iter().filter(|row| row.session.is_present()).count() as u64;
            prop_assert_eq!(view.present_sessions(), present);
            prop_assert_eq!(view.present_sessions() + view.idle_sessions(), view.total_sessions());
            for drain in view.drains() {
                let ends: u64 = Outcome::ALL.iter().map(|outcome| drain.departures(*outcome)).sum();
                let sum = ends + drain.outcome_unknown() + drain.away() + drain.remaining();
                prop_assert_eq!(drain.total(), sum, "after {:?}: {:#?}", &step, drain);
                // The list of those who were there says the same as the numbers.
                let known = |is: &dyn Fn(&DrainedSession) -> bool| drain.named_sessions.values().filter(|person| is(person)).count() as u64;
                prop_assert_eq!(known(&|_| true), drain.total(), "after {:?}: {:#?}", &step, drain);
                for outcome in Outcome::ALL {
                    let left = known(&|person| person.ended.is_some_and(|(_, how)| how == Some(outcome)));
                    prop_assert_eq!(left, drain.departures(outcome), "after {:?}: {:#?}", &step, drain);
                }
                let is_running = drain.end.is_none() && view.pods().iter().all(|pod| pod.is_reachable());
                if is_running && !view.pods().is_empty() {
                    prop_assert_eq!(drain.remaining(), present, "after {:?}: {:#?}", &step, drain);
                    prop_assert_eq!(drain.timeline.last().map(|(_, left)| *left), Some(present), "after {:?}", &step);
                }
            }
        }
    }
}
