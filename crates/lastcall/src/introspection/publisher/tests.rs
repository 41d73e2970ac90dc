//! What a watcher is sent while the lifecycle changes.

use std::collections::HashMap;

use futures_util::{Stream, StreamExt as _};
use session_domain::lifecycle::Signal;
use session_domain::registry::PresenceKind;
use session_domain::{PodName, SessionId, UserName};
use session_wire::v1;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};
use tokio_stream::wrappers::UnboundedReceiverStream;
use uuid::Uuid;

use super::*;
use crate::config::Config;
use crate::cross_site_posts::CrossSitePosts;
use crate::dependencies::Dependencies;
use crate::drain::DrainTask;
use crate::hooks::Hooks;
use crate::metrics::MetricsOptions;
use crate::page::PlainPages;
use crate::presence::PresenceGuard;

type Published = Result<v1::WatchSessionsResponse, tonic::Status>;

/// What a watcher was sent, and when.
async fn collect(stream: impl Stream<Item = Published>) -> Vec<(Instant, Event)> {
    stream.map(|message| (Instant::now(), message.unwrap().event.unwrap())).collect().await
}

#[tokio::test(start_paused = true)]
async fn a_session_is_published_at_most_once_a_second_through_maintenance_and_to_the_end() {
    let mut config = Config::new(PodName::new("a").unwrap());
    config.policy.propagation_wait = Duration::ZERO;
    let state = ServiceState::new(
        config,
        Box::new(PlainPages::default()),
        CrossSitePosts::default(),
        Hooks::default(),
        MetricsOptions::default(),
        Dependencies::default(),
    );
    let watchers = Watchers::new(&state);
    let publishing = tokio::spawn(publish(Arc::clone(&state), Arc::clone(&watchers), state.streams_end.clone()));
    let (switch, position) = watch::channel(false);
    let (signal, signals) = mpsc::unbounded_channel();
    let mut drain = DrainTask::start(Arc::clone(&state), position).await;
    let draining = tokio::spawn(async move { drain.run(UnboundedReceiverStream::new(signals)).await });
    let published = tokio::spawn(collect(watchers.watch(&state)));

    let id = SessionId::from_uuid(Uuid::from_u128(7));
    let session = state.registry.start(id, UserName::anonymous(), EventStreams::default(), state.clock.now()).unwrap();
    let _stream = PresenceGuard::open(&state, &session, PresenceKind::EventStream);
    for maintenance in [true, false, true, false] {
        sleep(Duration::from_millis(400)).await;
        switch.send(maintenance).unwrap();
    }
    // It has just been published again when the pod stops at once.
    sleep(Duration::from_millis(700)).await;
    signal.send(Signal::Quit).unwrap();
    draining.await.unwrap();
    publishing.await.unwrap();

    let published = published.await.unwrap();
    let mut last: HashMap<String, Instant> = HashMap::new();
    let mut removals = 0;
    for (at, event) in &published {
        let Event::Changes(changes) = event else { continue };
        removals += changes.removals.len();
        let upserts = changes.upserts.iter().map(|session| &session.session_id);
        for id in upserts.chain(&changes.removals) {
            let before = last.insert(id.clone(), *at);
            assert!(
                before.is_none_or(|before| *at - before >= SESSION_INTERVAL),
                "{id} after {:?}",
                *at - before.unwrap()
            );
        }
    }
    assert_eq!(removals, 1, "the end of the session is published before the end of the watch");
    assert!(matches!(published.last(), Some((_, Event::Pod(pod))) if pod.is_final), "{published:#?}");
}
