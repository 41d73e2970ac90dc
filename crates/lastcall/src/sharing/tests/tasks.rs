//! Tasks of sessions that several pods serve.

use std::sync::Arc;
use std::time::Duration;

use session_domain::lifecycle::Signal;
use session_domain::registry::PresenceKind;
use session_domain::{
    MAX_TASKS_PER_SESSION, Outcome, Phase, SessionId, TaskId, TaskLease, TaskName, TaskOutcome, UserName,
};
use tokio::time::sleep;
use uuid::Uuid;

use super::running_pod::{RunningPod, start};
use crate::event_streams::{EventStreams, StreamKind};
use crate::notice::is_same_deadline;
use crate::presence::PresenceGuard;
use crate::running_notice::RunningNotice;
use crate::sessions::live::LiveSession;
use crate::sessions::served::ServedSession;
use crate::sharing::TaskLookupError;
use crate::store::{MemoryStore, ReadOutcome, SessionStore as _, SharedTask};
use crate::tasks::new_task;

fn id(n: u128) -> SessionId {
    SessionId::from_uuid(Uuid::from_u128(n))
}

/// A session with an open stream.
async fn session(running: &RunningPod, n: u128) -> (LiveSession, PresenceGuard) {
    let pod = &running.pod;
    let live = pod.registry.start(id(n), UserName::anonymous(), EventStreams::default(), pod.clock.now()).unwrap();
    let stream = PresenceGuard::open(pod, &live, PresenceKind::EventStream);
    pod.sessions.flush().await;
    (live, stream)
}

async fn begin(running: &RunningPod, session: &ServedSession, lease: u64) -> TaskId {
    let task = new_task(TaskName::new("export", "June").unwrap(), TaskLease::from_seconds(lease).ok());
    let (task, _) = running.pod.begin_task(session, task).unwrap();
    running.pod.flush_tasks().await;
    task.id
}

async fn guest(running: &RunningPod, n: u128) -> ServedSession {
    let (session, _) = running.request(id(n), false).await.unwrap();
    assert!(matches!(session, ServedSession::Guest(_)));
    session
}

async fn renew(running: &RunningPod, n: u128, task: TaskId) -> Result<(), TaskLookupError> {
    let sharing = running.pod.sessions.sharing().unwrap();
    sharing.renew_task_elsewhere(id(n), task, None, None).await.map(|_| ())
}

async fn stored(store: &MemoryStore, n: u128) -> Vec<SharedTask> {
    match store.read(id(n)).await.unwrap() {
        ReadOutcome::Found(entry) => entry.tasks,
        ReadOutcome::Absent(_) | ReadOutcome::Replaced => Vec::new(),
    }
}

/// Waits until a condition holds, for a few seconds of paused time.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..400 {
        if holds() {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: never");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_runs_where_its_session_is_a_guest_protects_the_session_at_its_owner() {
    let store = Arc::new(MemoryStore::new());
    let (owner, other) = (start(&store, "a").await, start(&store, "b").await);
    let (live, _stream) = session(&owner, 1).await;
    let guest = guest(&other, 1).await;
    let task = begin(&other, &guest, 10).await;
    until("the owner hears of it", || live.is_protected()).await;
    assert!(live.tasks().is_empty(), "it is not the owner's");
    assert_eq!((owner.pod.registry.task_totals().running, other.pod.registry.task_totals().running), (0, 1));
    // It is renewed on the pod that does not run it, again and again.
    for _ in 0..3 {
        sleep(Duration::from_secs(8)).await;
        assert_eq!(renew(&owner, 1, task).await, Ok(()));
        assert!(live.is_protected());
    }
    sleep(Duration::from_secs(8)).await;
    assert_eq!(other.pod.registry.task_totals().running, 1);
    assert_eq!(renew(&other, 2, task).await, Err(TaskLookupError::NotFound), "another session");
    owner.pod.sessions.sharing().unwrap().end_task_elsewhere(id(1), task).await.unwrap();
    assert!(!live.is_protected());
    until("the pod that runs it ends it", || other.pod.registry.task_totals().ended(TaskOutcome::Done) == 1).await;
    assert_eq!(renew(&owner, 1, task).await, Err(TaskLookupError::NotFound));
    assert!(stored(&store, 1).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_notice_of_a_guest_is_protected_while_a_task_of_its_session_runs_on_the_pod_that_owns_it() {
    let store = Arc::new(MemoryStore::new());
    let (owner, other) = (start(&store, "a").await, start(&store, "b").await);
    let pod = &owner.pod;
    let live = pod.registry.start(id(1), UserName::anonymous(), EventStreams::default(), pod.clock.now()).unwrap();
    let task = begin(&owner, &ServedSession::Own(Arc::clone(&live)), 600).await;
    // The task keeps the session where it is: the page's stream is at another pod, which does not adopt either.
    let served = guest(&other, 1).await;
    let ServedSession::Guest(streaming) = &served else { panic!("not a guest") };
    let _stream = streaming.streams().open(StreamKind::EventStream, 20);
    other.pod.sessions.sharing().unwrap().watch_guest(streaming);
    other.signal.as_ref().unwrap().send(Signal::Term).unwrap();
    sleep(Duration::from_millis(100)).await;
    owner.signal.as_ref().unwrap().send(Signal::Term).unwrap();
    let notice = || RunningNotice::of(&other.pod, &served);
    until("the guest is told", || notice().is_some()).await;
    let told = notice().unwrap();
    assert_eq!(told.protected, Some(Duration::from_secs(30)));
    let deadline = owner.pod.lifecycle.borrow().notice().unwrap().deadline;
    assert!(is_same_deadline(told.deadline, deadline.plus(Duration::from_secs(30))));
    // Nothing here hears of the end but by the store.
    let work = owner.pod.registry.work_of(id(1)).unwrap();
    assert!(owner.pod.registry.end_leased_task(&work, task, owner.pod.clock.now()));
    until("the guest is told of its end", || notice().unwrap().protected.is_none()).await;
    assert!(is_same_deadline(notice().unwrap().deadline, deadline));
}

#[tokio::test(start_paused = true)]
async fn a_task_goes_on_at_its_pod_while_its_session_moves_in_the_drain() {
    let store = Arc::new(MemoryStore::new());
    let (mut first, second) = (start(&store, "a").await, start(&store, "b").await);
    let (live, stream) = session(&first, 1).await;
    let task = begin(&first, &ServedSession::Own(Arc::clone(&live)), 60).await;
    guest(&second, 1).await;
    first.signal.as_ref().unwrap().send(Signal::Term).unwrap();
    sleep(Duration::from_secs(2)).await;
    let (moved, _moved_stream) = second.request(id(1), true).await.unwrap();
    let ServedSession::Own(moved) = moved else { panic!("not adopted") };
    assert!(moved.is_protected(), "the new owner knows of its task");
    until("the former owner lets go", || live.has_ended()).await;
    drop(stream);
    assert_eq!(first.pod.registry.totals().ended(Outcome::Moved), 1);
    // Past the deadline of 20 s, and past the lease.
    for _ in 0..2 {
        sleep(Duration::from_secs(12)).await;
        assert_eq!(renew(&second, 1, task).await, Ok(()));
        assert!(first.is_alive() && first.pod.registry.sessions_with_work() == 1 && moved.is_protected());
    }
    second.pod.sessions.sharing().unwrap().end_task_elsewhere(id(1), task).await.unwrap();
    assert!(!moved.is_protected());
    until("the drain ends", || first.pod.lifecycle.borrow().phase() != Phase::Draining).await;
    assert_eq!(first.pod.registry.task_totals().ended(TaskOutcome::Done), 1);
    [&first, &second].into_iter().for_each(RunningPod::assert_ledger_balances);
    first.kill().await;
}

#[tokio::test(start_paused = true)]
async fn a_login_takes_tasks_on_other_pods_along_and_a_logout_cuts_them() {
    let store = Arc::new(MemoryStore::new());
    let (owner, other) = (start(&store, "a").await, start(&store, "b").await);
    let (live, _stream) = session(&owner, 1).await;
    let task = begin(&other, &guest(&other, 1).await, 60).await;
    let own = begin(&owner, &ServedSession::Own(Arc::clone(&live)), 60).await;
    until("the owner hears of it", || owner.pod.registry.mirrored_tasks(&live, owner.pod.clock.now()).len() == 1).await;
    let served = ServedSession::Own(Arc::clone(&live));
    owner.pod.sessions.sign_in(&served, id(2), &UserName::from_input("ada")).await;
    owner.pod.sessions.flush().await;
    owner.pod.flush_tasks().await;
    assert_eq!(stored(&store, 2).await.len(), 2, "under the new id at once");
    until("the other pod follows", || other.pod.registry.work_of(id(2)).is_some()).await;
    assert_eq!((renew(&owner, 2, task).await, renew(&other, 2, own).await), (Ok(()), Ok(())));
    // A login on the other pod.
    let guest = guest(&other, 2).await;
    other.pod.sessions.sign_in(&guest, id(3), &UserName::from_input("ben")).await;
    until("the owner follows", || live.id() == id(3)).await;
    until("both run on", || {
        [&owner, &other]
            .iter()
            .all(|running| running.pod.registry.work_of(id(3)).is_some_and(|work| work.tasks().len() == 1))
    })
    .await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!((renew(&owner, 3, task).await, renew(&other, 3, own).await), (Ok(()), Ok(())));
    owner.pod.sessions.log_out(&ServedSession::Own(live), false).await;
    for running in [&owner, &other] {
        until("cut", || running.pod.registry.task_totals().ended(TaskOutcome::Cut) == 1).await;
        assert_eq!(running.pod.registry.sessions_with_work(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_whose_pod_is_gone_is_run_by_the_pod_that_is_asked() {
    let store = Arc::new(MemoryStore::new());
    let (mut first, second) = (start(&store, "a").await, start(&store, "b").await);
    let (live, _stream) = session(&first, 1).await;
    let task = begin(&first, &ServedSession::Own(live), 60).await;
    first.kill().await;
    sleep(Duration::from_secs(7)).await;
    let (moved, _) = second.request(id(1), true).await.unwrap();
    let ServedSession::Own(moved) = moved else { panic!("not adopted") };
    assert_eq!(renew(&second, 1, task).await, Ok(()));
    assert_eq!(moved.tasks().iter().map(|task| task.id).collect::<Vec<_>>(), [task]);
    assert_eq!(stored(&store, 1).await[0].holder, second.pod.config.pod);
    sleep(Duration::from_secs(61)).await;
    assert_eq!(second.pod.registry.task_totals().ended(TaskOutcome::Lapsed), 1);
    assert!(!moved.is_protected());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_comes_back_empty_has_the_tasks_again_and_no_request_takes_one_for_ended() {
    let store = Arc::new(MemoryStore::new());
    let (owner, other) = (start(&store, "a").await, start(&store, "b").await);
    let (live, _stream) = session(&owner, 1).await;
    let there = begin(&other, &guest(&other, 1).await, 600).await;
    let here = begin(&owner, &ServedSession::Own(Arc::clone(&live)), 600).await;
    store.lose_everything();
    let mut done = 0;
    for _ in 0..300 {
        for (running, task) in [(&owner, there), (&other, here)] {
            match renew(running, 1, task).await {
                Ok(()) => done += 1,
                Err(error) => assert_eq!(error, TaskLookupError::Unavailable),
            }
        }
        sleep(Duration::from_millis(50)).await;
    }
    assert!(done > 200, "{done} were renewed");
    assert!(live.is_protected() && stored(&store, 1).await.len() == 2);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_is_about_to_stop_renews_no_task_whose_pod_is_gone() {
    let store = Arc::new(MemoryStore::new());
    let (mut first, second) = (start(&store, "a").await, start(&store, "b").await);
    let (live, _stream) = session(&first, 1).await;
    let task = begin(&first, &ServedSession::Own(live), 60).await;
    first.kill().await;
    sleep(Duration::from_secs(7)).await;
    second.signal.as_ref().unwrap().send(Signal::Term).unwrap();
    until("it stops", || second.pod.lifecycle.borrow().phase() == Phase::Propagating).await;
    assert_eq!(renew(&second, 1, task).await, Err(TaskLookupError::Stopping));
    assert_eq!(stored(&store, 1).await[0].holder, first.pod.config.pod, "another pod may still run it");
    assert_eq!(second.pod.registry.task_totals().running, 0);
}

#[tokio::test(start_paused = true)]
async fn a_session_has_a_hundred_tasks_on_all_pods_together() {
    let store = Arc::new(MemoryStore::new());
    let (owner, other) = (start(&store, "a").await, start(&store, "b").await);
    let (live, _stream) = session(&owner, 1).await;
    let own = ServedSession::Own(Arc::clone(&live));
    for _ in 0..60 {
        begin(&owner, &own, 600).await;
    }
    let guest = guest(&other, 1).await;
    let sharing = other.pod.sessions.sharing().unwrap();
    for n in 60..MAX_TASKS_PER_SESSION {
        assert!(sharing.has_room_for_task(id(1)).await, "{n}");
        begin(&other, &guest, 600).await;
    }
    assert!(!sharing.has_room_for_task(id(1)).await);
    let mirrored = || owner.pod.registry.mirrored_tasks(&live, owner.pod.clock.now()).len();
    until("the owner knows of them", || mirrored() == MAX_TASKS_PER_SESSION - 60).await;
    let task = new_task(TaskName::new("export", "June").unwrap(), TaskLease::from_seconds(9).ok());
    assert!(owner.pod.begin_task(&own, task).is_err());
}
