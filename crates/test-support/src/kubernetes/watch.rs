//! Watches: each change after a revision as a line of JSON, with bookmarks between them.

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

use crate::kubernetes::fault::{Fault, Verb};
use crate::kubernetes::query::Query;
use crate::kubernetes::resource::{Resource, Target};
use crate::kubernetes::selection::Selection;
use crate::kubernetes::state::{Interruption, ServerState};
use crate::kubernetes::status::Status;

/// How long a watch without `timeoutSeconds` lasts.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3600);

struct Watch {
    state: Arc<ServerState>,
    resource: &'static Resource,
    selection: Selection,
    /// The events to send next.
    lines: Vec<Value>,
    /// The revision up to which all events were sent or are in `lines`.
    known: u64,
    /// Whether the watch ends after `lines`.
    is_over: bool,
    bookmarks: bool,
    timeout: Duration,
    /// The number of mutings when the watch began. A later muting mutes it for good.
    mutings_before: u64,
}

type Lines = mpsc::Sender<io::Result<Bytes>>;

/// Answers a watch with a stream of events.
pub(super) fn open(state: &Arc<ServerState>, target: &Target, query: &Query) -> Result<Response, Status> {
    let selection = Selection::new(target, query.text("fieldSelector"), query.text("labelSelector"))?;
    let seconds = query.number("timeoutSeconds")?;
    // Decremented when the watch is dropped.
    state.watching.fetch_add(1, Ordering::AcqRel);
    let mut watch = Watch {
        state: Arc::clone(state),
        resource: target.resource,
        selection,
        lines: Vec::new(),
        known: 0,
        is_over: false,
        bookmarks: query.is_on("allowWatchBookmarks"),
        timeout: seconds.map_or(DEFAULT_TIMEOUT, Duration::from_secs),
        mutings_before: state.mutings.load(Ordering::Acquire),
    };
    watch.begin(query.number("resourceVersion")?.unwrap_or(0))?;
    let (sender, lines) = mpsc::channel(16);
    tokio::spawn(watch.run(sender));
    Ok(([("content-type", "application/json")], Body::from_stream(ReceiverStream::new(lines))).into_response())
}

impl Watch {
    /// Begins with the changes after a revision, or with all objects if the revision is 0.
    fn begin(&mut self, from: u64) -> Result<(), Status> {
        let mut store = self.state.store();
        if from > store.revision() {
            return Err(Status::new(504, "Timeout", format!("Too large resource version: {from}")));
        }
        if from > 0 {
            self.known = from;
        } else {
            let page = store.list(&self.selection, None);
            self.known = page.revision;
            self.lines.extend(page.items.into_iter().map(|object| json!({ "type": "ADDED", "object": object })));
        }
        Ok(())
    }

    async fn run(mut self, sender: Lines) {
        let mut revision = self.state.revision.subscribe();
        let mut interruptions = self.state.interruptions.subscribe();
        let mut bookmarks = interval(self.state.options.bookmarks);
        bookmarks.reset();
        let end = Instant::now() + self.timeout;
        loop {
            let fault = self.state.faults.of(Verb::Watch);
            if fault == Some(Fault::Mute) || self.mutings_before != self.state.mutings.load(Ordering::Acquire) {
                // Does not even end at its timeout, like a connection that a router has forgotten.
                return sender.closed().await;
            }
            match fault {
                Some(Fault::Ends) => return,
                Some(Fault::Breaks) => return break_off(&sender).await,
                Some(Fault::Garbles) => return drop(sender.send(Ok("{\"type\":\"ADD\u{7f}\n".into())).await),
                _ => {}
            }
            self.catch_up();
            for line in self.lines.drain(..) {
                if sender.send(Ok(format!("{line}\n").into())).await.is_err() {
                    return;
                }
            }
            if self.is_over {
                return;
            }
            tokio::select! {
                _ = revision.changed() => {}
                _ = bookmarks.tick() => self.bookmark(),
                () = sleep_until(end) => {
                    self.bookmark();
                    self.is_over = true;
                }
                _ = interruptions.changed() => {
                    let interruption = *interruptions.borrow_and_update();
                    match interruption {
                        Interruption::Cut(_) => return break_off(&sender).await,
                        Interruption::Expire(_) => {
                            self.fail(&Status::expired("The resourceVersion for the provided watch is too old."));
                        }
                    }
                }
                () = sender.closed() => return,
            }
        }
    }

    /// Adds the events since the last ones.
    fn catch_up(&mut self) {
        let store = self.state.store();
        let (events, revision) = (store.since(self.known, &self.selection), store.revision());
        drop(store);
        match events {
            Ok(events) => self.lines.extend(events),
            // A watch from an expired revision is a stream as well, with this error as its only event.
            Err(expired) => self.fail(&expired),
        }
        self.known = revision;
    }

    fn fail(&mut self, status: &Status) {
        self.lines.push(json!({ "type": "ERROR", "object": status.object() }));
        self.is_over = true;
    }

    /// Adds a bookmark, which promises that all earlier events were sent.
    fn bookmark(&mut self) {
        self.catch_up();
        if self.bookmarks {
            self.lines.push(bookmark(self.resource, self.known));
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.state.watching.fetch_sub(1, Ordering::AcqRel);
    }
}

async fn break_off(sender: &Lines) {
    let _ = sender.send(Err(io::ErrorKind::ConnectionReset.into())).await;
}

fn bookmark(resource: &Resource, revision: u64) -> Value {
    let metadata = json!({ "resourceVersion": revision.to_string() });
    let object = json!({ "apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata });
    json!({ "type": "BOOKMARK", "object": object })
}
