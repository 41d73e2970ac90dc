//! A user who makes requests all the time and has no event stream.

use std::time::Duration;

use reqwest::Response;
use serde_json::Value;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::ForcedEnd;
use super::client::{Client, Connections};
use super::journal::{End, Journal};

/// What the user knows of their session.
struct Known {
    id: String,
    /// The pod that owned it at the last answer.
    owner: String,
    notified: bool,
}

impl Known {
    fn new(session: &Value) -> Self {
        let text = |field: &str| session[field].as_str().unwrap_or_default().to_owned();
        Self { id: text("session_id"), owner: text("pod"), notified: !session["drain"].is_null() }
    }
}

/// Requests the page and the session in turn until told to stop, and signs in again when the session has ended.
pub(super) async fn run(client: Client, forced_end: ForcedEnd, stop: CancellationToken) -> Journal {
    let mut journal = Journal::new(&client.name);
    let Some(session) = client.arrive(&mut journal).await else { return journal };
    let mut known = Known::new(&session);
    let mut paths = ["/session", "/"].into_iter().cycle();
    while !stop.is_cancelled() {
        let path = paths.next().unwrap();
        let seen = match client.send(path, &mut journal).await {
            Ok(answer) => look(path, answer, &client.name, &mut known).await,
            Err(error) => Err(error),
        };
        if let Err(what) = seen
            && !settle(&client, &mut journal, &mut known, &what, forced_end).await
        {
            return journal;
        }
        sleep(Duration::from_millis(fastrand::u64(40..120))).await;
    }
    if client.session().await.is_none_or(|session| session["session_id"] != known.id.as_str()) {
        journal.end(End::Lost, &known.owner);
    }
    journal
}

/// Compares an answer with the expected state; the error describes the difference.
async fn look(path: &str, answer: Response, name: &str, known: &mut Known) -> Result<(), String> {
    let status = answer.status();
    if status != 200 {
        return Err(format!("{path}: {status}"));
    }
    if answer.headers().contains_key("set-cookie") {
        return Err(format!("{path}: a new cookie"));
    }
    let body = answer.text().await.map_err(|error| format!("{path}: {error:?}"))?;
    if path == "/" {
        return if body.contains(name) { Ok(()) } else { Err(format!("{path}: a page without the name")) };
    }
    let session: Value = serde_json::from_str(&body).map_err(|error| format!("{path}: {error}"))?;
    let now = Known::new(&session);
    if now.id != known.id || session["user"] != name {
        return Err(format!("{path}: another session: {session}"));
    }
    // A user who moved to another pod has not been notified there.
    *known = Known { notified: now.notified || (known.notified && known.owner == now.owner), ..now };
    Ok(())
}

/// Interprets an unexpected answer: a failure if the session still exists, else the session's end, after which another one
/// starts. Returns whether there is one.
async fn settle(client: &Client, journal: &mut Journal, known: &mut Known, what: &str, forced_end: ForcedEnd) -> bool {
    let now = client.session().await;
    if let Some(session) = &now
        && session["session_id"] == known.id.as_str()
    {
        journal.fail(what);
        return true;
    }
    // Only a connection to the pod that drains keeps a session there until the deadline.
    let may_be_forced = forced_end == ForcedEnd::Delete && client.connections == Connections::KeptAlive;
    let end = if may_be_forced && known.notified { End::Forced } else { End::Lost };
    journal.end(end, &known.owner);
    if end == End::Lost {
        journal.fail(what);
    }
    let session = match now {
        // The page has begun another one.
        Some(_) => {
            client.sign_in(journal).await;
            let session = client.session().await;
            if let Some(session) = &session {
                journal.begin(session["session_id"].as_str().unwrap_or_default());
            }
            session
        }
        None => client.arrive(journal).await,
    };
    let Some(session) = session else { return false };
    *known = Known::new(&session);
    true
}
