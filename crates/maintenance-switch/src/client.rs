//! The way to the Kubernetes API, for whoever asks it something: found as every client finds it, and well behaved.
//!
//! kube's own settings are not for a process that must live. They try a busy server again for minutes, inside of one
//! request; they wait for an answer for ever; and its watcher opens a watch that ends at once again without a pause, and
//! without a word to whoever could make one (a thousand requests a second, measured). Here a request is tried once and
//! answered within seconds, or fails; and watches of the same thing that end early are spaced out.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response, Uri};
use kube::client::{Body, ClientBuilder};
use kube::{Client, Config};
use thiserror::Error;
use tokio::time::{Instant, sleep, timeout};
use tower::layer::layer_fn;
use tower::{BoxError, Service};

use crate::backoff::Backoff;

/// An answer's head comes within this time, or not at all. What follows it may take as long as it likes.
const PATIENCE: Duration = Duration::from_secs(10);

/// A watch that lasted so long ended for good reasons: the next one is opened at once.
const WELL: Duration = Duration::from_secs(5);

/// Why there is no way to the Kubernetes API. Both are for whoever deploys; trying again does not help.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// Neither `KUBECONFIG` (nor `~/.kube/config`) nor the files of a pod's service account tell where it is.
    #[error(
        "no way to the Kubernetes API is configured: set KUBECONFIG, or run in a pod with its account mounted: {0}"
    )]
    NotConfigured(#[source] Box<kube::config::InferConfigError>),
    /// What they say cannot be used: a broken certificate, say.
    #[error("the way to the Kubernetes API is misconfigured: {0}")]
    Misconfigured(#[source] Box<kube::Error>),
}

/// Finds the way to the Kubernetes API: what `KUBECONFIG` (or `~/.kube/config`) says, else what a pod finds.
///
/// Asks nothing of the API: whether it is there shows when it is used.
///
/// # Errors
/// Where nothing says where it is.
pub async fn connect() -> Result<Client, ConnectError> {
    client(Config::infer().await.map_err(|error| ConnectError::NotConfigured(Box::new(error)))?)
}

/// A client by these settings, with the manners described above.
///
/// # Errors
/// Where the settings cannot be used.
pub fn client(mut config: Config) -> Result<Client, ConnectError> {
    config.default_retry = false;
    config.connect_timeout = Some(PATIENCE);
    let builder = ClientBuilder::try_from(config).map_err(|error| ConnectError::Misconfigured(Box::new(error)))?;
    Ok(builder.with_layer(&layer_fn(WellBehaved::new)).build())
}

/// Answers in time, or fails; spaces watches out.
#[derive(Debug)]
struct WellBehaved<S> {
    inner: S,
    watches: Arc<Watches>,
}

/// The last watch of each thing.
#[derive(Debug, Default)]
struct Watches(Mutex<HashMap<String, Last>>);

#[derive(Debug)]
struct Last {
    began: Instant,
    backoff: Backoff,
}

impl<S> WellBehaved<S> {
    fn new(inner: S) -> Self {
        Self { inner, watches: Arc::default() }
    }
}

impl Watches {
    /// How long a watch has to wait before it is opened.
    fn open(&self, watched: &str) -> Duration {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let Some(last) = all.get_mut(watched) else {
            all.insert(watched.to_owned(), Last { began: now, backoff: Backoff::default() });
            return Duration::ZERO;
        };
        let pause = if now.saturating_duration_since(last.began) >= WELL {
            last.backoff = Backoff::default();
            Duration::ZERO
        } else {
            last.backoff.next_pause()
        };
        last.began = now + pause;
        pause
    }

    /// A watch was refused: whoever wanted it knows, and makes pauses of their own.
    fn refused(&self, watched: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(watched);
    }
}

/// What a request watches, if it is a watch: its address without the revision to begin with.
fn watched(uri: &Uri) -> Option<String> {
    let parameters = uri.query()?.split('&');
    if !parameters.clone().any(|parameter| matches!(parameter, "watch=true" | "watch=1")) {
        return None;
    }
    let same = parameters.filter(|parameter| !parameter.starts_with("resourceVersion="));
    Some(std::iter::once(uri.path()).chain(same).collect::<Vec<_>>().join("&"))
}

impl<S, B> Service<Request<Body>> for WellBehaved<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<B>, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (watched, watches) = (watched(request.uri()), Arc::clone(&self.watches));
        let answer = self.inner.call(request);
        Box::pin(async move {
            if let Some(watched) = &watched {
                sleep(watches.open(watched)).await;
            }
            let answered = timeout(PATIENCE, answer).await;
            let answered = answered.map_err(|_| format!("it does not answer within {PATIENCE:?}").into());
            let answered = answered.and_then(|answered| answered.map_err(Into::into));
            if let Some(watched) = &watched
                && !answered.as_ref().is_ok_and(|response| response.status().is_success())
            {
                watches.refused(watched);
            }
            answered
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_watches_of_the_same_thing_wait_for_each_other() {
        let name = |text: &str| watched(&text.parse().unwrap());
        assert_eq!(name("/api/v1/namespaces/a/configmaps?fieldSelector=x&resourceVersion=1"), None);
        assert_eq!(name("/api/v1/namespaces/a/configmaps"), None);
        assert_eq!(name("/a?watch=true&limit=1&resourceVersion=1"), name("/a?watch=true&limit=1&resourceVersion=2"));
        assert_ne!(name("/a?watch=true&limit=1"), name("/b?watch=true&limit=1"));
        assert_ne!(name("/a?watch=true&limit=1"), name("/a?watch=true&limit=2"));
    }

    #[test]
    fn watches_that_end_at_once_wait_longer_each_time_and_a_refused_one_begins_anew() {
        let watches = Watches::default();
        assert_eq!((watches.open("a"), watches.open("b")), (Duration::ZERO, Duration::ZERO));
        let pauses: Vec<_> = (0..40).map(|_| watches.open("a")).collect();
        assert!(pauses.iter().all(|pause| !pause.is_zero() && *pause <= WELL), "{pauses:?}");
        assert!(pauses[0] < pauses[10]);
        watches.refused("a");
        assert_eq!(watches.open("a"), Duration::ZERO);
        assert!(!watches.open("b").is_zero());
    }
}
