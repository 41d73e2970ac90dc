//! Charts as SVG, drawn on the server: geometry here, colours in the style sheet, numbers in words beside them.

use std::fmt::Write as _;
use std::time::Duration;

use session_domain::Timestamp;

/// A line of values at even distances, without axes: for a glance. Its picture is [`Spark::WIDTH`] by
/// [`Spark::HEIGHT`].
#[derive(Debug)]
pub(super) struct Spark {
    /// The corners of the line, as `points` of a polyline.
    pub(super) line: String,
    /// The corners of what is under it.
    pub(super) area: String,
}

impl Spark {
    pub(super) const WIDTH: u32 = 240;
    pub(super) const HEIGHT: u32 = 40;

    /// Draws the values, the greatest reaching the top. The last `slots` of them stand at the right end.
    pub(super) fn of(values: &[u64], slots: usize) -> Self {
        let (width, height) = (f64::from(Self::WIDTH), f64::from(Self::HEIGHT));
        let most = values.iter().copied().max().unwrap_or(0).max(1);
        let slots = slots.max(values.len()).max(2);
        let step = width / (slots - 1) as f64;
        let first = slots - values.len();
        let x = |index: usize| (first + index) as f64 * step;
        // Half a pixel above and below, so that no line is cut in half.
        let y = |value: u64| height - 1.0 - (height - 2.0) * value as f64 / most as f64;
        let mut line = String::new();
        for (index, value) in values.iter().enumerate() {
            let _ = write!(line, "{:.1},{:.1} ", x(index), y(*value));
        }
        let area = format!("{:.1},{height} {line}{:.1},{height}", x(0), x(values.len().saturating_sub(1)));
        Self { line, area }
    }
}

/// How many were left, over time: steps from a beginning to an end, and the deadline as an upright line. Its picture is
/// [`Course::WIDTH`] by [`Course::HEIGHT`].
#[derive(Debug)]
pub(super) struct Course {
    /// The corners of the line, as `points` of a polyline.
    pub(super) line: String,
    /// The corners of what is under it.
    pub(super) area: String,
    /// Where the deadline stands.
    pub(super) deadline: Option<f64>,
    /// Where times are written, and what.
    pub(super) times: Vec<(f64, String)>,
    /// Where counts are written, and what.
    pub(super) counts: Vec<(f64, u64)>,
}

impl Course {
    pub(super) const WIDTH: u32 = 640;
    pub(super) const HEIGHT: u32 = 220;
    const LEFT: f64 = 48.0;
    const RIGHT: f64 = 12.0;
    const TOP: f64 = 12.0;
    const BOTTOM: f64 = 28.0;

    /// Draws a course that goes on until `end`; the deadline may lie after that.
    pub(super) fn of(points: &[(Timestamp, u64)], deadline: Option<Timestamp>, end: Timestamp) -> Option<Self> {
        let (begin, _) = *points.first()?;
        let whole = deadline.map_or(end, |deadline| end.max(deadline)).since(begin).max(Duration::from_secs(1));
        let most = points.iter().map(|(_, left)| *left).max().unwrap_or(0).max(1);
        let (width, height) = (f64::from(Self::WIDTH), f64::from(Self::HEIGHT));
        let (inner, tall) = (width - Self::LEFT - Self::RIGHT, height - Self::TOP - Self::BOTTOM);
        let across = |passed: Duration| Self::LEFT + inner * passed.as_secs_f64() / whole.as_secs_f64();
        let x = |at: Timestamp| across(at.since(begin).min(whole));
        let y = |left: u64| Self::TOP + tall * (1.0 - left as f64 / most as f64);
        let mut line = String::new();
        let mut before = None;
        for (at, left) in points {
            // Nobody leaves by degrees.
            if let Some(before) = before.replace(*left) {
                let _ = write!(line, "{:.1},{:.1} ", x(*at), y(before));
            }
            let _ = write!(line, "{:.1},{:.1} ", x(*at), y(*left));
        }
        let (last, left) = points.last().map_or((begin, 0), |(at, left)| (*at, *left));
        let drawn_to = if left == 0 { last } else { end };
        let _ = write!(line, "{:.1},{:.1}", x(drawn_to), y(left));
        let floor = y(0);
        let area = format!("{:.1},{floor:.1} {line} {:.1},{floor:.1}", x(begin), x(drawn_to));
        let tick = tick(whole);
        let ticks = (0_u32..).map(|n| tick * n).take_while(|passed| *passed <= whole);
        let times = ticks.map(|passed| (across(passed), super::words::duration(passed))).collect();
        let counts = if most == 1 { vec![0, 1] } else { vec![0, most / 2, most] };
        Some(Self {
            line,
            area,
            deadline: deadline.map(x),
            times,
            counts: counts.into_iter().map(|left| (y(left), left)).collect(),
        })
    }
}

/// A round distance, so that a handful of times are written.
fn tick(whole: Duration) -> Duration {
    const ROUND: [u64; 14] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600];
    let seconds = ROUND.into_iter().find(|seconds| whole.as_secs() / seconds <= 6);
    Duration::from_secs(seconds.unwrap_or(whole.as_secs() / 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn a_course_goes_in_steps_from_left_to_right_and_down_to_the_floor() {
        let course = Course::of(&[(at(0), 4), (at(30), 2), (at(60), 0)], Some(at(60)), at(75)).unwrap();
        assert_eq!(course.line, "48.0,12.0 280.0,12.0 280.0,102.0 512.0,102.0 512.0,192.0 512.0,192.0");
        assert_eq!(course.deadline, Some(512.0));
        assert_eq!(
            course.times.iter().map(|(_, words)| words.as_str()).collect::<Vec<_>>(),
            ["0s", "15s", "30s", "45s", "1m 0s", "1m 15s"]
        );
        assert_eq!(course.counts, [(192.0, 0), (102.0, 2), (12.0, 4)]);
    }

    #[test]
    fn whatever_is_drawn_stays_on_the_picture() {
        for (points, end) in [
            (vec![(at(0), 0)], at(0)),
            (vec![(at(5), 1)], at(0)),
            (vec![(at(0), u64::MAX)], at(1_000_000_000)),
            (vec![(at(9), 3), (at(1), 2)], at(5)),
        ] {
            let course = Course::of(&points, None, end).unwrap();
            assert!(course.times.len() <= 8, "{course:?}");
            for corner in course.line.split_whitespace() {
                let (x, y) = corner.split_once(',').unwrap();
                let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
                assert!((0.0..=640.0).contains(&x) && (0.0..=220.0).contains(&y), "{course:?}");
            }
        }
        assert!(Course::of(&[], None, at(1)).is_none());
    }

    #[test]
    fn a_spark_stands_at_the_right_end() {
        let spark = Spark::of(&[0, 10], 3);
        assert_eq!(spark.line, "120.0,39.0 240.0,1.0 ");
        assert_eq!(spark.area, "120.0,40 120.0,39.0 240.0,1.0 240.0,40");
        assert_eq!(Spark::of(&[], 3).line, "");
    }
}
