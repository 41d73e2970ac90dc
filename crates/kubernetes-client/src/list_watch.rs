//! Keeps up with a list of objects: a list, then watches from its revision.
//!
//! kube's own `watcher` is not used: it opens a watch that ends at once again without a pause (a thousand requests a second,
//! measured), never reports that it has recovered, and goes on watching a revision that has expired.
//!
//! - The known objects are replaced only by a whole list, so that none is missing while they are listed again.
//! - A watch that hangs looks like objects that do not change. Watches are therefore short: the API is asked to end each
//!   one, and a watch that is silent for longer is abandoned. The next one begins at the last known revision, so that it
//!   reports what the last one missed.
//! - A list reads the newest state, not the cache of one API server, which could be older than what is known.
//! - After a failure, an expired revision or a watch that ended early, the objects are listed again after a pause.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::pin::pin;
use std::time::Duration;

use backoff::Backoff;
use futures_util::StreamExt as _;
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::{Api, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::debug;

use crate::api_error::ApiError;

/// The objects of a list by their names.
pub type Objects<K> = BTreeMap<String, K>;

/// What is known of the objects.
#[derive(Debug)]
pub enum Observation<'a, K> {
    /// The objects were listed. Whether they can be watched is not known yet.
    Listed(&'a Objects<K>),
    /// The objects are being watched.
    Watched {
        /// The objects as of the last change.
        objects: &'a Objects<K>,
        /// Whether a watch has lasted for [`Timing::healthy_after`] since the last failure.
        is_stable: bool,
    },
    /// The objects cannot be listed or watched now. What was known may be out of date.
    Failed(ApiError),
}

/// The time limits of a [`ListWatch`].
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// How long a list may take, and how long a watch may take to begin.
    pub request_timeout: Duration,
    /// How long a watch must last to reset the pauses between attempts.
    pub healthy_after: Duration,
    /// How long the API is asked to keep a watch open, in seconds.
    pub watch_seconds: u32,
    /// How much longer a watch may be silent before it is abandoned.
    pub watch_grace: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { request_timeout: seconds(10), healthy_after: seconds(5), watch_seconds: 15, watch_grace: seconds(3) }
    }
}

/// Follows the objects that match a selector.
#[derive(Debug)]
pub struct ListWatch<K> {
    api: Api<K>,
    selector: ListParams,
    timing: Timing,
    objects: Objects<K>,
    /// The revision of `objects`. Absent if they must be listed first.
    revision: Option<String>,
    is_stable: bool,
}

impl<K> ListWatch<K>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug,
{
    /// Follows the objects of `api` that match `selector`.
    pub const fn new(api: Api<K>, selector: ListParams, timing: Timing) -> Self {
        Self { api, selector, timing, objects: BTreeMap::new(), revision: None, is_stable: false }
    }

    /// Reports every observation to `observe`. Runs until it is dropped, and survives all errors.
    pub async fn run(mut self, mut observe: impl FnMut(Observation<'_, K>)) {
        let mut backoff = Backoff::default();
        loop {
            let began = Instant::now();
            let failed = self.list_and_watch(&mut observe).await.err();
            let was_healthy = began.elapsed() >= self.timing.healthy_after;
            if was_healthy {
                backoff.reset();
            }
            if failed.is_some() || !was_healthy {
                // Objects that cannot be watched are listed again and again, so that changes are reported late, not never.
                self.revision = None;
                self.is_stable = false;
            }
            if let Some(error) = failed
                && error != ApiError::Expired
            {
                observe(Observation::Failed(error));
            }
            sleep(backoff.next_pause()).await;
        }
    }

    /// Lists the objects if necessary, then watches them once. Succeeds at the end of the watch, in order or not.
    async fn list_and_watch(&mut self, observe: &mut impl FnMut(Observation<'_, K>)) -> Result<(), ApiError> {
        let request_timeout = self.timing.request_timeout;
        let revision = match self.revision.clone() {
            Some(revision) => revision,
            None => self.list(observe).await?,
        };
        let parameters = WatchParams {
            label_selector: self.selector.label_selector.clone(),
            field_selector: self.selector.field_selector.clone(),
            ..WatchParams::default()
        }
        .timeout(self.timing.watch_seconds);
        let api = self.api.clone();
        let watch = timeout(request_timeout, api.watch(&parameters, &revision)).await;
        let mut watch = pin!(watch.map_err(|_| ApiError::Timeout(request_timeout))??);
        self.observe(observe);
        let healthy_at = Instant::now() + self.timing.healthy_after;
        let max_silence = Duration::from_secs(self.timing.watch_seconds.into()) + self.timing.watch_grace;
        let mut silent_at = Instant::now() + max_silence;
        loop {
            let until = if self.is_stable { silent_at } else { healthy_at.min(silent_at) };
            match timeout_at(until, watch.next()).await {
                Err(_) if !self.is_stable && until == healthy_at => self.is_stable = true,
                Err(_) | Ok(None) => return Ok(()),
                Ok(Some(Err(error))) => {
                    debug!(error = &error as &dyn std::error::Error, "a watch of the Kubernetes API broke off");
                    return Ok(());
                }
                Ok(Some(Ok(event))) => {
                    silent_at = Instant::now() + max_silence;
                    self.apply(event)?;
                }
            }
            self.observe(observe);
        }
    }

    async fn list(&mut self, observe: &mut impl FnMut(Observation<'_, K>)) -> Result<String, ApiError> {
        let list = timeout(self.timing.request_timeout, self.api.list(&self.selector)).await;
        let list = list.map_err(|_| ApiError::Timeout(self.timing.request_timeout))??;
        let revision = list.metadata.resource_version.filter(|revision| !revision.is_empty());
        let revision = revision.ok_or(ApiError::NoRevision)?;
        self.objects = list.items.into_iter().map(|object| (object.name_any(), object)).collect();
        self.revision = Some(revision.clone());
        observe(Observation::Listed(&self.objects));
        Ok(revision)
    }

    fn apply(&mut self, event: WatchEvent<K>) -> Result<(), ApiError> {
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                self.revision = object.resource_version().or_else(|| self.revision.take());
                self.objects.insert(object.name_any(), object);
            }
            WatchEvent::Deleted(object) => {
                self.revision = object.resource_version().or_else(|| self.revision.take());
                self.objects.remove(&object.name_any());
            }
            WatchEvent::Bookmark(bookmark) => self.revision = Some(bookmark.metadata.resource_version),
            WatchEvent::Error(status) => return Err((&*status).into()),
        }
        Ok(())
    }

    fn observe(&self, observe: &mut impl FnMut(Observation<'_, K>)) {
        observe(Observation::Watched { objects: &self.objects, is_stable: self.is_stable });
    }
}

#[cfg(test)]
mod tests;
