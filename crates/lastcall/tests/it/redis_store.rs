//! The store on a real Redis: what several writes of one batch leave behind.

use std::time::Duration;

use lastcall::store::{
    Adoption, Lease, OwnerRequest, PodName, ReadOutcome, RedisStore, SessionId, SessionStore as _, SharedSession,
    SharedTask, TaskId, TaskLease, TaskName, Timestamp, UserName, Write, WriteOutcome,
};
use test_support::{Redis, eventually};
use uuid::Uuid;

const TTL: Duration = Duration::from_secs(60);

fn pod() -> PodName {
    PodName::new("user-1").unwrap()
}

fn put(id: SessionId) -> Write {
    let session = SharedSession {
        id,
        user: UserName::from_input("ada"),
        login_time: Timestamp::from_millis(1),
        last_activity: Timestamp::from_millis(2),
        pod: pod(),
        pinned: false,
        protected: true,
        notified: None,
    };
    Write::Put { session, idle: Duration::ZERO, new: true }
}

fn delete(id: SessionId) -> Write {
    Write::Delete { id, pod: pod(), replaced_for: None }
}

fn random_id() -> SessionId {
    SessionId::from_uuid(Uuid::new_v4())
}

async fn is_absent(store: &RedisStore, id: SessionId) -> bool {
    matches!(store.read(id).await.unwrap(), ReadOutcome::Absent(_))
}

#[tokio::test]
async fn writes_of_one_session_keep_their_order_where_the_server_has_forgotten_a_script() {
    let redis = Redis::start().await;
    let store = RedisStore::new(&redis.url(), TTL).unwrap();
    let (id, other) = (random_id(), random_id());
    assert_eq!(store.write(vec![put(id), delete(id)]).await.unwrap(), [WriteOutcome::Done, WriteOutcome::Done]);

    // The server knows the script of the second write only.
    let _: () = redis.ask(&["SCRIPT", "FLUSH"]).await;
    assert_eq!(store.write(vec![delete(other)]).await.unwrap(), [WriteOutcome::Missing]);
    let end = OwnerRequest::End { automatic: false };
    let writes = vec![put(id), delete(id), put(other), Write::Request { id: other, request: end }, delete(id)];
    let outcomes = store.write(writes).await.unwrap();
    assert_eq!(
        outcomes,
        [WriteOutcome::Done, WriteOutcome::Done, WriteOutcome::Done, WriteOutcome::Done, WriteOutcome::Missing]
    );
    assert!(is_absent(&store, id).await, "the deleted session has come back");
    let ReadOutcome::Found(entry) = store.read(other).await.unwrap() else { panic!("{other} was not written") };
    assert_eq!(entry.request, Some(end));
}

#[tokio::test]
async fn writes_of_one_session_keep_their_order_where_its_slot_has_moved_in_a_cluster() {
    let (nodes, url) = Redis::cluster(&[]).await;
    let store = RedisStore::new(&url, TTL).unwrap();
    let id = random_id();
    assert_eq!(store.write(vec![put(id)]).await.unwrap(), [WriteOutcome::Done]);
    let key = format!("session:{id}");
    let mut target = None;
    for node in &nodes {
        if node.keys(&key).await.is_empty() {
            target = Some(node);
        }
    }
    assert_eq!(store.write(vec![delete(id)]).await.unwrap(), [WriteOutcome::Done]);

    // The client does not know yet that the slot has moved: the node that had it answers MOVED.
    let target = target.unwrap();
    let slot: u64 = target.ask(&["CLUSTER", "KEYSLOT", &key]).await;
    let target_id: String = target.ask(&["CLUSTER", "MYID"]).await;
    target.ask::<()>(&["CLUSTER", "SETSLOT", &slot.to_string(), "NODE", &target_id]).await;
    for node in nodes.iter().filter(|node| node.port() != target.port()) {
        node.ask::<()>(&["CLUSTER", "SETSLOT", &slot.to_string(), "NODE", &target_id]).await;
    }
    let outcomes = store.write(vec![put(id), delete(id), put(id), delete(id)]).await.unwrap();
    assert_eq!(outcomes, [WriteOutcome::Done, WriteOutcome::Done, WriteOutcome::Done, WriteOutcome::Done]);
    assert!(target.keys(&key).await.is_empty(), "the deleted session has come back");
}

#[tokio::test]
async fn a_key_of_another_type_refuses_the_writes_of_its_session_alone() {
    let redis = Redis::start().await;
    let store = RedisStore::new(&redis.url(), TTL).unwrap();
    let (squatted, sound) = (random_id(), random_id());
    let _: () = redis.ask(&["SET", &format!("session:{squatted}"), "something else"]).await;
    let outcomes = store.write(vec![put(squatted), put(sound), delete(squatted)]).await.unwrap();
    assert!(
        matches!(outcomes[..], [WriteOutcome::Refused(_), WriteOutcome::Done, WriteOutcome::Refused(_)]),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn a_task_is_a_field_of_its_session_that_stays_where_the_session_moves_and_counts_by_redis_clock() {
    let redis = Redis::start().await;
    let store = RedisStore::new(&redis.url(), TTL).unwrap();
    let id = random_id();
    let task = SharedTask {
        id: TaskId::from_uuid(Uuid::new_v4()),
        holder: pod(),
        name: TaskName::new("export", "\"June\" 🚀").unwrap(),
        progress: None,
        lease: TaskLease::from_seconds(60).ok(),
        remaining: Duration::from_secs(60),
    };
    let put_task = |new| Write::PutTask { id, task: task.clone(), new };
    let end_task = Write::EndTask { id, task: task.id };
    let outcomes = store.write(vec![put_task(true), put(id), put_task(false), put_task(true), put(id)]).await.unwrap();
    use WriteOutcome::{Done, Missing};
    assert_eq!(outcomes, [Missing, Done, Missing, Done, Done]);
    let to = PodName::new("user-2").unwrap();
    let adoption = Adoption { id, from: pod(), to, unless_pinned: false, pinned: true };
    let adopted = store.adopt(&adoption).await.unwrap().unwrap();
    let [kept] = &adopted.tasks[..] else { panic!("{adopted:?}") };
    assert!((55..=60).contains(&kept.remaining.as_secs()), "{kept:?}");
    assert_eq!(SharedTask { remaining: task.remaining, ..kept.clone() }, task);
    assert_eq!(store.write(vec![put_task(false), end_task.clone(), end_task]).await.unwrap(), [Done, Done, Missing]);
    let ReadOutcome::Found(entry) = store.read(id).await.unwrap() else { panic!("the entry is gone") };
    assert!(entry.tasks.is_empty());
}

#[tokio::test]
async fn the_pods_that_adopt_sessions_are_those_whose_lease_lives_and_says_so() {
    let redis = Redis::start().await;
    let store = RedisStore::new(&redis.url(), TTL).unwrap();
    let name = |name| PodName::new(name).unwrap();
    let lease = |pod, adopter, millis| Lease {
        pod: name(pod),
        draining: false,
        adopter,
        notice: None,
        duration: Duration::from_millis(millis),
    };
    for lease in [lease("serving", true, 60_000), lease("full", false, 60_000), lease("killed", true, 1)] {
        store.renew_lease(&lease).await.unwrap();
    }
    // What a pod of another release, or another program, wrote there does no harm.
    let _: () = redis.ask(&["SADD", "lastcall:pods", "strange", "\n", ""]).await;
    let _: () = redis.ask(&["SET", "lastcall:pod:strange", "serving"]).await;
    let killed_is_gone = async || (redis.ask::<u8>(&["EXISTS", "lastcall:pod:killed"]).await == 0).then_some(());
    eventually("the lease of the killed pod to run out", killed_is_gone).await;
    assert_eq!(store.adopters().await.unwrap(), [name("serving")]);
    assert_eq!(redis.ask::<u8>(&["SISMEMBER", "lastcall:pods", "killed"]).await, 0, "it is forgotten");
    // A lease that cannot be read hides none of the others, and a store that takes no writes can still be read.
    let _: () = redis.ask(&["SADD", "lastcall:pods", "unreadable", "gone"]).await;
    let _: () = redis.ask(&["HSET", "lastcall:pod:unreadable", "a", "b"]).await;
    let _: () = redis.ask(&["CONFIG", "SET", "min-replicas-to-write", "1"]).await;
    assert_eq!(store.adopters().await.unwrap(), [name("serving")]);
    let _: () = redis.ask(&["CONFIG", "SET", "min-replicas-to-write", "0"]).await;
    store.release_lease(&name("serving")).await.unwrap();
    assert_eq!(store.adopters().await.unwrap(), []);
    let _: () = redis.ask(&["DEL", "lastcall:pods", "lastcall:pod:strange"]).await;
    let _: () = redis.ask(&["SADD", "lastcall:pods", "unreadable"]).await;
    assert!(store.adopters().await.is_err(), "nothing is known of any pod");
}
