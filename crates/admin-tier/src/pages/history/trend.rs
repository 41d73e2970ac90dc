//! How it went of late: present sessions and departures, as pictures and in words.

use askama::Template;
use fleet::{FleetView, TREND_INTERVAL, TrendPoint};

use super::super::chart::Spark;
use super::super::words::{count, counted, duration, some};

/// A young tier's picture is not all empty: it shows so many steps at least.
const SLOTS: usize = 20;

/// How it went of late.
#[derive(Template)]
#[template(path = "history/trend.html")]
pub(super) struct Trend {
    present: Spark,
    departures: Spark,
    now: String,
    /// Sessions that are not present, where there are any.
    idle: Option<String>,
    least: String,
    most: String,
    gone: String,
    forced: u64,
    by_page: u64,
    /// How far back the pictures reach.
    reach: String,
}

impl Trend {
    pub(super) fn of(view: &FleetView) -> Self {
        let values = |value: fn(&TrendPoint) -> u64| view.trend().map(value).collect::<Vec<_>>();
        let mut present = values(|step| step.present);
        // What is now is newer than the last step.
        present.push(view.present_sessions());
        let departures = values(|step| step.departures);
        let steps = u32::try_from(view.trend().len()).unwrap_or(u32::MAX);
        Self {
            now: counted(view.present_sessions(), "session"),
            least: count(present.iter().copied().min().unwrap_or(0)),
            most: count(present.iter().copied().max().unwrap_or(0)),
            gone: count(departures.iter().sum::<u64>()),
            forced: view.trend().map(|step| step.forced).sum(),
            by_page: view.trend().map(|step| step.auto_logouts).sum(),
            reach: duration(TREND_INTERVAL.saturating_mul(steps).max(TREND_INTERVAL)),
            idle: some(view.idle_sessions()),
            present: Spark::of(&present, SLOTS),
            departures: Spark::of(&departures, SLOTS),
        }
    }
}
