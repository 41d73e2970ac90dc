//! Keeps up with the EndpointSlices of a Service: a list, then a watch from there, begun again whenever it ends.
//!
//! Our own loop over kube's `list` and `watch` rather than its `watcher`, which begins a watch that ends at once again
//! without a pause, never says that it is well again, and logs each refusal. What is known is replaced only by a whole
//! list, so that nothing is missing while it is listed again.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt as _, pin_mut};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::core::Status;
use kube::{Api, Client, ResourceExt as _};
use tokio::time::{Instant, sleep, timeout};
use tracing::debug;

use super::{Service, slices};
use crate::discovery::Reporter;
use crate::reason;
use maintenance_switch::Backoff;

/// The API gets so long to answer a list, and to begin a watch.
const PATIENCE: Duration = Duration::from_secs(10);

/// A watch lasts so long, as the API is asked to end it, in seconds: short, because that end is the only sign of life
/// that can be counted on.
const WATCH_SECONDS: u32 = 15;

/// A watch that is silent for longer is dead.
const SILENCE: Duration = Duration::from_secs(WATCH_SECONDS as u64 + 3);

/// A watch that has lasted so long makes up for the failures before it.
const WELL: Duration = Duration::from_secs(5);

/// How a watch ended.
enum End {
    /// In good order, or it broke off: it can go on where it was.
    Over,
    /// What it would go on from is forgotten.
    Outdated,
    /// The API refuses or does not answer, for this reason.
    Failed(String),
}

/// What is known of the Service.
struct Follower<'a> {
    api: Api<EndpointSlice>,
    service: &'a Service,
    reporter: &'a Reporter,
    labels: String,
    slices: BTreeMap<String, EndpointSlice>,
    /// The state that `slices` are of; absent where they have to be listed anew.
    version: Option<String>,
}

/// Follows the Service until it is dropped.
pub(super) async fn run(client: Client, service: &Service, reporter: &Reporter) {
    let api = Api::namespaced(client, &service.namespace);
    let labels = format!("kubernetes.io/service-name={}", service.name);
    let mut follower = Follower { api, service, reporter, labels, slices: BTreeMap::new(), version: None };
    let mut backoff = Backoff::default();
    loop {
        let began = Instant::now();
        match follower.once().await {
            End::Over => {}
            End::Outdated => follower.version = None,
            End::Failed(reason) => {
                reporter.failed(&reason);
                follower.version = None;
            }
        }
        if began.elapsed() >= WELL {
            backoff = Backoff::default();
        } else {
            // Who cannot be watched is listed again and again: news come late then, but they come.
            follower.version = None;
        }
        sleep(backoff.next_pause()).await;
    }
}

impl Follower<'_> {
    /// Lists where that is needed, then watches once.
    async fn once(&mut self) -> End {
        match self.try_once().await {
            Ok(()) => End::Over,
            Err(end) => end,
        }
    }

    async fn try_once(&mut self) -> Result<(), End> {
        let version = match self.version.clone() {
            Some(version) => version,
            None => self.list().await?,
        };
        let parameters = WatchParams::default().labels(&self.labels).timeout(WATCH_SECONDS);
        let watch = timeout(PATIENCE, self.api.watch(&parameters, &version)).await;
        let watch = watch.map_err(|_| silent())?.map_err(|error| failed(&error))?;
        self.report();
        pin_mut!(watch);
        while let Ok(Some(event)) = timeout(SILENCE, watch.next()).await {
            match event {
                Ok(event) => self.take(event)?,
                Err(error) => {
                    debug!(error = &error as &dyn std::error::Error, "the watch of endpoints broke off");
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn list(&mut self) -> Result<String, End> {
        let parameters = ListParams::default().labels(&self.labels);
        let list = timeout(PATIENCE, self.api.list(&parameters)).await;
        let list = list.map_err(|_| silent())?.map_err(|error| failed(&error))?;
        let Some(version) = list.metadata.resource_version.filter(|version| !version.is_empty()) else {
            return Err(End::Failed("the Kubernetes API gives no version to a list of endpoints".to_owned()));
        };
        self.slices = list.items.into_iter().map(|slice| (slice.name_any(), slice)).collect();
        self.version = Some(version.clone());
        self.reporter.seen(slices::read(self.slices.values(), self.service).pods);
        Ok(version)
    }

    fn take(&mut self, event: WatchEvent<EndpointSlice>) -> Result<(), End> {
        match event {
            WatchEvent::Added(slice) | WatchEvent::Modified(slice) => {
                self.version = slice.resource_version().or_else(|| self.version.take());
                self.slices.insert(slice.name_any(), slice);
            }
            WatchEvent::Deleted(slice) => {
                self.version = slice.resource_version().or_else(|| self.version.take());
                self.slices.remove(&slice.name_any());
            }
            WatchEvent::Bookmark(bookmark) => {
                self.version = Some(bookmark.metadata.resource_version);
                return Ok(());
            }
            WatchEvent::Error(status) => return Err(refused(&status)),
        }
        self.report();
        Ok(())
    }

    fn report(&self) {
        let read = slices::read(self.slices.values(), self.service);
        self.reporter.found(read.pods, read.fault.as_deref());
    }
}

fn silent() -> End {
    End::Failed(format!("the Kubernetes API does not answer within {} s", PATIENCE.as_secs()))
}

fn failed(error: &kube::Error) -> End {
    match error {
        kube::Error::Api(status) => refused(status),
        other => End::Failed(format!("the Kubernetes API cannot be asked: {}", reason::innermost(other))),
    }
}

/// Why the API says no, and what would help.
fn refused(status: &Status) -> End {
    let Status { code, message, .. } = status;
    match code {
        410 => End::Outdated,
        401 | 403 => End::Failed(format!(
            "the Kubernetes API refuses ({code}); let this service account list and watch endpointslices of \
             discovery.k8s.io: {message}"
        )),
        _ => End::Failed(format!("the Kubernetes API answers {code}: {message}")),
    }
}
