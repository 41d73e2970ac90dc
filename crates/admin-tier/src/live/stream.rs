//! One open event stream: the whole picture first, then what changes; ended where the sign-in ends, or the tier.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::stream::unfold;
use http::header::{HeaderValue, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use http_support::sse;
use serde::Serialize;
use serde_json::json;
use session_domain::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, interval_at, sleep_until, timeout};

use super::{Picture, Scene, Streams};
use crate::app::App;
use crate::auth::{Auth, Operator, Stay};
use crate::{clock, problem};

/// A stream says so often that it is alive; the page looks for another where it hears nothing for two of them.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Who reads nothing for so long is cut.
const PATIENCE: Duration = Duration::from_secs(20);

/// A stream is opened anew after so long: the request that does so renews the sign-in, as any other.
const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// What a stream tells, with the server's time.
#[derive(Serialize)]
struct Told<T> {
    at: Timestamp,
    #[serde(flatten)]
    what: T,
}

/// Why a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The sign-in has ended.
    SignedOut,
    /// The tier stops.
    Stopping,
    /// It has been open for long enough: another is welcome at once.
    Renew,
    /// Nobody reads, or nobody is there any more.
    Unheard,
}

/// Opens a stream of what `draw` makes of each scene.
pub(crate) fn open<D>(app: &App, operator: &Operator, headers: &HeaderMap, draw: D) -> Response
where
    D: FnMut(&Arc<Scene>) -> Arc<Picture> + Send + 'static,
{
    let streams = app.streams.clone();
    let Some(place) = streams.place() else {
        let detail = "Too many pages are open. Close one, or wait a moment.";
        let mut response = problem::document(StatusCode::SERVICE_UNAVAILABLE, "Too many pages are open", detail);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
        return response;
    };
    let stay = match &app.auth {
        Auth::Token(lock) if operator.how.is_signed_in() => lock.stay(headers),
        Auth::Token(_) | Auth::Proxy(_) | Auth::Off => None,
    };
    let (out, said) = mpsc::channel(1);
    // Marked as seen before the first picture is drawn, so that what comes later is not missed.
    let mut scenes = app.scenes.clone();
    scenes.mark_unchanged();
    let stream = Stream { out, scenes, stay, draw, streams: streams.clone(), shown: Arc::default() };
    let first = Arc::new(app.scene());
    streams.tasks.spawn(stream.run(first));
    // The place is the connection's, for as long as that lasts.
    let body = unfold((said, place), |(mut said, place)| async move {
        let bytes: Bytes = said.recv().await?;
        Some((Ok::<_, Infallible>(bytes), (said, place)))
    });
    sse::response(Body::from_stream(body))
}

struct Stream<D> {
    out: mpsc::Sender<Bytes>,
    scenes: watch::Receiver<Arc<Scene>>,
    /// The sign-in that has to last, where there is one.
    stay: Option<Stay>,
    draw: D,
    streams: Streams,
    shown: Arc<Picture>,
}

impl<D: FnMut(&Arc<Scene>) -> Arc<Picture>> Stream<D> {
    async fn run(mut self, first: Arc<Scene>) {
        let end = self.speak(&first).await;
        let reason = match end {
            End::SignedOut => "signed-out",
            End::Stopping => "stopping",
            End::Renew => "renew",
            End::Unheard => return,
        };
        // Nobody waits for those who do not listen.
        let _ = self.out.try_send(frame("end", json!({ "reason": reason })));
    }

    async fn speak(&mut self, first: &Arc<Scene>) -> End {
        let until = Instant::now() + LIFETIME;
        let mut heartbeats = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        self.shown = (self.draw)(first);
        let mut next = Some(frame("snapshot", self.shown.whole()));
        loop {
            let stop = self.streams.stop.clone();
            let out = self.out.clone();
            let permit = tokio::select! {
                () = stop.cancelled() => return End::Stopping,
                permit = timeout(PATIENCE, out.reserve()) => match permit {
                    Ok(Ok(permit)) => permit,
                    Ok(Err(_)) => return End::Unheard,
                    Err(_) => {
                        self.streams.was_cut();
                        return End::Unheard;
                    }
                },
            };
            if let Some(bytes) = next.take() {
                permit.send(bytes);
                continue;
            }
            drop(permit);
            tokio::select! {
                () = stop.cancelled() => return End::Stopping,
                () = out.closed() => return End::Unheard,
                () = over(self.stay.as_mut()) => return End::SignedOut,
                () = sleep_until(until) => return End::Renew,
                changed = self.scenes.changed() => {
                    if changed.is_err() {
                        return End::Stopping;
                    }
                    next = self.change();
                }
                _ = heartbeats.tick() => {
                    if self.stay.as_ref().is_some_and(Stay::is_over) {
                        return End::SignedOut;
                    }
                    next = Some(frame("heartbeat", json!({})));
                }
            }
        }
    }

    /// What is different in the newest scene.
    fn change(&mut self) -> Option<Bytes> {
        let scene = Arc::clone(&self.scenes.borrow_and_update());
        let now = (self.draw)(&scene);
        let bytes = now.since(&self.shown).map(|changes| frame("delta", changes));
        self.shown = now;
        bytes
    }
}

async fn over(stay: Option<&mut Stay>) {
    match stay {
        Some(stay) => stay.over().await,
        None => std::future::pending().await,
    }
}

fn frame(event: &str, what: impl Serialize) -> Bytes {
    sse::encode(event, &Told { at: clock::now(), what })
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_reads_nothing_is_cut_and_counted_and_holds_nothing_back() {
        let scene = Arc::new(Scene::default());
        let (_scenes, receiver) = watch::channel(Arc::clone(&scene));
        let streams = Streams::new(CancellationToken::new());
        let (out, mut said) = mpsc::channel(1);
        let draw = |_: &Arc<Scene>| Arc::new(Picture::default());
        let stream =
            Stream { out, scenes: receiver, stay: None, draw, streams: streams.clone(), shown: Arc::default() };
        let start = Instant::now();
        stream.run(scene).await;
        assert_eq!((streams.cut(), start.elapsed()), (1, PATIENCE));
        let first = said.recv().await.unwrap();
        assert!(first.starts_with(b"event: snapshot\ndata: {\"at\":"), "{first:?}");
        assert_eq!(said.recv().await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_hears_that_the_stream_lives_and_opens_another_in_time() {
        let scene = Arc::new(Scene::default());
        let (_scenes, receiver) = watch::channel(Arc::clone(&scene));
        let streams = Streams::new(CancellationToken::new());
        let (out, mut said) = mpsc::channel(1);
        let draw = |_: &Arc<Scene>| Arc::new(Picture::default());
        let stream =
            Stream { out, scenes: receiver, stay: None, draw, streams: streams.clone(), shown: Arc::default() };
        let reading = async {
            let mut events = Vec::new();
            while let Some(bytes) = said.recv().await {
                events.push(String::from_utf8(bytes.to_vec()).unwrap());
            }
            events
        };
        let ((), events) = tokio::join!(stream.run(scene), reading);
        let heartbeats = events.iter().filter(|event| event.starts_with("event: heartbeat\n")).count() as u32;
        assert!(heartbeats.abs_diff(LIFETIME.div_duration_f32(HEARTBEAT) as u32) <= 1, "{heartbeats}");
        assert!(events.last().is_some_and(|end| end.contains("\"reason\":\"renew\"")), "{events:?}");
        assert_eq!(streams.cut(), 0);
    }
}
