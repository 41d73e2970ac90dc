//! The counters of a registry balance under random operations and racing threads.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use uuid::Uuid;

use super::{Sessions, at, id, registry, start};
use crate::TaskId;
use crate::UserName;
use crate::lifecycle::{Admission, Effect, Event, Lifecycle, Policy, Signal, Situation};
use crate::outcome::Outcome;
use crate::registry::{LiveSession, NewTask, Presence, PresenceKind};
use crate::task::{TaskLease, TaskName};

#[derive(Clone, Debug)]
enum Step {
    Start,
    Touch(usize),
    Login(usize),
    Logout(usize, bool),
    Open(usize),
    Cut(usize),
    Expire,
    Wait(i64),
    Drain,
    Notify(usize),
    ForceClose,
    ReleaseAll,
    BeginTask(usize, bool),
    EndTask(usize),
    LapseTasks,
    CutTasks,
}

fn step() -> impl Strategy<Value = Step> {
    let n = 0..40_usize;
    prop_oneof![
        6 => Just(Step::Start),
        4 => n.clone().prop_map(Step::Touch),
        3 => n.clone().prop_map(Step::Login),
        2 => (n.clone(), any::<bool>()).prop_map(|(n, auto)| Step::Logout(n, auto)),
        4 => n.clone().prop_map(Step::Open),
        3 => n.clone().prop_map(Step::Cut),
        2 => Just(Step::Expire),
        3 => (0..90_i64).prop_map(Step::Wait),
        1 => Just(Step::Drain),
        2 => n.clone().prop_map(Step::Notify),
        4 => (n.clone(), any::<bool>()).prop_map(|(n, leased)| Step::BeginTask(n, leased)),
        2 => n.prop_map(Step::EndTask),
        2 => Just(Step::LapseTasks),
        1 => Just(Step::CutTasks),
        1 => Just(Step::ForceClose),
        1 => Just(Step::ReleaseAll),
    ]
}

fn walked(sessions: &Sessions) -> u64 {
    let mut walked = 0;
    sessions.walk(|_| walked += 1);
    walked
}

proptest! {
    #[test]
    fn the_counters_balance_after_every_step_of_a_storm(steps in prop::collection::vec(step(), 1..200)) {
        let sessions = registry(20);
        let (mut all, mut streams, mut running) = (Vec::new(), Vec::new(), None);
        let (mut now, mut next_id, mut tasks) = (at(0), 0, Vec::new());
        for step in steps {
            let pick = |n: usize| all.get(n % all.len().max(1)).cloned();
            match step {
                Step::Start => {
                    next_id += 1;
                    let started = sessions.start(id(next_id), UserName::anonymous(), (), now);
                    prop_assert!(running.is_none() || started.is_err(), "started during a drain");
                    all.extend(started.ok());
                }
                Step::Touch(n) => drop(pick(n).map(|s: Arc<LiveSession<()>>| sessions.touch(&s, now))),
                Step::Login(n) => {
                    next_id += 1;
                    if let Some(session) = pick(n) {
                        sessions.rename(&session, id(next_id), UserName::from_input("ada"), now);
                    }
                }
                Step::Logout(n, auto) => drop(pick(n).map(|s| sessions.log_out(&s, auto))),
                Step::Open(n) => streams.extend(pick(n).map(|s| Presence::open(&sessions, &s, PresenceKind::EventStream))),
                Step::Cut(n) if !streams.is_empty() => streams.swap_remove(n % streams.len()).close(now),
                Step::Cut(_) => {}
                Step::Expire => drop(sessions.end_all(sessions.expired(now), Outcome::Expired)),
                Step::Wait(seconds) => now = now.plus(Duration::from_secs(seconds.unsigned_abs())),
                Step::Drain => {
                    sessions.set_admission(Admission::Closed);
                    let population = sessions.census(now).population;
                    let (_, effects) = Lifecycle::new(Policy::default())
                        .step(Event::Terminate(Signal::Term), Situation { now, population, can_move: false });
                    for effect in effects {
                        if let Effect::Notify(notice) = effect {
                            sessions.begin_notice(&notice);
                            running = Some(notice);
                        }
                    }
                    if running.is_none() { sessions.set_admission(Admission::Open); }
                }
                Step::Notify(n) => if let (Some(s), Some(notice)) = (pick(n), running) { sessions.mark_notified(&s, notice.id); },
                Step::ForceClose => drop(sessions.end_all(sessions.present_sessions(now), Outcome::Forced)),
                Step::ReleaseAll => drop(sessions.end_all(sessions.all_sessions(), Outcome::Expired)),
                Step::BeginTask(n, leased) => {
                    next_id += 1;
                    let task = NewTask {
                        id: TaskId::from_uuid(Uuid::from_u128(next_id)),
                        name: TaskName::new("", "").unwrap(),
                        lease: leased.then_some(TaskLease::default()),
                    };
                    let begun = pick(n).and_then(|s| sessions.begin_task(&s, task, now).ok());
                    tasks.extend(begun.map(|(task, work)| (task.id, work)));
                }
                Step::EndTask(n) => if !tasks.is_empty() {
                    let (id, work) = tasks.swap_remove(n % tasks.len());
                    sessions.end_task(&work, id, now);
                },
                Step::LapseTasks => sessions.lapse_tasks(now),
                Step::CutTasks => sessions.cut_tasks(now),
            }
            let running = tasks.iter().filter(|(id, work)| work.task(*id).is_some()).count() as u64;
            prop_assert_eq!(sessions.task_totals().running, running);
            let with_work: HashSet<_> = tasks
                .iter()
                .filter(|(id, work)| work.task(*id).is_some() && work.is_protected())
                .map(|(_, work)| work.session_id())
                .collect();
            prop_assert_eq!(sessions.sessions_with_work(), with_work.len() as u64);
            let mut protected = 0;
            sessions.walk(|session| {
                protected += u64::from(session.is_protected());
                assert_eq!(session.is_protected(), !session.tasks().is_empty());
            });
            let elsewhere = sessions.census(now).population.protected_elsewhere;
            prop_assert_eq!(protected + elsewhere, with_work.len() as u64);
            let totals = sessions.totals();
            prop_assert_eq!(totals.logins + totals.adopted, walked(&sessions) + totals.total_ended());
            prop_assert_eq!(sessions.active(), walked(&sessions));
            prop_assert!(totals.graceful <= totals.notified);
        }
    }
}

#[test]
fn the_counters_balance_while_threads_race_for_the_same_sessions() {
    let sessions = registry(10_000);
    let all: Vec<_> = (0..500).map(|n| start(&sessions, n, at(0))).collect();
    std::thread::scope(|scope| {
        for thread in 0..4_u128 {
            let (sessions, all) = (&sessions, &all);
            scope.spawn(move || {
                for (n, session) in all.iter().enumerate() {
                    let key = 1_000_000 * (thread + 1) + n as u128;
                    match (n as u128 + thread) % 4 {
                        0 => _ = sessions.log_out(session, false),
                        1 => _ = sessions.rename(session, id(key), UserName::from_input("x"), at(1)),
                        2 => _ = sessions.start(id(key + 500_000), UserName::anonymous(), (), at(1)),
                        _ => _ = sessions.end(session, Outcome::Forced),
                    }
                }
            });
        }
    });
    let totals = sessions.totals();
    assert_eq!(totals.logins, walked(&sessions) + totals.total_ended());
    assert_eq!(sessions.active(), walked(&sessions));
    assert!(all.iter().all(|session| session.has_ended()));
    assert_eq!(totals.total_ended(), 500);
}
