//! The numbers of each drain add up whatever a pod does, and those of the running one equal what the pod lists.

use proptest::prelude::*;

use session_domain::{Departure, Outcome, Phase, PodReport, SessionId, SessionView};

use crate::test_fleet::{at, discovered, report, session};
use crate::*;

const POD: &str = "user-1";

/// A step of a random history.
#[derive(Clone, Debug)]
enum Step {
    Reports { phase: Phase, countdown: bool, is_final: bool },
    Updates { n: u128, present: bool },
    Removes { n: u128, how: usize },
    Renames { n: u128, to: u128, present: bool },
    BecomesUnreachable,
    IsForgotten,
    SendsSnapshot { held: Vec<(u128, bool)> },
    Restarts,
}

fn step() -> impl Strategy<Value = Step> {
    let n = 1..8_u128;
    prop_oneof![
        3 => (prop::sample::select(&Phase::ALL[..]), any::<bool>(), prop::bool::weighted(0.1))
            .prop_map(|(phase, countdown, is_final)| Step::Reports { phase, countdown, is_final }),
        6 => (n.clone(), any::<bool>()).prop_map(|(n, present)| Step::Updates { n, present }),
        4 => (n.clone(), 0..6_usize).prop_map(|(n, how)| Step::Removes { n, how }),
        1 => (n.clone(), n.clone(), any::<bool>()).prop_map(|(n, to, present)| Step::Renames { n, to, present }),
        1 => Just(Step::BecomesUnreachable),
        1 => Just(Step::IsForgotten),
        2 => prop::collection::btree_map(n, any::<bool>(), 0..6)
            .prop_map(|held| Step::SendsSnapshot { held: held.into_iter().collect() }),
        1 => Just(Step::Restarts),
    ]
}

fn held(n: u128, present: bool) -> SessionView {
    SessionView { present: Some(present), ..session(n, POD, 90) }
}

/// A simulated pod, and the fleet that watches it.
struct Simulation {
    fleet: Fleet,
    now: i64,
    started: i64,
    last_report: PodReport,
}

impl Simulation {
    fn new() -> Self {
        let mut fleet = Fleet::new();
        fleet.apply_discovery(&discovered(&["a:1"]), at(100));
        Self { fleet, now: 100, started: 0, last_report: report(POD, Phase::Serving, 0) }
    }

    fn send(&mut self, event: PodEvent) {
        self.fleet.apply(&Address::new("a:1"), event, at(self.now));
    }

    fn perform(&mut self, step: Step) {
        match step {
            Step::Reports { phase, countdown, is_final } => {
                // The countdown continues, or another begins.
                let since = self.last_report.drain_started_at.unwrap_or(at(self.now));
                let drain_started_at = countdown.then_some(since);
                let started_at = at(self.started);
                self.last_report = PodReport { started_at, drain_started_at, is_final, ..report(POD, phase, 0) };
                self.send(PodEvent::Report(self.last_report.clone()));
            }
            Step::Updates { n, present } => self.changes(vec![held(n, present)], vec![]),
            Step::Removes { n, how } => {
                let departure = Outcome::ALL.get(how).map_or(Departure::Unknown, |outcome| Departure::Ended(*outcome));
                self.changes(vec![], vec![(held(n, true).id, departure)]);
            }
            Step::Renames { n, to, present } if n != to => {
                self.changes(vec![held(to, present)], vec![(held(n, true).id, Departure::Renamed)]);
            }
            Step::Renames { .. } => {}
            Step::BecomesUnreachable => self.send(PodEvent::Unreachable("refused".into())),
            Step::IsForgotten => {
                self.send(PodEvent::Unreachable("refused".into()));
                let _ = self.fleet.forget("a:1", at(self.now));
            }
            Step::SendsSnapshot { held: listed } => {
                self.send(PodEvent::WatchStarted);
                let report = PodReport { is_final: false, ..self.last_report.clone() };
                self.send(PodEvent::Report(report));
                let sessions = listed.into_iter().map(|(n, present)| held(n, present)).collect();
                self.send(PodEvent::Snapshot { sessions, end: true });
            }
            Step::Restarts => {
                self.send(PodEvent::Unreachable("refused".into()));
                self.started = self.now;
                self.last_report = report(POD, Phase::Serving, 0);
            }
        }
    }

    fn changes(&mut self, upserts: Vec<SessionView>, removals: Vec<(SessionId, Departure)>) {
        // A pod sends changes after its snapshot, as long as it is reachable.
        if self.fleet.view().pods().iter().all(|pod| pod.is_reachable()) {
            self.send(PodEvent::Changes { upserts, removals });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_numbers_of_every_drain_add_up_and_the_running_one_equals_the_list_of_its_pod(
        steps in prop::collection::vec((step(), 0..7_i64), 1..60),
    ) {
        let mut simulation = Simulation::new();
        for (step, later) in steps {
            simulation.now += later;
            simulation.perform(step.clone());
            simulation.fleet.expire(at(simulation.now));
            let view = simulation.fleet.view();
            let rows = view.all_sessions(&Query::parse(Filter::default(), None, None, CursorParams::default(), 1).unwrap());
            let present = rows.iter().filter(|row| row.session.is_present()).count() as u64;
            prop_assert_eq!(view.present_sessions(), present);
            prop_assert_eq!(view.present_sessions() + view.idle_sessions(), view.total_sessions());
            for drain in view.drains() {
                let ends: u64 = Outcome::ALL.iter().map(|outcome| drain.departures(*outcome)).sum();
                let sum = ends + drain.outcome_unknown() + drain.away() + drain.remaining();
                prop_assert_eq!(drain.total(), sum, "after {:?}: {:#?}", &step, drain);
                // The named sessions agree with the numbers.
                let known = |is: &dyn Fn(&DrainedSession) -> bool| drain.named_sessions.values().filter(|session| is(session)).count() as u64;
                prop_assert_eq!(known(&|_| true), drain.total(), "after {:?}: {:#?}", &step, drain);
                for outcome in Outcome::ALL {
                    let left = known(&|session| session.ended.is_some_and(|(_, how)| how == Some(outcome)));
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
