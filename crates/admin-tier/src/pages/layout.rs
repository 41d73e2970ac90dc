//! The layout that all pages share: header, navigation, assets.

use std::time::Duration;

use session_domain::Timestamp;

use super::relative_time::RelativeTime;
use crate::assets;
use crate::operator::{AuthMethod, Operator};

/// The values of `base.html`.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) title: &'static str,
    pub(super) style: String,
    pub(super) script: String,
    pub(super) icon: String,
    /// Seconds between reloads without scripts; 0: the page does not reload.
    pub(super) refresh: u64,
    /// The page that the browser loads next without scripts, after this many seconds.
    pub(super) redirect: Option<(u64, String)>,
    /// The path of the page's event stream, where it has one.
    pub(super) events: Option<String>,
    /// The time of the page's data.
    pub(super) now: Timestamp,
    /// The operator's name, where it is known.
    pub(super) operator: Option<String>,
    /// Whether there is a sign-in to end.
    pub(super) can_sign_out: bool,
    /// Whether the viewer has not signed in yet: the page then shows no navigation.
    pub(super) is_signed_out: bool,
}

impl Layout {
    /// Creates the layout of a page that reloads after `refresh` without scripts, zero for never.
    pub(super) fn new(title: &'static str, refresh: Duration, now: Timestamp) -> Self {
        let seconds = if refresh.is_zero() { 0 } else { refresh.as_secs().max(1) };
        Self {
            title,
            style: assets::url("style.css"),
            script: assets::url("page.js"),
            icon: assets::url("icon.svg"),
            refresh: seconds,
            redirect: None,
            events: None,
            now,
            operator: None,
            can_sign_out: false,
            is_signed_out: false,
        }
    }

    /// Shows the operator's name, and the sign-out where there is one.
    pub(super) fn for_operator(self, operator: &Operator) -> Self {
        let name = (operator.method == AuthMethod::Proxy).then(|| operator.name.to_string());
        Self { operator: name, can_sign_out: operator.method.is_signed_in(), ..self }
    }

    /// Has the page follow this event stream.
    pub(super) fn with_events(self, events: impl Into<String>) -> Self {
        Self { events: Some(events.into()), ..self }
    }

    /// Returns the time of the page's data, as text.
    pub(super) fn as_of(&self) -> RelativeTime {
        RelativeTime::clock(self.now)
    }
}
