//! The settings of connections, and the socket options that follow from them.

use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tracing::debug;

use super::close_after_answer::CloseAfterAnswer;

/// How long an idle connection is kept by default: longer than proxies keep theirs.
const DEFAULT_KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How many bytes the kernel keeps that were not sent yet. More would hide for seconds how fast a slow client reads a download.
#[cfg(target_os = "linux")]
const MAX_UNSENT_BYTES: u32 = 16 * 1024;

/// The settings of every connection of a listener.
#[derive(Clone, Debug)]
pub struct ConnectionSettings {
    /// How long a peer may acknowledge nothing before its connection is closed.
    pub(super) dead_after: Duration,
    /// How long an idle connection is kept.
    pub(super) keep_alive: Duration,
    /// Whether requests carry the address of their peer.
    pub(super) has_peer_address: bool,
    /// Whether requests carry a handle of their connection.
    pub(super) has_handle: bool,
    /// Makes every connection close after its next response.
    pub(super) close_after_answer: CloseAfterAnswer,
}

impl ConnectionSettings {
    /// The settings of a service with this heartbeat interval on its event streams. A peer that acknowledges nothing for two
    /// intervals (between 5 s and 60 s) counts as gone.
    pub fn new(heartbeat: Duration) -> Self {
        let dead_after = (heartbeat * 2).clamp(Duration::from_secs(5), Duration::from_secs(60));
        Self {
            dead_after,
            keep_alive: DEFAULT_KEEP_ALIVE,
            has_peer_address: false,
            has_handle: false,
            close_after_answer: CloseAfterAnswer::default(),
        }
    }

    /// Sets how long an idle connection is kept. Defaults to 75 s.
    #[must_use]
    pub fn with_keep_alive(self, keep_alive: Duration) -> Self {
        Self { keep_alive, ..self }
    }

    /// Sets whether requests carry the address of their peer, as [`ConnectInfo`](axum::extract::ConnectInfo).
    #[must_use]
    pub fn with_peer_address(self, has_peer_address: bool) -> Self {
        Self { has_peer_address, ..self }
    }

    /// Sets whether requests carry a [`ConnectionHandle`](super::ConnectionHandle).
    #[must_use]
    pub fn with_connection_handle(self, has_handle: bool) -> Self {
        Self { has_handle, ..self }
    }

    /// Sets the switch that makes every connection close after its next response. By default there is none.
    #[must_use]
    pub fn with_close_after_answer(self, close_after_answer: CloseAfterAnswer) -> Self {
        Self { close_after_answer, ..self }
    }

    /// Sets the socket options of a connection. With them, a peer that has gone to sleep or out of reach is noticed.
    pub(super) fn apply_to(&self, stream: &TcpStream) {
        let socket = SockRef::from(stream);
        let keepalive = TcpKeepalive::new().with_time(self.dead_after).with_interval(self.dead_after / 3);
        let applied = socket.set_tcp_nodelay(true).and_then(|()| socket.set_tcp_keepalive(&keepalive));
        #[cfg(target_os = "linux")]
        let applied = applied
            .and_then(|()| socket.set_tcp_user_timeout(Some(self.dead_after)))
            .and_then(|()| socket.set_tcp_notsent_lowat(MAX_UNSENT_BYTES));
        if let Err(error) = applied {
            debug!(error = &error as &dyn std::error::Error, "cannot set the socket options of a connection");
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_client_whose_machine_has_vanished_is_noticed_within_some_heartbeats() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        ConnectionSettings::new(Duration::from_secs(15)).apply_to(&stream);
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(30), "before the system asks");
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(10));
        #[cfg(target_os = "linux")]
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(30)), "for what is not acknowledged");
    }
}
