//! Times, durations and counts as people read them.
//!
//! Words that change with time alone carry the time that they are of. Pages without scripts show them as they were when
//! the page was made; with scripts they are drawn anew every second from that time, so that nothing has to be sent.

use std::fmt;
use std::time::Duration;

use askama::filters::HtmlSafe;
use session_domain::Timestamp;

/// Who writes the words that change with time alone.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Words {
    /// The page itself, as of this time.
    At(Timestamp),
    /// The script in the browser.
    ByScript,
}

impl Words {
    /// How long ago something was.
    pub(super) fn ago(self, at: Timestamp) -> Moment {
        self.moment(at, "ago", |now| ago(at, now))
    }

    /// How long something has lasted.
    pub(super) fn lasting(self, since: Timestamp) -> Moment {
        self.moment(since, "for", |now| duration(now.since(since)))
    }

    /// How long it is until something.
    pub(super) fn left(self, until: Timestamp) -> Moment {
        self.moment(until, "left", |now| duration(until.since(now)))
    }

    fn moment(self, at: Timestamp, kind: &'static str, words: impl Fn(Timestamp) -> String) -> Moment {
        let text = match self {
            Self::At(now) => words(now),
            Self::ByScript => String::new(),
        };
        Moment { at, kind, text }
    }
}

/// A time in words: what stands in the page, and what the script draws it from.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    at: Timestamp,
    kind: &'static str,
    text: String,
}

/// A point in time, in UTC; the script writes it as the clock of whoever looks shows it.
pub(super) fn clock(at: Timestamp) -> Moment {
    Moment { at, kind: "clock", text: at.to_utc_string() }
}

/// How long something had lasted when it was last heard of: it may be over by now.
pub(super) fn lasted(since: Timestamp, heard: Timestamp) -> Moment {
    Moment { at: since, kind: FIXED, text: format!("at least {}", duration(heard.since(since))) }
}

/// The kind of words that time does not change.
const FIXED: &str = "";

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, kind, text } = self;
        if *kind == FIXED {
            return f.write_str(text);
        }
        write!(f, r#"<time datetime="{at}" title="{at}" data-words="{kind}">{text}</time>"#)
    }
}

/// Made of times, digits and words of ours alone.
impl HtmlSafe for Moment {}

/// `3s`, `12m 5s`, `4h 12m`, `1d 3h 12m`: never wraps, whatever the length.
pub(super) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m {}s", seconds % 60),
        (0, hours, minutes) => format!("{hours}h {minutes}m"),
        (days, hours, minutes) => format!("{days}d {hours}h {minutes}m"),
    }
}

/// `just now`, or how long ago.
pub(super) fn ago(then: Timestamp, now: Timestamp) -> String {
    let passed = now.since(then);
    if passed < Duration::from_secs(5) { "just now".to_owned() } else { format!("{} ago", duration(passed)) }
}

/// `99,812`.
pub(super) fn count(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or(u64::MAX).to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `99,812`, where it is any.
pub(super) fn some(number: u64) -> Option<String> {
    (number > 0).then(|| count(number))
}

/// `1 session`, `99,812 sessions`.
pub(crate) fn counted(number: u64, one: &str) -> String {
    format!("{} {one}{}", count(number), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_do_not_wrap_after_a_day() {
        for (seconds, words) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m 0s"),
            (3_599, "59m 59s"),
            (3_600, "1h 0m"),
            (86_399, "23h 59m"),
            (86_400, "1d 0h 0m"),
            (97_920, "1d 3h 12m"),
            (40_000_000, "462d 23h 6m"),
        ] {
            assert_eq!(duration(Duration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn words_that_time_changes_are_left_to_the_script() {
        let at = Timestamp::from_millis(1_763_289_000_007);
        let now = Words::At(at.plus(Duration::from_secs(90)));
        let time = "2025-11-16T10:30:00.007Z";
        let element = |kind: &str, text: &str| {
            format!(r#"<time datetime="{time}" title="{time}" data-words="{kind}">{text}</time>"#)
        };
        assert_eq!(now.ago(at).to_string(), element("ago", "1m 30s ago"));
        assert_eq!(now.lasting(at).to_string(), element("for", "1m 30s"));
        assert_eq!(now.left(at).to_string(), element("left", "0s"));
        assert_eq!(Words::ByScript.ago(at).to_string(), element("ago", ""));
        assert_eq!(lasted(at, at.plus(Duration::from_secs(90))).to_string(), "at least 1m 30s");
        assert_eq!(clock(at).to_string(), element("clock", "2025-11-16 10:30:00 UTC"));
    }

    #[test]
    fn large_numbers_can_be_read() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (99_812, "99,812"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
        assert_eq!((counted(1, "session"), counted(2_000, "pod")), ("1 session".into(), "2,000 pods".into()));
    }
}
