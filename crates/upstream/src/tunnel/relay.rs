//! Both directions of a relayed connection, and the phases of its end.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

use super::direction::Direction;
use super::frames::{FrameReader, Limit};
use super::{CloseCode, ClosedBy, Protocol, Relayed, close_frame};

/// How long the end of the app's message is waited for. After it the Close frame comes between any two frames.
pub(super) const MESSAGE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long, after that, the end of the app's frame is waited for. A frame that takes longer is cut.
pub(super) const FRAME_TIMEOUT: Duration = Duration::from_secs(2);

/// How long the client may take to accept its Close frame, and what comes before it.
pub(super) const WRITE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long the client's Close frame is waited for, once it has accepted its own.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long both sides have to take the last bytes and to close, before the connections are dropped.
pub(super) const LINGER: Duration = Duration::from_millis(500);

/// How long the client of a WebSocket whose app has disconnected has to disconnect as well.
pub(super) const HALF_CLOSED_TIMEOUT: Duration = Duration::from_secs(5);

/// The codes of the Close frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct Codes {
    pub(super) client: CloseCode,
    pub(super) app: CloseCode,
}

/// A relayed connection.
pub(super) struct Relay<'a, C, A> {
    client: Pin<&'a mut C>,
    app: Pin<&'a mut A>,
    protocol: Protocol,
    to_app: Direction,
    to_client: Direction,
    closed_by: Option<ClosedBy>,
}

impl<'a, C: AsyncRead + AsyncWrite, A: AsyncRead + AsyncWrite> Relay<'a, C, A> {
    pub(super) fn new(client: Pin<&'a mut C>, app: Pin<&'a mut A>, protocol: Protocol) -> Self {
        let direction = || {
            Direction::new(match protocol {
                Protocol::WebSocket => Some(FrameReader::default()),
                Protocol::Opaque => None,
            })
        };
        let mut to_client = direction();
        if protocol == Protocol::WebSocket {
            // A Close frame may come before it.
            to_client.hold_end();
        }
        Self { client, app, protocol, to_app: direction(), to_client, closed_by: None }
    }

    /// Relays until neither side sends any more, one of them is lost, or a frame cannot be followed. A WebSocket whose app has gone
    /// ends soon, with the code that `lost_app` gives.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is lost.
    pub(super) async fn run(&mut self, lost_app: impl Fn() -> Option<CloseCode>) {
        let is_over = |relay: &Self| {
            let (to_app, to_client) = (&relay.to_app, &relay.to_client);
            let both = to_app.has_stopped() && to_client.has_stopped();
            let either = |is: fn(&Direction) -> bool| is(to_app) || is(to_client);
            (both && to_app.is_written() && to_client.is_written())
                || either(Direction::is_lost)
                || either(Direction::is_faulty)
        };
        let app_is_gone = |relay: &Self| relay.protocol == Protocol::WebSocket && relay.to_client.has_ended();
        self.until(|relay| is_over(relay) || app_is_gone(relay)).await;
        if app_is_gone(self) {
            if let Some(code) = lost_app() {
                self.to_client.put_close(&close_frame::to_client(code));
            }
            self.to_client.pass_end();
        }
        if !is_over(self) {
            self.until_or(Instant::now() + HALF_CLOSED_TIMEOUT, is_over).await;
        }
    }

    /// The codes for a frame that cannot be followed.
    pub(super) fn fault(&self) -> Option<Codes> {
        if self.to_app.is_faulty() {
            Some(Codes { client: CloseCode::PROTOCOL_ERROR, app: CloseCode::PROTOCOL_ERROR })
        } else if self.to_client.is_faulty() {
            Some(Codes { client: CloseCode::INTERNAL_ERROR, app: CloseCode::PROTOCOL_ERROR })
        } else {
            None
        }
    }

    /// Closes a WebSocket: puts a Close frame towards the client, waits for the client's, and puts one towards the app where none comes.
    pub(super) async fn close(&mut self, codes: Codes) {
        self.closed_by.get_or_insert(ClosedBy::Relay);
        if self.protocol == Protocol::Opaque {
            return;
        }
        self.to_client.hold_end();
        self.to_app.hold_end();
        // A client that has sent a Close frame gets the app's answer to it, if it comes in time.
        let is_answer = self.to_app.is_closed();
        self.to_client.set_limit(if is_answer { Limit::None } else { Limit::Message });
        self.until_or(Instant::now() + MESSAGE_TIMEOUT, |relay| relay.to_client.has_stopped()).await;
        self.to_client.set_limit(Limit::Frame);
        self.until_or(Instant::now() + FRAME_TIMEOUT, |relay| relay.to_client.has_stopped()).await;
        self.to_client.put_close(&close_frame::to_client(codes.client));
        self.until_or(Instant::now() + WRITE_TIMEOUT, |relay| relay.to_client.is_written()).await;
        if self.to_client.is_written() {
            // A client that does not take its Close frame does not answer it either.
            self.until_or(Instant::now() + CLOSE_TIMEOUT, |relay| relay.to_app.has_stopped()).await;
        }
        self.to_app.put_close(&close_frame::to_app(codes.app));
    }

    /// Ends both connections. What they send is read and dropped for a while: a connection that is closed with unread data loses what
    /// was written to it last.
    pub(super) async fn cut(mut self) -> Relayed {
        self.to_app.finish();
        self.to_client.finish();
        let is_over = |relay: &Self| {
            let directions = [&relay.to_app, &relay.to_client];
            directions.iter().all(|direction| direction.has_ended() && direction.is_shut_down())
        };
        self.until_or(Instant::now() + LINGER, is_over).await;
        Relayed {
            closed_by: self.closed_by.unwrap_or(ClosedBy::Relay),
            client_bytes: self.to_app.bytes(),
            app_bytes: self.to_client.bytes(),
        }
    }

    /// Relays until the condition holds, or until the given time.
    async fn until_or(&mut self, by: Instant, condition: impl Fn(&Self) -> bool) {
        // Where the time is over, the caller looks at the state.
        let _ = timeout_at(by, self.until(condition)).await;
    }

    /// Relays until the condition holds.
    async fn until(&mut self, condition: impl Fn(&Self) -> bool) {
        poll_fn(|context| {
            if condition(self) {
                return Poll::Ready(());
            }
            let _ = self.to_app.poll(context, self.client.as_mut(), self.app.as_mut());
            self.record_closed_by(ClosedBy::Client);
            let _ = self.to_client.poll(context, self.app.as_mut(), self.client.as_mut());
            self.record_closed_by(ClosedBy::App);
            if condition(self) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Records which side began the end.
    fn record_closed_by(&mut self, side: ClosedBy) {
        let direction = if side == ClosedBy::Client { &self.to_app } else { &self.to_client };
        if self.closed_by.is_none() && (direction.is_closed() || direction.has_ended()) {
            self.closed_by = Some(side);
        }
    }
}
