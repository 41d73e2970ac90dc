//! Times on pages whose text depends on the current time.
//!
//! Each is a `<time>` element with its time as an attribute. Without scripts it shows the text as of the rendering; with
//! scripts the browser rewrites the text every second from the attribute, so that the passing of time sends no events.

use std::fmt;

use askama::filters::HtmlSafe;
use session_domain::Timestamp;

use crate::format;

/// What writes the text of relative times.
#[derive(Clone, Copy, Debug)]
pub(super) enum TimeRendering {
    /// The server, as of this time.
    OnServer(Timestamp),
    /// The script in the browser.
    InBrowser,
}

impl TimeRendering {
    /// Returns how long ago a time was.
    pub(super) fn ago(self, at: Timestamp) -> RelativeTime {
        self.relative(at, "ago", |now| format::ago(at, now))
    }

    /// Returns how long something has lasted.
    pub(super) fn lasting(self, since: Timestamp) -> RelativeTime {
        self.relative(since, "for", |now| format::duration(now.since(since)))
    }

    /// Returns the time left until a time.
    pub(super) fn left(self, until: Timestamp) -> RelativeTime {
        self.relative(until, "left", |now| format::duration(until.since(now)))
    }

    /// Returns whether a time has passed. Where the script draws, it decides: see `data-until` and `data-from` in `times.js`.
    pub(super) fn is_over(self, at: Timestamp) -> bool {
        match self {
            Self::OnServer(now) => at <= now,
            Self::InBrowser => false,
        }
    }

    fn relative(self, at: Timestamp, kind: &'static str, text: impl Fn(Timestamp) -> String) -> RelativeTime {
        let text = match self {
            Self::OnServer(now) => text(now),
            Self::InBrowser => String::new(),
        };
        RelativeTime { at, kind, text }
    }
}

/// A time, and its text where the server writes it.
#[derive(Clone, Debug)]
pub(super) struct RelativeTime {
    at: Timestamp,
    /// How the script writes the text.
    kind: &'static str,
    text: String,
}

/// The kind of a text that the script leaves alone.
const FIXED: &str = "";

impl RelativeTime {
    /// Creates a point in time, in UTC; the script shows it in the viewer's time zone.
    pub(super) fn clock(at: Timestamp) -> Self {
        Self { at, kind: "clock", text: at.to_utc_string() }
    }

    /// Creates the time that something had lasted at the last report; it may have ended since.
    pub(super) fn lasted(since: Timestamp, last_report: Timestamp) -> Self {
        let text = format!("at least {}", format::duration(last_report.since(since)));
        Self { at: since, kind: FIXED, text }
    }
}

impl fmt::Display for RelativeTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, kind, text } = self;
        if *kind == FIXED {
            return f.write_str(text);
        }
        write!(f, r#"<time datetime="{at}" title="{at}" data-words="{kind}">{text}</time>"#)
    }
}

/// Consists of times, digits and fixed words only.
impl HtmlSafe for RelativeTime {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn text_that_changes_with_time_alone_is_left_to_the_script() {
        let at = Timestamp::from_millis(1_763_289_000_007);
        let now = TimeRendering::OnServer(at.plus(Duration::from_secs(90)));
        let time = "2025-11-16T10:30:00.007Z";
        let element = |kind: &str, text: &str| {
            format!(r#"<time datetime="{time}" title="{time}" data-words="{kind}">{text}</time>"#)
        };
        assert_eq!(now.ago(at).to_string(), element("ago", "1m 30s ago"));
        assert_eq!(now.lasting(at).to_string(), element("for", "1m 30s"));
        assert_eq!(now.left(at).to_string(), element("left", "0s"));
        assert_eq!(TimeRendering::InBrowser.ago(at).to_string(), element("ago", ""));
        assert_eq!(RelativeTime::lasted(at, at.plus(Duration::from_secs(90))).to_string(), "at least 1m 30s");
        assert_eq!(RelativeTime::clock(at).to_string(), element("clock", "2025-11-16 10:30:00 UTC"));
    }
}
