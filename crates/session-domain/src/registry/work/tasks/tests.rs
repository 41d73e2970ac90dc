//! Tasks, case by case.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use uuid::Uuid;

use super::*;
use crate::ids::{PodName, UserName};
use crate::registry::{Limits, LiveSession};
use crate::session::MAX_TASKS_PER_SESSION;
use crate::shared::{SharedSession, SharedTask};
use crate::task::TaskOutcome;

type Ended = Arc<Mutex<Vec<(u128, TaskOutcome)>>>;

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn registry() -> (Arc<Registry<()>>, Ended) {
    let ended = Ended::default();
    let log = Arc::clone(&ended);
    let registry = Registry::new(PodName::new("a").unwrap(), Limits::default(), || {})
        .with_task_observer(move |end| log.lock().push((end.task.id.as_uuid().as_u128(), end.outcome)));
    (Arc::new(registry), ended)
}

fn start(registry: &Arc<Registry<()>>, n: u128) -> Arc<LiveSession<()>> {
    registry.start(SessionId::from_uuid(Uuid::from_u128(n)), UserName::anonymous(), (), at(0)).unwrap()
}

const fn task_id(n: u128) -> TaskId {
    TaskId::from_uuid(Uuid::from_u128(n))
}

fn new_task(n: u128, lease_seconds: Option<u64>) -> NewTask {
    NewTask {
        id: task_id(n),
        name: TaskName::new("export", "June").unwrap(),
        lease: lease_seconds.map(|seconds| TaskLease::from_seconds(seconds).unwrap()),
    }
}

fn shared_session(id: SessionId) -> SharedSession {
    SharedSession {
        id,
        user: UserName::anonymous(),
        login_time: at(0),
        last_activity: at(0),
        pod: PodName::new("b").unwrap(),
        pinned: false,
        protected: false,
        notified: None,
    }
}

fn shared_task(n: u128, seconds: u64) -> SharedTask {
    SharedTask {
        id: task_id(n),
        holder: PodName::new("b").unwrap(),
        name: TaskName::new("export", "June").unwrap(),
        progress: None,
        lease: TaskLease::from_seconds(seconds).ok(),
        remaining: Duration::from_secs(seconds),
    }
}

#[test]
fn a_task_of_another_pod_protects_its_session_and_counts_nowhere() {
    let (registry, ended) = registry();
    let session = start(&registry, 1);
    registry.mirror_task(&session, &shared_task(1, 10), at(0));
    registry.mirror_task(&session, &shared_task(1, 10), at(5));
    assert!(session.is_protected() && !session.is_pinned(), "another pod may adopt it");
    assert_eq!((session.tasks(), registry.task_totals().running), (Vec::new(), 0));
    assert_eq!(registry.mirrored_tasks(&session, at(5)).len(), 1);
    let work = registry.work_of(session.id()).unwrap();
    assert_eq!(registry.renew_task(&work, task_id(1), None, None, at(5)), None, "its holder renews it");
    assert!(!registry.end_leased_task(&work, task_id(1), at(5)));
    registry.cut_tasks(at(5));
    registry.lapse_tasks(at(16));
    assert!(session.is_protected());
    registry.lapse_tasks(at(17));
    assert!(!session.is_protected() && ended.lock().is_empty());
    assert_eq!(registry.task_totals(), TaskTotals::default());
}

#[test]
fn the_end_of_a_session_here_frees_the_tasks_of_other_pods_and_only_a_move_leaves_them_running_there() {
    for (outcome, told) in [(Outcome::Moved, 0), (Outcome::Logout, 1), (Outcome::Forced, 1), (Outcome::Expired, 1)] {
        let (registry, ended) = registry();
        let session = start(&registry, 1);
        registry.mirror_task(&session, &shared_task(1, 60), at(0));
        registry.end(&session, outcome);
        assert_eq!((ended.lock().len(), registry.sessions_with_work()), (told, 0), "{outcome:?}");
        registry.mirror_task(&session, &shared_task(1, 60), at(0));
        assert_eq!((registry.sessions_with_work(), registry.next_lease_end()), (0, None), "{outcome:?}");
    }
}

#[test]
fn tasks_of_a_work_that_was_merged_are_renewed_lapse_and_end() {
    let (registry, ended) = registry();
    let id = |n| SessionId::from_uuid(Uuid::from_u128(n));
    let (_, older) = registry.begin_task_elsewhere(id(1), new_task(1, Some(10)), at(0)).unwrap();
    let (_, lapsing) = registry.begin_task_elsewhere(id(1), new_task(2, Some(5)), at(0)).unwrap();
    let (_, newer) = registry.begin_task_elsewhere(id(2), new_task(3, None), at(0)).unwrap();
    registry.rename_work(id(1), id(2));
    assert_eq!((older.session_id(), older.tasks().len(), registry.sessions_with_work()), (id(2), 3, 1));
    assert!(registry.renew_task(&older, task_id(1), None, None, at(4)).is_some());
    registry.lapse_tasks(at(6));
    assert!(lapsing.task(task_id(2)).is_none() && newer.is_protected());
    assert!(registry.end_task(&newer, task_id(3), at(7)) && older.is_protected());
    assert!(registry.end_leased_task(&older, task_id(1), at(8)));
    assert_eq!((registry.sessions_with_work(), registry.next_lease_end(), ended.lock().len()), (0, None, 3));
}

#[test]
fn a_task_runs_out_of_time_where_the_drain_or_a_forced_end_cuts_it_and_not_where_its_user_logs_out() {
    for (outcome, out_of_time) in [(Some(Outcome::Logout), 0), (Some(Outcome::Forced), 1), (None, 1)] {
        let counted = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&counted);
        let registry = Registry::new(PodName::new("a").unwrap(), Limits::default(), || {})
            .with_task_observer(move |end| _ = count.fetch_add(u64::from(end.is_out_of_time), Ordering::Relaxed));
        let registry = Arc::new(registry);
        let session = start(&registry, 1);
        registry.begin_task(&session, new_task(1, Some(60)), at(0)).unwrap();
        match outcome {
            Some(outcome) => assert!(registry.end(&session, outcome)),
            None => registry.cut_tasks(at(1)),
        }
        assert_eq!(registry.task_totals().ended(TaskOutcome::Cut), 1);
        assert_eq!(counted.load(Ordering::Relaxed), out_of_time, "{outcome:?}");
    }
}

#[test]
fn tasks_that_other_pods_run_count_towards_the_hundred_of_their_session_and_one_that_is_taken_over_counts_once() {
    let (registry, _) = registry();
    let session = start(&registry, 1);
    let most = u128::try_from(MAX_TASKS_PER_SESSION).unwrap();
    (1..most).for_each(|n| registry.mirror_task(&session, &shared_task(n, 60), at(0)));
    // Not a task: a request there whose body moves.
    registry.mirror_task(&session, &SharedTask { lease: None, ..shared_task(1_000, 10) }, at(0));
    let begin = |n| registry.begin_task(&session, new_task(n, Some(60)), at(0)).map(|_| ());
    assert_eq!(begin(most), Ok(()));
    assert_eq!(begin(most + 1), Err(TaskError::TooManyOfSession));
    assert_eq!(begin(1), Ok(()), "its pod is gone, and it goes on here");
}

#[test]
fn a_task_protects_its_session_until_it_ends_and_a_renewal_lasts_as_long_as_the_lease_before() {
    let (registry, ended) = registry();
    let session = start(&registry, 1);
    let (task, work) = registry.begin_task(&session, new_task(7, Some(10)), at(0)).unwrap();
    assert_eq!((task.lease_until, task.progress), (Some(at(10)), None));
    assert!(session.is_protected() && session.is_pinned() && registry.is_present(&session, at(1_000)));
    let half = TaskProgress::new(0.5).unwrap();
    let renewed = registry.renew_task(&work, task.id, None, Some(half), at(5)).unwrap();
    assert_eq!((renewed.lease_until, renewed.progress), (Some(at(15)), Some(0.5)));
    let longer = TaskLease::from_seconds(100).unwrap();
    let renewed = registry.renew_task(&work, task.id, Some(longer), None, at(5)).unwrap();
    assert_eq!((renewed.lease_until, renewed.progress), (Some(at(105)), Some(0.5)));
    assert_eq!(session.tasks(), vec![renewed]);
    assert!(registry.end_leased_task(&work, task.id, at(20)));
    assert!(!registry.end_leased_task(&work, task.id, at(20)), "ended already");
    assert_eq!(registry.renew_task(&work, task.id, None, None, at(20)), None);
    assert_eq!(*ended.lock(), [(7, TaskOutcome::Done)]);
    assert!(!session.is_protected() && session.tasks().is_empty());
    assert!(registry.is_present(&session, at(24)), "it was present a moment ago");
    assert_eq!((registry.next_lease_end(), registry.sessions_with_work()), (None, 0));
}

#[test]
fn leases_lapse_at_their_time_and_the_earliest_end_is_announced() {
    let announced = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&announced);
    let registry = Registry::new(PodName::new("a").unwrap(), Limits::default(), || {})
        .with_lease_observer(move || _ = count.fetch_add(1, Ordering::Relaxed));
    let registry: Arc<Registry<()>> = Arc::new(registry);
    let session = start(&registry, 1);
    for (n, seconds, announcements) in [(1, 30, 1), (2, 60, 1), (3, 10, 2)] {
        registry.begin_task(&session, new_task(n, Some(seconds)), at(0)).unwrap();
        assert_eq!(announced.load(Ordering::Relaxed), announcements);
    }
    registry.begin_task(&session, new_task(4, None), at(0)).unwrap();
    assert_eq!(registry.next_lease_end(), Some(at(10)));
    registry.lapse_tasks(Timestamp::from_millis(9_999));
    assert_eq!(session.tasks().len(), 4);
    registry.lapse_tasks(at(30));
    assert_eq!(session.tasks().iter().map(|task| task.id).collect::<Vec<_>>(), [task_id(2), task_id(4)]);
    assert_eq!(registry.task_totals(), TaskTotals { running: 2, ended: [0, 2, 0] });
    registry.lapse_tasks(Timestamp::MAX);
    assert_eq!(session.tasks().len(), 1, "the pod's own code has no lease");
}

#[test]
fn a_session_has_at_most_a_hundred_tasks_and_one_that_is_refused_changes_nothing() {
    let (registry, ended) = registry();
    let (session, other) = (start(&registry, 1), start(&registry, 2));
    for n in 0..MAX_TASKS_PER_SESSION as u128 {
        registry.begin_task(&session, new_task(n, Some(60)), at(0)).unwrap();
    }
    let refused = registry.begin_task(&session, new_task(1_000, Some(1)), at(0));
    assert_eq!(refused.unwrap_err(), TaskError::TooManyOfSession);
    assert_eq!((registry.task_totals().running, registry.next_lease_end()), (100, Some(at(60))));
    registry.begin_task(&other, new_task(1_001, Some(60)), at(0)).unwrap();
    registry.cut_tasks(at(1));
    assert_eq!(registry.task_totals(), TaskTotals { running: 0, ended: [0, 0, 101] });
    assert!(!session.is_protected() && registry.sessions_with_work() == 0);
    assert_eq!(ended.lock().len(), 101);
}

#[test]
fn the_end_of_a_session_decides_which_of_its_tasks_go_on() {
    for (outcome, remaining) in [
        (Outcome::Moved, vec![task_id(1), task_id(2)]),
        (Outcome::Logout, vec![task_id(2)]),
        (Outcome::AutoLogout, vec![task_id(2)]),
        (Outcome::Expired, vec![task_id(2)]),
        (Outcome::Forced, vec![]),
    ] {
        let (registry, ended) = registry();
        let session = start(&registry, 1);
        let (_, work) = registry.begin_task(&session, new_task(1, Some(60)), at(0)).unwrap();
        registry.begin_task(&session, new_task(2, None), at(0)).unwrap();
        registry.end(&session, outcome);
        assert_eq!(work.tasks().iter().map(|task| task.id).collect::<Vec<_>>(), remaining, "{outcome:?}");
        assert!(ended.lock().iter().all(|(_, outcome)| *outcome == TaskOutcome::Cut));
        assert_eq!(registry.sessions_with_work(), u64::from(!remaining.is_empty()), "{outcome:?}");
        let census = registry.census(at(0)).population;
        assert_eq!(census.protected_elsewhere, u64::from(!remaining.is_empty()), "{outcome:?}");
        let begun = registry.begin_task(&session, new_task(3, Some(60)), at(0)).map(|_| ());
        assert_eq!(begun, if outcome == Outcome::Moved { Ok(()) } else { Err(TaskError::SessionEnded) });
    }
}

#[test]
fn a_login_takes_the_tasks_along_and_the_old_id_finds_none() {
    let (registry, _) = registry();
    let session = start(&registry, 1);
    let (task, work) = registry.begin_task(&session, new_task(1, Some(60)), at(0)).unwrap();
    let old = session.id();
    let new = SessionId::from_uuid(Uuid::from_u128(2));
    assert!(registry.rename(&session, new, UserName::from_input("ada"), at(1)));
    assert!(registry.work_of(old).is_none());
    assert!(Arc::ptr_eq(&registry.work_of(new).unwrap(), &work));
    assert_eq!((work.session_id(), work.task(task.id).is_some(), session.tasks().len()), (new, true, 1));
}

#[test]
fn a_task_of_the_pods_own_code_is_its_own_to_end() {
    let (registry, _) = registry();
    let session = start(&registry, 1);
    let (task, work) = registry.begin_task(&session, new_task(1, None), at(0)).unwrap();
    assert_eq!(registry.renew_task(&work, task.id, Some(TaskLease::default()), None, at(1)), None);
    assert!(!registry.end_leased_task(&work, task.id, at(1)));
    assert!(registry.set_task_progress(&work, task.id, TaskProgress::new(0.25).unwrap()));
    assert_eq!(session.tasks()[0].progress, Some(0.25));
    assert!(registry.end_task(&work, task.id, at(2)));
    assert!(!registry.set_task_progress(&work, task.id, TaskProgress::new(1.0).unwrap()));
}

#[test]
fn tasks_that_began_while_another_pod_owned_the_session_are_those_of_the_session_that_moves_here() {
    let (registry, _) = registry();
    let id = SessionId::from_uuid(Uuid::from_u128(1));
    let (task, work) = registry.begin_task_elsewhere(id, new_task(1, Some(60)), at(0)).unwrap();
    assert_eq!(registry.census(at(0)).population.protected_elsewhere, 1);
    let session = registry.reserve_adoption().unwrap().adopt(&shared_session(id), None, (), at(0));
    registry.begin_task(&session, new_task(2, Some(60)), at(0)).unwrap();
    assert_eq!(session.tasks().iter().map(|task| task.id).collect::<Vec<_>>(), [task.id, task_id(2)]);
    assert!(Arc::ptr_eq(&registry.work_of(id).unwrap(), &work));
    assert_eq!(registry.census(at(0)).population.protected_elsewhere, 0);
}

#[test]
fn tasks_that_begin_are_renewed_lapse_and_are_cut_from_many_threads_are_each_counted_once() {
    let (registry, ended) = registry();
    let sessions: Vec<_> = (0..8).map(|n| start(&registry, n)).collect();
    std::thread::scope(|scope| {
        for thread in 0..4_u128 {
            let (registry, sessions) = (&registry, &sessions);
            scope.spawn(move || {
                for n in 0..400_u128 {
                    let session = &sessions[usize::try_from((n + thread) % 8).unwrap()];
                    let id = thread * 1_000 + n;
                    let Ok((task, work)) = registry.begin_task(session, new_task(id, Some(1)), at(0)) else { continue };
                    match n % 5 {
                        0 => _ = registry.end_leased_task(&work, task.id, at(0)),
                        1 => _ = registry.renew_task(&work, task.id, None, None, at(1)),
                        2 => registry.lapse_tasks(at(1)),
                        3 => registry.cut_leased_tasks(&work, at(0)),
                        _ => _ = n == 399 && registry.end(session, Outcome::Forced),
                    }
                }
            });
        }
    });
    registry.cut_tasks(at(0));
    let totals = registry.task_totals();
    assert_eq!((totals.running, registry.sessions_with_work(), registry.next_lease_end()), (0, 0, None));
    let mut ended = ended.lock().iter().map(|(id, _)| *id).collect::<Vec<_>>();
    assert_eq!(totals.ended.iter().sum::<u64>(), ended.len() as u64);
    ended.sort_unstable();
    let distinct = ended.len();
    ended.dedup();
    assert_eq!(ended.len(), distinct, "a task ended twice");
}
