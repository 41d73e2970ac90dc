//! A small line chart without axes, as SVG. The geometry is computed here; the colours are in the style sheet.

use std::fmt::Write as _;

/// The shape of a chart of [`Sparkline::WIDTH`] by [`Sparkline::HEIGHT`] units.
#[derive(Debug)]
pub(super) struct Sparkline {
    /// The line, as `points` of a polyline.
    pub(super) line: String,
    /// The area below it, as `points` of a polygon.
    pub(super) area: String,
}

impl Sparkline {
    const WIDTH: u32 = 240;
    const HEIGHT: u32 = 40;

    /// Draws values at equal distances, scaled to the height. Fewer than `min_steps` values fill the right end only.
    pub(super) fn new(values: &[u64], min_steps: usize) -> Self {
        let (width, height) = (f64::from(Self::WIDTH), f64::from(Self::HEIGHT));
        let max = values.iter().copied().max().unwrap_or(0).max(1);
        let steps = min_steps.max(values.len()).max(2);
        let step = width / (steps - 1) as f64;
        let first = steps - values.len();
        let x = |index: usize| (first + index) as f64 * step;
        // One unit of margin above and below, so that the line is not cut off.
        let y = |value: u64| height - 1.0 - (height - 2.0) * value as f64 / max as f64;
        let mut line = String::new();
        for (index, value) in values.iter().enumerate() {
            let _ = write!(line, "{:.1},{:.1} ", x(index), y(*value));
        }
        let area = format!("{:.1},{height} {line}{:.1},{height}", x(0), x(values.len().saturating_sub(1)));
        Self { line, area }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_are_drawn_at_the_right_end() {
        let sparkline = Sparkline::new(&[0, 10], 3);
        assert_eq!(sparkline.line, "120.0,39.0 240.0,1.0 ");
        assert_eq!(sparkline.area, "120.0,40 120.0,39.0 240.0,1.0 240.0,40");
        assert_eq!(Sparkline::new(&[], 3).line, "");
    }
}
