//! Decodes a pod's messages into events, and its failures into reasons. Parts that are not valid are left out, and reported
//! as an event.

use std::error::Error as _;

use fleet::PodEvent;
use session_domain::{Departure, SessionId, SessionView};
use session_wire::v1::WatchSessionsResponse;
use session_wire::v1::watch_sessions_response::{Changes, Event};
use session_wire::{InvalidMessage, departure_from_wire, v1};
use tonic::{Code, Status};

use crate::reason;

/// The longest reason that is kept, in characters.
const MAX_REASON_CHARS: usize = 200;

/// Decodes a message.
pub(super) fn decode(message: WatchSessionsResponse) -> Vec<PodEvent> {
    let mut first_error = None;
    let mut events = match message.event {
        Some(Event::Pod(pod)) => match pod.try_into() {
            Ok(report) => vec![PodEvent::Report(report)],
            Err(error) => vec![PodEvent::InvalidMessage(InvalidMessage::to_string(&error))],
        },
        Some(Event::Snapshot(part)) => {
            vec![PodEvent::Snapshot { sessions: decode_sessions(part.sessions, &mut first_error), end: part.end }]
        }
        Some(Event::Changes(changes)) => {
            let removals = decode_removals(&changes, &mut first_error);
            vec![PodEvent::Changes { upserts: decode_sessions(changes.upserts, &mut first_error), removals }]
        }
        None => vec![PodEvent::InvalidMessage("an empty message".to_owned())],
    };
    events.extend(first_error.map(|error| PodEvent::InvalidMessage(error.to_string())));
    events
}

/// Returns the valid sessions, and keeps the first error.
fn decode_sessions(sessions: Vec<v1::Session>, first_error: &mut Option<InvalidMessage>) -> Vec<SessionView> {
    let decode = |session: v1::Session| match session.try_into() {
        Ok(session) => Some(session),
        Err(error) => {
            first_error.get_or_insert(error);
            None
        }
    };
    sessions.into_iter().filter_map(decode).collect()
}

/// Returns the sessions that are gone, and how each left.
fn decode_removals(changes: &Changes, first_error: &mut Option<InvalidMessage>) -> Vec<(SessionId, Departure)> {
    let mut removals = Vec::with_capacity(changes.removals.len());
    for (number, id) in changes.removals.iter().enumerate() {
        match id.parse() {
            Ok(id) => removals.push((id, departure_from_wire(changes.outcomes.get(number).copied()))),
            Err(_) => _ = first_error.get_or_insert(InvalidMessage::SessionId),
        }
    }
    removals
}

/// Returns why a call failed, as text for operators.
pub(super) fn reason(status: &Status) -> String {
    if status.code() == Code::Unauthenticated {
        return "it asks for GRPC_TOKEN; give this tier the same one as the pods".to_owned();
    }
    let text = match status.source() {
        Some(cause) => reason::innermost(cause),
        None if status.message().is_empty() => format!("{:?}", status.code()),
        None => status.message().to_owned(),
    };
    text.chars().filter(|c| !c.is_control()).take(MAX_REASON_CHARS).collect()
}
