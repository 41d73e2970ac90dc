//! The rule by which a body moves: at least 1 KiB/s, averaged over the last 5 s.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How often the bytes are sampled.
pub(super) const SAMPLE_INTERVAL: Duration = Duration::from_millis(500);

/// Samples that make up the last 5 s.
const SAMPLES: usize = 10;

/// Bytes within the last 5 s that make a body count as moving: 1 KiB/s.
pub(super) const MOVING_BYTES: u64 = 5 * 1024;

/// Counts the bytes of one direction.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// Within the last 5 s, the current sample included.
    recent: AtomicU64,
    /// Within the current sample.
    current: AtomicU64,
}

/// The samples of the last 5 s. Only [`Window::sample`] touches them.
#[derive(Debug, Default)]
pub(super) struct Samples {
    bytes: [u64; SAMPLES],
    next: usize,
}

impl Window {
    /// Counts bytes. Returns whether the body counts as moving.
    pub(super) fn record(&self, bytes: u64) -> bool {
        self.current.fetch_add(bytes, Ordering::Relaxed);
        self.recent.fetch_add(bytes, Ordering::Relaxed) + bytes >= MOVING_BYTES
    }

    /// Ends a sample. Returns whether the body still counts as moving.
    pub(super) fn sample(&self, samples: &mut Samples) -> bool {
        let current = self.current.swap(0, Ordering::Relaxed);
        let expired = std::mem::replace(&mut samples.bytes[samples.next], current);
        samples.next = (samples.next + 1) % SAMPLES;
        self.recent.fetch_sub(expired, Ordering::Relaxed) - expired >= MOVING_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples a body that moves `bytes` in each interval. Returns the numbers of the samples after which it counts as moving.
    fn moving(bytes: impl IntoIterator<Item = u64>) -> Vec<bool> {
        let (window, mut samples) = (Window::default(), Samples::default());
        bytes
            .into_iter()
            .map(|bytes| {
                window.record(bytes);
                window.sample(&mut samples)
            })
            .collect()
    }

    #[test]
    fn a_body_moves_at_one_kib_a_second_averaged_over_five_seconds() {
        assert!(moving([512; 30])[10..].iter().all(|moving| *moving), "1 KiB/s");
        assert!(moving([511; 30]).iter().all(|moving| !moving), "a little less");
        let bursts = (0..60).map(|sample| if sample % 9 == 0 { MOVING_BYTES } else { 0 });
        assert!(moving(bursts).iter().all(|moving| *moving), "a burst every 4.5 s");
    }

    #[test]
    fn a_body_that_stalls_counts_as_moving_for_five_seconds_after_its_last_bytes() {
        let stalls = std::iter::once(1 << 20).chain([0; 20]);
        let moving = moving(stalls);
        assert_eq!(moving.iter().filter(|moving| **moving).count(), SAMPLES);
        assert!(!moving[SAMPLES]);
    }

    #[test]
    fn the_first_bytes_count_at_once() {
        let window = Window::default();
        assert!(!window.record(MOVING_BYTES - 1));
        assert!(window.record(1));
    }
}
