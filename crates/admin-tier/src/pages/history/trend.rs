//! Present sessions and departures of the last hours, as charts and as text.

use askama::Template;
use fleet::{FleetView, TREND_INTERVAL, TrendPoint};

use super::sparkline::Sparkline;
use crate::format::{count, counted, duration, nonzero_count};

/// The fewest steps on the time axis, so that the chart of a tier that has just started is not stretched.
const MIN_STEPS: usize = 20;

/// The charts and their captions.
#[derive(Template)]
#[template(path = "history/trend.html")]
pub(super) struct Trend {
    present: Sparkline,
    departures: Sparkline,
    now: String,
    /// The number of idle sessions, where there are any.
    idle: Option<String>,
    min: String,
    max: String,
    departed: String,
    forced: u64,
    by_page: u64,
    /// The time that the charts cover.
    period: String,
}

impl Trend {
    pub(super) fn new(view: &FleetView) -> Self {
        let values = |value: fn(&TrendPoint) -> u64| view.trend().map(value).collect::<Vec<_>>();
        let mut present = values(|step| step.present);
        // The current number is newer than the last step.
        present.push(view.present_sessions());
        let departures = values(|step| step.departures);
        let steps = u32::try_from(view.trend().len()).unwrap_or(u32::MAX);
        Self {
            now: counted(view.present_sessions(), "session"),
            min: count(present.iter().copied().min().unwrap_or(0)),
            max: count(present.iter().copied().max().unwrap_or(0)),
            departed: count(departures.iter().sum::<u64>()),
            forced: view.trend().map(|step| step.forced).sum(),
            by_page: view.trend().map(|step| step.auto_logouts).sum(),
            period: duration(TREND_INTERVAL.saturating_mul(steps).max(TREND_INTERVAL)),
            idle: nonzero_count(view.idle_sessions()),
            present: Sparkline::new(&present, MIN_STEPS),
            departures: Sparkline::new(&departures, MIN_STEPS),
        }
    }
}
