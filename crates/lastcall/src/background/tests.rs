//! How the background work ends: early, late, twice, or by a failure.

use std::time::Duration;

use futures_util::stream::pending;
use session_domain::registry::PresenceKind;
use session_domain::{Outcome, PodName, UserName};
use tokio::time::{sleep, timeout};

use super::*;
use crate::config::Config;
use crate::cross_site_posts::CrossSitePosts;
use crate::dependencies::Dependencies;
use crate::hooks::{Hooks, SessionEnd};
use crate::metrics::MetricsOptions;
use crate::page::PlainPages;
use crate::presence::PresenceGuard;
use crate::store::MemoryStore;

type Failure = Pin<Box<dyn Stream<Item = Signal> + Send>>;

fn state(with_store: bool, hooks: Hooks) -> Arc<ServiceState> {
    let mut config = Config::new(PodName::new("a").unwrap());
    config.policy.propagation_wait = Duration::ZERO;
    config.store = with_store.then(|| Arc::new(MemoryStore::default()) as _);
    let metrics = MetricsOptions::default();
    ServiceState::new(
        config,
        Box::new(PlainPages::default()),
        CrossSitePosts::default(),
        hooks,
        metrics,
        Dependencies::default(),
    )
}

fn background() -> Background {
    Background::new(watch::channel(false).1, Closers::default())
}

/// Signals whose stream panics, as a fault of ours in the drain task would.
fn failing() -> Failure {
    Box::pin(futures_util::stream::poll_fn(|_| panic!("the drain task fails")))
}

#[tokio::test(start_paused = true)]
async fn an_own_server_keeps_no_changes_for_watchers_that_never_come() {
    let (state, background) = (state(false, Hooks::default()), background());
    background.start(&state, pending).unwrap();
    background.ready().await;
    for _ in 0..100 {
        let session = state.start_session(UserName::anonymous()).unwrap();
        state.registry.end(&session, Outcome::Logout);
    }
    assert!(state.registry.take_changes().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_failure_ends_the_event_streams_and_whoever_waits() {
    let (state, background) = (state(false, Hooks::default()), background());
    background.start(&state, failing).unwrap();
    timeout(Duration::from_secs(5), state.streams_end.cancelled()).await.unwrap();
    background.over().await;
    assert!(!background.is_drained());
    assert!(matches!(background.finish().await, Err(ServeError::PartEnded(Some(_)))));
    assert!(background.finish().await.is_ok(), "one call gets the error");
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_is_finished_before_the_drain_is_no_failure() {
    let early = |_| async {
        let (state, background) = (state(true, Hooks::default()), background());
        background.start(&state, pending).unwrap();
        background.ready().await;
        let (one, other) = tokio::join!(background.finish(), background.finish());
        one.unwrap();
        other.unwrap();
    };
    futures_util::future::join_all((0..50).map(early)).await;
}

#[tokio::test(start_paused = true)]
async fn every_call_to_finish_waits_also_after_one_was_dropped() {
    let (state, background) = (state(true, Hooks::default()), background());
    background.start(&state, pending).unwrap();
    tokio::select! {
        biased;
        _ = background.finish() => panic!("nothing has run yet"),
        () = std::future::ready(()) => {}
    }
    background.finish().await.unwrap();
    assert!(matches!(*background.task.lock(), Task::Finished));
    assert!(state.streams_end.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn the_work_ends_with_the_last_handle() {
    let (state, background) = (state(false, Hooks::default()), background());
    background.start(&state, pending).unwrap();
    background.ready().await;
    drop(background);
    timeout(Duration::from_secs(5), state.streams_end.cancelled()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn work_that_has_started_asks_for_no_other_signals() {
    let (state, background) = (state(false, Hooks::default()), background());
    background.start(&state, pending).unwrap();
    let again = background.start(&state, || -> Failure { panic!("signals of the process are caught") });
    assert_eq!(again, Err(AlreadyStarted));
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_harms_neither_the_sweep_nor_the_other_hooks() {
    let ended = Arc::new(Mutex::new(0));
    let count = Arc::clone(&ended);
    let mut hooks = Hooks::default();
    hooks.on_end.push(Box::new(|_: &SessionEnd| panic!("the app's hook fails")));
    hooks.on_end.push(Box::new(move |_: &SessionEnd| *count.lock() += 1));
    let (state, background) = (state(false, hooks), background());
    let session = state.start_session(UserName::anonymous()).unwrap();
    drop(PresenceGuard::open(&state, &session, PresenceKind::Request));
    background.start(&state, pending).unwrap();
    sleep(state.config.limits.session_ttl * 2).await;
    assert_eq!(*ended.lock(), 1);
    background.finish().await.unwrap();
}
