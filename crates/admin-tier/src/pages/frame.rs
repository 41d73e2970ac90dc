//! What stands around every page.

use std::time::Duration;

use session_domain::Timestamp;

use super::words::{self, Moment};
use crate::assets;
use crate::auth::{How, Operator};

/// What every page has.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) title: &'static str,
    pub(super) style: String,
    pub(super) script: String,
    pub(super) icon: String,
    /// Seconds between renewals without scripts; 0: the page does not change.
    pub(super) refresh: u64,
    /// Where the browser goes without scripts, after so many seconds.
    pub(super) renews: Option<(u64, String)>,
    /// Where its event stream is, if it changes.
    pub(super) events: Option<String>,
    /// The time of the page's numbers.
    pub(super) now: Timestamp,
    /// Who looks, where that is known by name.
    pub(super) operator: Option<String>,
    /// Whether there is something to sign out of.
    pub(super) signs_out: bool,
    /// Whether nothing else of ours is shown: nobody is in yet.
    pub(super) outside: bool,
}

impl Frame {
    pub(super) fn new(title: &'static str, refresh: Duration, now: Timestamp) -> Self {
        let seconds = if refresh.is_zero() { 0 } else { refresh.as_secs().max(1) };
        Self {
            title,
            style: assets::url("style.css"),
            script: assets::url("page.js"),
            icon: assets::url("icon.svg"),
            refresh: seconds,
            renews: None,
            events: None,
            now,
            operator: None,
            signs_out: false,
            outside: false,
        }
    }

    /// The same, for an operator.
    pub(super) fn of(self, operator: &Operator) -> Self {
        let name = (operator.how == How::Proxy).then(|| operator.name.to_string());
        Self { operator: name, signs_out: operator.how.is_signed_in(), ..self }
    }

    /// The same, kept true by this event stream.
    pub(super) fn live(self, events: impl Into<String>) -> Self {
        Self { events: Some(events.into()), ..self }
    }

    /// The time of the page's numbers, in words.
    pub(super) fn as_of(&self) -> Moment {
        words::clock(self.now)
    }
}
