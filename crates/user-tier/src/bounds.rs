//! How many sessions and event streams fit into the memory limit and the limit of open files.

use tracing::{info, warn};

/// Memory of the process without sessions, in bytes.
const BASE_BYTES: u64 = 32 * 1024 * 1024;

/// Memory of a session, in bytes: 1 KiB was measured without a store.
pub const SESSION_BYTES: u64 = 2 * 1024;

/// Memory of an open event stream with its connection, in bytes: 11 to 16 KiB were measured.
pub const STREAM_BYTES: u64 = 20 * 1024;

/// Limit of event streams if no memory limit is known.
const MANY_STREAMS: u64 = 100_000;

/// Limit of event streams however small the memory limit is.
const MIN_STREAMS: u64 = 100;

/// Open files that belong to no session: listeners, the log, gRPC, probes, the busy page.
const SPARE_FILES: u64 = 128;

/// The limits of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Sessions.
    pub sessions: u64,
    /// Event streams of one session.
    pub streams_per_session: u64,
    /// Event streams of all sessions; `None` before [`Bounds::fit`]: as many as fit.
    pub streams: Option<u64>,
    /// Whether the pod stands in front of an app: each WebSocket and each request of a session has a connection to the app, too.
    pub has_upstream: bool,
}

impl Bounds {
    /// Limits sessions and streams to the open files (each stream is a connection, and each session has one or in front of an app two), and
    /// the default number of streams to the
    /// memory. Returns the bounds and the number of streams.
    #[must_use]
    pub fn fit(self, open_files: u64, memory_bytes: Option<u64>) -> (Self, u64) {
        let files = open_files.saturating_sub(SPARE_FILES).max(1);
        let sessions = self.sessions.min(if self.has_upstream { (files / 2).max(1) } else { files });
        let streams = self.streams.unwrap_or_else(|| {
            let left = memory_bytes.map(|bytes| {
                // A tenth is left for requests.
                (bytes - bytes / 10).saturating_sub(BASE_BYTES + sessions.saturating_mul(SESSION_BYTES)) / STREAM_BYTES
            });
            left.unwrap_or(MANY_STREAMS).clamp(MIN_STREAMS, MANY_STREAMS)
        });
        let streams = streams.min(files);
        (Self { sessions, streams: Some(streams), ..self }, streams)
    }

    /// Memory needed at the limits, in bytes.
    pub fn needed_bytes(self) -> u64 {
        let possible = self.sessions.saturating_mul(self.streams_per_session);
        let streams = self.streams.map_or(possible, |streams| streams.min(possible));
        let sessions = self.sessions.saturating_mul(SESSION_BYTES);
        BASE_BYTES.saturating_add(sessions).saturating_add(streams.saturating_mul(STREAM_BYTES))
    }

    /// Logs the bounds at start-up, and warns if they do not fit.
    pub fn announce(self, configured: Self, open_files: u64, memory_bytes: Option<u64>) {
        if self.sessions < configured.sessions {
            warn!(
                files.limit = open_files,
                sessions.max = self.sessions,
                "the limit of open files is too low for MAX_SESSIONS, which is reduced: raise that limit (ulimit -n)"
            );
        }
        let needed = self.needed_bytes();
        info!(
            sessions.max = self.sessions,
            streams.max = self.streams,
            streams.max_per_session = self.streams_per_session,
            memory.limit_bytes = memory_bytes,
            memory.needed_bytes = needed,
            files.limit = open_files,
            "bounds of this pod"
        );
        if memory_bytes.is_some_and(|limit| needed > limit) {
            warn!(
                memory.limit_bytes = memory_bytes,
                memory.needed_bytes = needed,
                "MAX_SESSIONS and MAX_STREAMS need more memory than the memory limit: lower them, or raise it"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;
    const MANY_FILES: u64 = 1_000_000;

    const fn configured(sessions: u64, streams: Option<u64>) -> Bounds {
        Bounds { sessions, streams_per_session: 20, streams, has_upstream: false }
    }

    #[test]
    fn default_stream_limit_fits_into_the_memory() {
        for (sessions, memory) in [(100, 128), (10_000, 256), (20_000, 512), (100_000, 1024), (1_000_000, 4096)] {
            let (bounds, streams) = configured(sessions, None).fit(MANY_FILES, Some(memory * MIB));
            assert!(bounds.needed_bytes() <= memory * MIB, "{sessions} in {memory} MiB: {bounds:?}");
            assert!(streams > 1_000, "{sessions} in {memory} MiB: {streams}");
        }
        assert_eq!(configured(100_000, None).fit(MANY_FILES, None).1, MANY_STREAMS);
        assert_eq!(configured(100_000, None).fit(MANY_FILES, Some(64 * MIB)).1, MIN_STREAMS);
    }

    #[test]
    fn configured_limits_that_do_not_fit_are_kept_and_detected() {
        let (bounds, streams) = configured(1_000, Some(50_000)).fit(MANY_FILES, Some(256 * MIB));
        assert_eq!((streams, bounds.needed_bytes() > 256 * MIB), (50_000, true));
        let (bounds, _) = configured(10, Some(50_000)).fit(MANY_FILES, Some(256 * MIB));
        assert!(bounds.needed_bytes() < 256 * MIB, "ten sessions cannot have more than 200 streams");
    }

    #[test]
    fn open_files_bound_sessions_and_streams() {
        let (bounds, streams) = configured(100_000, None).fit(1_024, None);
        assert_eq!((bounds.sessions, streams), (896, 896));
        let in_front = Bounds { has_upstream: true, ..configured(100_000, None) };
        assert_eq!(in_front.fit(1_024, None).0.sessions, 448, "two files each");
        assert_eq!(in_front.fit(64, None).0.sessions, 1);
        assert_eq!(configured(100_000, None).fit(64, None).0.sessions, 1);
    }
}
