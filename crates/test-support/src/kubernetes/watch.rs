//! Watches: the state or a revision to begin with, then every change as a line of JSON, bookmarks between them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, interval, sleep_until};
use tokio_stream::wrappers::ReceiverStream;

use crate::kubernetes::api::Query;
use crate::kubernetes::double::{Interruption, Shared};
use crate::kubernetes::fault::{Fault, Verb};
use crate::kubernetes::resource::{Resource, Target};
use crate::kubernetes::selection::Selection;
use crate::kubernetes::status::Status;

/// What ends every event stream of a client that asks for none: as long as a real one may.
const LONGEST: Duration = Duration::from_secs(3600);

struct Watch {
    shared: Arc<Shared>,
    resource: &'static Resource,
    selection: Selection,
    /// What is to be said next.
    lines: Vec<Value>,
    /// Everything up to this revision is said, or stands in the lines.
    known: u64,
    /// Whether it ends with the lines.
    over: bool,
    bookmarks: bool,
    timeout: Duration,
    /// How often watches had been struck dumb when it began: one time more, and it is one of them.
    born: u64,
}

type Mouth = mpsc::Sender<io::Result<Bytes>>;

/// Answers a watch: with a stream, whatever becomes of it.
pub(super) fn open(shared: &Arc<Shared>, target: &Target, query: &Query) -> Result<Response, Status> {
    let selection = Selection::new(target, query.text("fieldSelector"), query.text("labelSelector"))?;
    let initial = query.is_on("sendInitialEvents");
    if initial != (query.text("resourceVersionMatch") == Some("NotOlderThan")) {
        return Err(Status::new(422, "Invalid", "sendInitialEvents and resourceVersionMatch=NotOlderThan go together"));
    }
    let seconds = query.number("timeoutSeconds")?;
    // Taken off the count again when it is dropped.
    shared.watching.fetch_add(1, Ordering::AcqRel);
    let mut watch = Watch {
        shared: Arc::clone(shared),
        resource: target.resource,
        selection,
        lines: Vec::new(),
        known: 0,
        over: false,
        bookmarks: query.is_on("allowWatchBookmarks"),
        timeout: seconds.map_or(LONGEST, Duration::from_secs),
        born: shared.struck_dumb.load(Ordering::Acquire),
    };
    watch.begin(query.number("resourceVersion")?.unwrap_or(0), initial)?;
    let (mouth, heard) = mpsc::channel(16);
    tokio::spawn(watch.run(mouth));
    Ok(([("content-type", "application/json")], Body::from_stream(ReceiverStream::new(heard))).into_response())
}

impl Watch {
    /// Begins with the changes since a revision, or with the state where there is none.
    fn begin(&mut self, from: u64, initial: bool) -> Result<(), Status> {
        let mut store = self.shared.store();
        if from > store.revision() {
            return Err(Status::new(504, "Timeout", format!("Too large resource version: {from}")));
        }
        if from > 0 && !initial {
            self.known = from;
        } else {
            let page = store.list(&self.selection, None);
            self.known = page.revision;
            self.lines.extend(page.items.into_iter().map(|object| json!({ "type": "ADDED", "object": object })));
            if initial {
                self.lines.push(bookmark(self.resource, page.revision, true));
            }
        }
        Ok(())
    }

    async fn run(mut self, mouth: Mouth) {
        let mut revision = self.shared.revision.subscribe();
        let mut interruptions = self.shared.interruptions.subscribe();
        let mut bookmarks = interval(self.shared.options.bookmarks);
        bookmarks.reset();
        let end = Instant::now() + self.timeout;
        loop {
            let fault = self.shared.faults.of(Verb::Watch);
            if fault == Some(Fault::Mute) || self.born != self.shared.struck_dumb.load(Ordering::Acquire) {
                // Not even the end of the time is told: as of a connection that a router has forgotten.
                return mouth.closed().await;
            }
            match fault {
                Some(Fault::Ends) => return,
                Some(Fault::Breaks) => return breaks(&mouth).await,
                Some(Fault::Garbles) => return drop(mouth.send(Ok("{\"type\":\"ADD\u{7f}\n".into())).await),
                _ => {}
            }
            self.catch_up();
            for line in self.lines.drain(..) {
                if mouth.send(Ok(format!("{line}\n").into())).await.is_err() {
                    return;
                }
            }
            if self.over {
                return;
            }
            tokio::select! {
                _ = revision.changed() => {}
                _ = bookmarks.tick() => self.bookmark(),
                () = sleep_until(end) => {
                    self.bookmark();
                    self.over = true;
                }
                _ = interruptions.changed() => {
                    let interruption = *interruptions.borrow_and_update();
                    match interruption {
                        Interruption::Cut(_) => return breaks(&mouth).await,
                        Interruption::Expire(_) => {
                            self.fail(&Status::expired("The resourceVersion for the provided watch is too old."));
                        }
                    }
                }
                () = mouth.closed() => return,
            }
        }
    }

    /// Takes what has changed since.
    fn catch_up(&mut self) {
        let store = self.shared.store();
        let (events, revision) = (store.since(self.known, &self.selection), store.revision());
        drop(store);
        match events {
            Ok(events) => self.lines.extend(events),
            // Even a watch that begins too far back is answered as one: its only event says so.
            Err(expired) => self.fail(&expired),
        }
        self.known = revision;
    }

    fn fail(&mut self, status: &Status) {
        self.lines.push(json!({ "type": "ERROR", "object": status.object() }));
        self.over = true;
    }

    /// Promises that everything before it has been said.
    fn bookmark(&mut self) {
        self.catch_up();
        if self.bookmarks {
            self.lines.push(bookmark(self.resource, self.known, false));
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.watching.fetch_sub(1, Ordering::AcqRel);
    }
}

async fn breaks(mouth: &Mouth) {
    let _ = mouth.send(Err(io::ErrorKind::ConnectionReset.into())).await;
}

fn bookmark(resource: &Resource, revision: u64, ends_initial_events: bool) -> Value {
    let mut metadata = json!({ "resourceVersion": revision.to_string() });
    if ends_initial_events {
        metadata["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
    }
    let object = json!({ "apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata });
    json!({ "type": "BOOKMARK", "object": object })
}
