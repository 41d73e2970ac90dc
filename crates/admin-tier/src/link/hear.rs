//! From messages to what was heard; what makes no sense is left out and said. And why a pod was lost, in words.

use std::error::Error as _;

use fleet::PodEvent;
use session_domain::{Departure, SessionId, SessionView};
use session_wire::v1::WatchSessionsResponse;
use session_wire::v1::watch_sessions_response::{Changes, Event};
use session_wire::{InvalidMessage, departure_from_wire, v1};
use tonic::{Code, Status};

use crate::reason;

/// What a message says.
pub(super) fn translate(message: WatchSessionsResponse) -> Vec<PodEvent> {
    let mut unsound = None;
    let mut heard = match message.event {
        Some(Event::Pod(pod)) => match pod.try_into() {
            Ok(report) => vec![PodEvent::Report(report)],
            Err(reason) => vec![PodEvent::InvalidMessage(said(&reason))],
        },
        Some(Event::Snapshot(part)) => {
            vec![PodEvent::Snapshot { sessions: sound(part.sessions, &mut unsound), end: part.end }]
        }
        Some(Event::Changes(changes)) => {
            let removals = removals(&changes, &mut unsound);
            vec![PodEvent::Changes { upserts: sound(changes.upserts, &mut unsound), removals }]
        }
        None => vec![PodEvent::InvalidMessage("an empty message".to_owned())],
    };
    heard.extend(unsound.map(PodEvent::InvalidMessage));
    heard
}

fn sound(sessions: Vec<v1::Session>, unsound: &mut Option<String>) -> Vec<SessionView> {
    let keep = |session: v1::Session| match session.try_into() {
        Ok(session) => Some(session),
        Err(reason) => {
            unsound.get_or_insert_with(|| said(&reason));
            None
        }
    };
    sessions.into_iter().filter_map(keep).collect()
}

/// Who is gone, and how.
fn removals(changes: &Changes, unsound: &mut Option<String>) -> Vec<(SessionId, Departure)> {
    let mut gone = Vec::with_capacity(changes.removals.len());
    for (number, id) in changes.removals.iter().enumerate() {
        match id.parse() {
            Ok(id) => gone.push((id, departure_from_wire(changes.outcomes.get(number).copied()))),
            Err(_) => _ = unsound.get_or_insert_with(|| said(&InvalidMessage::SessionId)),
        }
    }
    gone
}

fn said(reason: &InvalidMessage) -> String {
    reason.to_string()
}

/// Why a call failed, as an operator reads it.
pub(super) fn reason(status: &Status) -> String {
    if status.code() == Code::Unauthenticated {
        return "it asks for GRPC_TOKEN; give this tier the same one as the pods".to_owned();
    }
    let text = match status.source() {
        Some(cause) => reason::innermost(cause),
        None if status.message().is_empty() => format!("{:?}", status.code()),
        None => status.message().to_owned(),
    };
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}
