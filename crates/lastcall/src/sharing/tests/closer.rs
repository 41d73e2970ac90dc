//! The session store as one of the resources that are closed at the end.

use session_domain::PodName;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::super::{CLOSE_TIMEOUT, SHUTDOWN_TIMEOUT, closer, shut_down};
use super::*;
use crate::closers::{Closers, Closing};
use crate::config::Config;
use crate::cross_site_posts::CrossSitePosts;
use crate::dependencies::Dependencies;
use crate::hooks::Hooks;
use crate::metrics::MetricsOptions;
use crate::page::PlainPages;
use crate::service_state::ServiceState;
use crate::sharing::Sharing;

async fn close(sharing: &Arc<Sharing>) -> Duration {
    let (mut closers, before) = (Closers::default(), Instant::now());
    closers.insert_first(closer(sharing));
    Closing::new(closers).run().await;
    before.elapsed()
}

// On the clock of this machine: a closer has a thread of its own.
#[tokio::test]
async fn a_store_that_hangs_takes_no_longer_with_a_closer_than_without_one() {
    let mut config = Config::new(PodName::new("a").unwrap());
    config.store = Some(Arc::new(MemoryStore::new()));
    let pages = Box::new(PlainPages::default());
    let state = ServiceState::new(
        config,
        pages,
        CrossSitePosts::default(),
        Hooks::default(),
        MetricsOptions::default(),
        Dependencies::default(),
    );
    let sharing = state.sessions.sharing().unwrap();
    // Its writer has not been started, and so answers nothing.
    sharing.health.record_write(Ok(()), sharing.clock.now());
    assert!(close(sharing).await >= CLOSE_TIMEOUT);
    let mut hung = JoinSet::new();
    hung.spawn(std::future::pending());
    let before = Instant::now();
    shut_down(sharing, hung, &CancellationToken::new()).await;
    assert!(before.elapsed() < SHUTDOWN_TIMEOUT, "the closer has taken its part: {:?}", before.elapsed());
}

#[tokio::test]
async fn a_store_that_answers_takes_no_time_and_has_every_change_afterwards() {
    let store = Arc::new(MemoryStore::new());
    let running = start(&store, "a").await;
    let id = SessionId::from_uuid(Uuid::from_u128(7));
    running.pod.registry.start(id, UserName::anonymous(), EventStreams::default(), running.pod.clock.now()).unwrap();
    assert!(close(running.pod.sessions.sharing().unwrap()).await < CLOSE_TIMEOUT);
    let next = start(&store, "b").await;
    assert!(next.request(id, false).await.is_some(), "the next pod knows it");
}
