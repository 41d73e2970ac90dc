//! A user with only an event stream, who acts as the page does: signs out in time if the notice asks for it, and opens the
//! stream again when it ends. Some users save their work instead, which moves their session to another pod.

use std::future::pending;
use std::time::Duration;

use serde_json::Value;
use test_support::{Events, TEST_TIMEOUT};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::client::Client;
use super::journal::{End, Journal};

/// How long before the deadline a user leaves.
const LEAVE_EARLY: Duration = Duration::from_secs(1);
/// How long after the notice a user who does not leave saves.
const SAVE_AFTER: Duration = Duration::from_millis(1_500);
/// How long a stream may stay open after its session has ended.
const ENDS_WITHIN: Duration = Duration::from_secs(10);

/// What a notified user does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    /// Signs out if the notice asks for it.
    Leave,
    /// Makes a request on a new connection, and opens the stream again as fast as a page does.
    Save,
}

/// Listens until told to stop, and signs in again when the session has ended.
pub(super) async fn run(client: Client, reaction: Reaction, stop: CancellationToken) -> Journal {
    let mut journal = Journal::new(&client.name);
    while !stop.is_cancelled() {
        if journal.current().is_none() && client.arrive(&mut journal).await.is_none() {
            return journal;
        }
        match client.send("/events", &mut journal).await {
            Ok(answer) if answer.status() == 200 => {
                listen(&client, Events::new(answer), reaction, &mut journal, &stop).await;
                journal.closed(std::time::Instant::now());
            }
            Ok(answer) if answer.status() == 401 => {
                let pod = journal.last_pod();
                journal.end(End::Lost, &pod);
            }
            Ok(answer) => journal.fail(&format!("/events: {}", answer.status())),
            Err(error) => journal.fail(&error),
        }
        let pause = if reaction == Reaction::Save { 500..1_000 } else { 1_000..4_000 };
        let pause = Duration::from_millis(fastrand::u64(pause));
        tokio::select! {
            () = sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
    if let Some(current) = journal.current().map(|session| session.id.clone()) {
        let session = client.session().await.unwrap_or_default();
        if session["session_id"] != current.as_str() || session["user"] != client.name.as_str() {
            let pod = journal.last_pod();
            journal.end(End::Lost, &pod);
        }
    }
    journal
}

/// Reads one stream to its end.
async fn listen(
    client: &Client,
    mut events: Events,
    reaction: Reaction,
    journal: &mut Journal,
    stop: &CancellationToken,
) {
    let (mut react_at, mut greeted): (Option<Instant>, bool) = (None, false);
    loop {
        let react = async {
            match react_at {
                Some(at) => sleep_until(at).await,
                None => pending().await,
            }
        };
        let event = tokio::select! {
            event = events.next_or_end() => event,
            () = react => {
                react_at = None;
                match reaction {
                    Reaction::Leave => return leave(client, events, journal).await,
                    Reaction::Save => save(client, journal).await,
                }
                continue;
            }
            () = stop.cancelled() => return,
        };
        let Some(event) = event else { return };
        match event.name.as_str() {
            "connected" => {
                greet(&event.data, greeted, journal);
                greeted = true;
            }
            "drain" => {
                journal.notified(&event.data);
                react_at = reacts_after(&event.data, reaction).map(|after| Instant::now() + after);
            }
            "session-ended" => return ended(&event.data, journal),
            _ => {}
        }
    }
}

fn reacts_after(drain: &Value, reaction: Reaction) -> Option<Duration> {
    let left = Duration::from_millis(drain["remaining_ms"].as_u64().unwrap_or_default());
    match reaction {
        Reaction::Leave => (drain["auto_logout"] == true).then(|| left.saturating_sub(LEAVE_EARLY)),
        Reaction::Save => Some(SAVE_AFTER),
    }
}

async fn save(client: &Client, journal: &mut Journal) {
    journal.requests += 1;
    let session = client.session().await.unwrap_or_default();
    if session["user"] != client.name.as_str() {
        journal.fail(&format!("saved to another session: {session}"));
    }
}

fn greet(data: &Value, again: bool, journal: &mut Journal) {
    if again {
        journal.connected_again(data);
    } else {
        journal.opened(data, std::time::Instant::now());
    }
    let expected = journal.current().map(|session| session.id.clone()).unwrap_or_default();
    if data["session_id"] != expected.as_str() {
        journal.fail(&format!("connected to another session than {expected}: {data}"));
    }
}

/// Signs out on a new connection. If the server ended the session before, the stream has reported it.
async fn leave(client: &Client, mut events: Events, journal: &mut Journal) {
    journal.requests += 1;
    let pod = journal.last_pod();
    let answer = client.get_anew("/logout?reason=drain").timeout(TEST_TIMEOUT).send().await;
    if !answer.as_ref().is_ok_and(|answer| answer.status() == 200) {
        journal.fail(&format!("/logout: {answer:?}"));
    }
    let rest = async {
        while let Some(event) = events.next_or_end().await {
            if event.name == "session-ended" {
                return event.data["reason"] == "forced";
            }
        }
        false
    };
    match timeout(ENDS_WITHIN, rest).await {
        Ok(forced) => journal.end(if forced { End::Forced } else { End::AutoLogout }, &pod),
        Err(_) => {
            journal.fail("the stream went on after the logout");
            journal.end(End::AutoLogout, &pod);
        }
    }
}

fn ended(data: &Value, journal: &mut Journal) {
    let pod = journal.last_pod();
    let end = if data["reason"] == "forced" { End::Forced } else { End::Lost };
    journal.end(end, &pod);
}
