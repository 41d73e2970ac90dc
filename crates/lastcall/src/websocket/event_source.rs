//! The events of a session, as the text messages of `/ws`.

use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::session_end::{evicted, of_session, service_restart};
use super::source::{Outgoing, Source};
use crate::encoded_event::EventEncoding;
use crate::event_streams::StreamKind;
use crate::events::feed::{EventFeed, FeedEnd, Next};
use crate::session::Session;

/// Gives the events of a session.
pub(super) struct EventSource {
    session: Session,
    feed: EventFeed,
}

impl EventSource {
    pub(super) fn new(session: Session) -> Self {
        Self { feed: EventFeed::new(session.clone(), StreamKind::WebSocket), session }
    }
}

impl Source for EventSource {
    async fn next(&mut self) -> Outgoing {
        match self.feed.next().await {
            Next::Event(event) => {
                let json = event.encode(EventEncoding::Message);
                Outgoing::Message(Message::Text(Utf8Bytes::try_from(json).unwrap_or_default()))
            }
            Next::End(FeedEnd::Session(reason)) => Outgoing::Close(of_session(&self.session.state, reason)),
            Next::End(FeedEnd::Evicted) => Outgoing::Close(evicted()),
            Next::End(FeedEnd::Moves | FeedEnd::ServiceStops) => Outgoing::Close(service_restart()),
        }
    }

    fn close(&mut self) {}

    fn accepted(&mut self) -> Option<Message> {
        None
    }

    async fn finished(self) {}
}
