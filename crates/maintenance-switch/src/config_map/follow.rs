//! Following the ConfigMap, in rounds: list it, then watch it through kube's watcher, and begin anew.
//!
//! A round is bounded and begins with a list, because a watch that hangs without a word looks just like a switch that
//! nobody touches, to kube's watcher as well: what a dead watch has missed, the next list says. It reads the newest state
//! and not any server's cache, which could be an old one and move the switch back.
//!
//! Any error ends the round, and the watcher with it: one whose watch is refused with 410 would ask for the same revision
//! for ever.

use std::pin::pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::debug;

use super::{ConfigMapName, chain, reading};
use crate::backoff::Backoff;
use crate::position::Position;
use crate::report::{Doubt, Teller};

/// How fast things go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// A list that takes longer has failed.
    pub(crate) patience: Duration,
    /// A round that has lasted so long makes up for the failures before it.
    pub(crate) well: Duration,
    /// A round ends after this, or up to a quarter less. A flip that a hanging watch misses is seen so much later.
    pub(crate) round: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { patience: seconds(10), well: seconds(5), round: seconds(30) }
    }
}

/// Follows the ConfigMap for ever.
pub(crate) async fn follow(client: Client, name: &ConfigMapName, mut teller: Teller, pace: Pace) {
    let api = Api::<ConfigMap>::namespaced(client, name.namespace());
    let mut backoff = Backoff::default();
    loop {
        let began = Instant::now();
        let ended = round(&api, name, &mut teller, pace).await;
        let was_well = began.elapsed() >= pace.well;
        if was_well {
            backoff = Backoff::default();
        }
        match ended {
            Ok(()) if was_well => {}
            Ok(()) => sleep(backoff.next_pause()).await,
            Err(doubt) => {
                teller.hear(Err(doubt), true);
                sleep(backoff.next_pause()).await;
            }
        }
    }
}

/// One list and one watch. Ends well where there is nothing to it: its time is up, the watch broke or was too far behind.
async fn round(api: &Api<ConfigMap>, name: &ConfigMapName, teller: &mut Teller, pace: Pace) -> Result<(), Doubt> {
    let began = Instant::now();
    let length = pace.round.mul_f64(0.75 + fastrand::f64() / 4.0);
    let config = watcher::Config::default()
        .fields(&format!("metadata.name={}", name.name()))
        // Later than we end it ourselves.
        .timeout(u32::try_from(pace.round.as_secs()).unwrap_or(u32::MAX).saturating_add(30));
    let mut events = pin!(watcher(api.clone(), config));
    let listed = timeout(pace.patience, list(&mut events)).await;
    let Some(mut last) = listed.map_err(|_| silent(pace.patience))?? else { return Ok(()) };
    teller.hear(last.clone(), false);
    let mut steady = false;
    loop {
        let until = began + if steady { length } else { pace.well.min(length) };
        match timeout_at(until, events.next()).await {
            Err(_) if steady => return Ok(()),
            Err(_) => steady = true,
            Ok(None) => return Ok(()),
            Ok(Some(Err(error))) => return lost(&error),
            Ok(Some(Ok(Event::Apply(map) | Event::InitApply(map)))) => last = reading(&map),
            Ok(Some(Ok(Event::Delete(_)))) => last = Err(Doubt::NotThere),
            Ok(Some(Ok(Event::Init | Event::InitDone))) => {}
        }
        teller.hear(last.clone(), steady);
    }
}

/// What the list says; `None` where the round is to begin anew.
async fn list(
    events: &mut (impl Stream<Item = watcher::Result<Event<ConfigMap>>> + Unpin),
) -> Result<Option<Result<Position, Doubt>>, Doubt> {
    let mut found = Err(Doubt::NotThere);
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::InitApply(map) | Event::Apply(map)) => found = reading(&map),
            Ok(Event::InitDone) => return Ok(Some(found)),
            Ok(Event::Init | Event::Delete(_)) => {}
            Err(error) => return lost(&error).map(|()| None),
        }
    }
    Ok(None)
}

/// What an error means: nothing, where the next list will do.
fn lost(error: &watcher::Error) -> Result<(), Doubt> {
    let status = match error {
        watcher::Error::WatchFailed(error) => {
            debug!(error = chain(error), "the watch of the maintenance switch broke");
            return Ok(());
        }
        watcher::Error::WatchError(status) => status.as_ref(),
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => status.as_ref(),
        watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error) => {
            return Err(Doubt::Away(chain(error)));
        }
        watcher::Error::NoResourceVersion => return Err(Doubt::Away(error.to_string())),
    };
    match status.code {
        410 => Ok(()),
        401 | 403 => Err(Doubt::Forbidden(format!("{}; its role must grant list and watch", status.message))),
        code => Err(Doubt::Away(format!("the Kubernetes API answers {code}: {}", status.message))),
    }
}

fn silent(patience: Duration) -> Doubt {
    Doubt::Away(format!("the Kubernetes API does not answer within {patience:?}"))
}
