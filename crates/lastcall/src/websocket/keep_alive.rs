//! Whether the client is still there: it is pinged once a heartbeat interval, and has to send something within a few of them. The time in
//! which it was not listened to does not count.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A client counts as gone after this many intervals without data, pongs included.
const MAX_SILENT_INTERVALS: u32 = 3;

/// It is given this long at least.
const MIN_SILENCE: Duration = Duration::from_secs(2);

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// A ping.
    Ping,
    /// The end: the client has gone.
    Gone,
}

/// The pings of one WebSocket.
#[derive(Debug)]
pub(super) struct KeepAlive {
    interval: Duration,
    next_ping: Instant,
    heard_at: Instant,
}

impl KeepAlive {
    pub(super) fn new(interval: Duration) -> Self {
        let now = Instant::now();
        Self { interval, next_ping: now + interval, heard_at: now }
    }

    /// Records that the client has sent something, or was not listened to.
    pub(super) fn record_heard(&mut self) {
        self.heard_at = Instant::now();
    }

    /// Records that nothing was read since `began`: what the client has sent meanwhile waits to be read.
    pub(super) fn record_unread(&mut self, began: Instant) {
        self.heard_at += began.elapsed();
    }

    /// Waits for what is due next.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub(super) async fn due(&mut self) -> Due {
        sleep_until(self.next_ping).await;
        let now = Instant::now();
        self.next_ping = now + self.interval;
        let is_gone = now - self.heard_at > (self.interval * MAX_SILENT_INTERVALS).max(MIN_SILENCE);
        if is_gone { Due::Gone } else { Due::Ping }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_silent_client_is_pinged_and_then_gone() {
        let mut keep_alive = KeepAlive::new(Duration::from_secs(15));
        for _ in 0..10 {
            assert_eq!(keep_alive.due().await, Due::Ping);
            keep_alive.record_heard();
        }
        for _ in 0..MAX_SILENT_INTERVALS {
            assert_eq!(keep_alive.due().await, Due::Ping);
        }
        assert_eq!(keep_alive.due().await, Due::Gone);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_is_not_gone_because_a_write_took_longer_than_its_intervals() {
        let mut keep_alive = KeepAlive::new(Duration::from_secs(1));
        assert_eq!(keep_alive.due().await, Due::Ping);
        let began = Instant::now();
        tokio::time::advance(Duration::from_secs(9)).await;
        keep_alive.record_unread(began);
        assert_eq!(keep_alive.due().await, Due::Ping, "its pong waits to be read");
        for _ in 1..MAX_SILENT_INTERVALS {
            assert_eq!(keep_alive.due().await, Due::Ping);
        }
        assert_eq!(keep_alive.due().await, Due::Gone);
    }
}
