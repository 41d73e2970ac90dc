//! The number of present sessions over the course of a drain, as an SVG step chart with its deadline. The geometry is
//! computed here; the colours are in the style sheet.

use std::fmt::Write as _;
use std::time::Duration;

use session_domain::Timestamp;

use crate::format;

/// The shape of a chart of [`DrainChart::WIDTH`] by [`DrainChart::HEIGHT`] units.
#[derive(Debug)]
pub(super) struct DrainChart {
    /// The line, as `points` of a polyline.
    pub(super) line: String,
    /// The area below it, as `points` of a polygon.
    pub(super) area: String,
    /// The horizontal position of the deadline.
    pub(super) deadline: Option<f64>,
    /// The labels of the time axis, with their horizontal positions.
    pub(super) times: Vec<(f64, String)>,
    /// The labels of the count axis, with their vertical positions.
    pub(super) counts: Vec<(f64, u64)>,
}

impl DrainChart {
    const WIDTH: u32 = 640;
    const HEIGHT: u32 = 220;
    const LEFT: f64 = 48.0;
    const RIGHT: f64 = 12.0;
    const TOP: f64 = 12.0;
    const BOTTOM: f64 = 28.0;

    /// Draws the counts of present sessions up to `end`; the deadline may be later. `None` without any count.
    pub(super) fn new(points: &[(Timestamp, u64)], deadline: Option<Timestamp>, end: Timestamp) -> Option<Self> {
        let (start, _) = *points.first()?;
        let duration = deadline.map_or(end, |deadline| end.max(deadline)).since(start).max(Duration::from_secs(1));
        let max = points.iter().map(|(_, present)| *present).max().unwrap_or(0).max(1);
        let inner_width = f64::from(Self::WIDTH) - Self::LEFT - Self::RIGHT;
        let inner_height = f64::from(Self::HEIGHT) - Self::TOP - Self::BOTTOM;
        let offset = |passed: Duration| Self::LEFT + inner_width * passed.as_secs_f64() / duration.as_secs_f64();
        let x = |at: Timestamp| offset(at.since(start).min(duration));
        let y = |present: u64| Self::TOP + inner_height * (1.0 - present as f64 / max as f64);
        let mut line = String::new();
        let mut before = None;
        for (at, present) in points {
            // The count changes in steps: the line is horizontal up to each change.
            if let Some(before) = before.replace(*present) {
                let _ = write!(line, "{:.1},{:.1} ", x(*at), y(before));
            }
            let _ = write!(line, "{:.1},{:.1} ", x(*at), y(*present));
        }
        let (last, present) = points.last().map_or((start, 0), |(at, present)| (*at, *present));
        let line_end = if present == 0 { last } else { end };
        let _ = write!(line, "{:.1},{:.1}", x(line_end), y(present));
        let floor = y(0);
        let area = format!("{:.1},{floor:.1} {line} {:.1},{floor:.1}", x(start), x(line_end));
        let interval = label_interval(duration);
        let labels = (0_u32..).map(|n| interval * n).take_while(|passed| *passed <= duration);
        let times = labels.map(|passed| (offset(passed), format::duration(passed))).collect();
        let counts = if max == 1 { vec![0, 1] } else { vec![0, max / 2, max] };
        Some(Self {
            line,
            area,
            deadline: deadline.map(x),
            times,
            counts: counts.into_iter().map(|count| (y(count), count)).collect(),
        })
    }
}

/// Returns a round interval that divides the duration into at most seven parts.
fn label_interval(duration: Duration) -> Duration {
    const ROUND: [u64; 14] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600];
    let seconds = ROUND.into_iter().find(|seconds| duration.as_secs() / seconds <= 6);
    Duration::from_secs(seconds.unwrap_or(duration.as_secs() / 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn the_line_goes_in_steps_from_left_to_right_and_down_to_zero() {
        let chart = DrainChart::new(&[(at(0), 4), (at(30), 2), (at(60), 0)], Some(at(60)), at(75)).unwrap();
        assert_eq!(chart.line, "48.0,12.0 280.0,12.0 280.0,102.0 512.0,102.0 512.0,192.0 512.0,192.0");
        assert_eq!(chart.deadline, Some(512.0));
        assert_eq!(
            chart.times.iter().map(|(_, label)| label.as_str()).collect::<Vec<_>>(),
            ["0s", "15s", "30s", "45s", "1m 0s", "1m 15s"]
        );
        assert_eq!(chart.counts, [(192.0, 0), (102.0, 2), (12.0, 4)]);
    }

    #[test]
    fn every_point_is_within_the_chart() {
        for (points, end) in [
            (vec![(at(0), 0)], at(0)),
            (vec![(at(5), 1)], at(0)),
            (vec![(at(0), u64::MAX)], at(1_000_000_000)),
            (vec![(at(9), 3), (at(1), 2)], at(5)),
        ] {
            let chart = DrainChart::new(&points, None, end).unwrap();
            assert!(chart.times.len() <= 8, "{chart:?}");
            for corner in chart.line.split_whitespace() {
                let (x, y) = corner.split_once(',').unwrap();
                let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
                assert!((0.0..=640.0).contains(&x) && (0.0..=220.0).contains(&y), "{chart:?}");
            }
        }
        assert!(DrainChart::new(&[], None, at(1)).is_none());
    }
}
