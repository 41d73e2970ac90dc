//! A picture of the results of the dashboard's queries, drawn by a page of our own: `target/screenshots/monitoring.png`.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;
use test_support::Browser;

use super::drain::as_sent;
use super::server::{Prometheus, Series};
use crate::list;
use crate::monitoring::panels;

/// The titles of the panels that are drawn.
const SHOWN: [&str; 4] =
    ["Users present by pod", "Time left by pod", "Notified, left, cut off over the range", "Phase by pod"];
const COLOURS: [&str; 4] = ["#1f6feb", "#1a7f37", "#b35900", "#8250df"];
/// The size of a chart's plot area, without the axes.
const FIELD: (f64, f64) = (470.0, 170.0);
const STYLE: &str = "body{margin:0;padding:24px;background:#fff;color:#1f2328;font:14px system-ui,sans-serif;width:1020px}\
    h1{font-size:20px;margin:0 0 4px}p{margin:0 0 16px;color:#59636e}main{display:grid;grid-template-columns:1fr 1fr;gap:20px}\
    section{border:1px solid #d1d9e0;border-radius:6px;padding:12px}h2{font-size:14px;margin:0 0 8px}\
    text{font-size:11px;fill:#59636e}ul{display:flex;gap:16px;list-style:none;margin:6px 0 0;padding:0;font-size:12px}\
    i{display:inline-block;width:12px;height:3px;margin-right:6px;vertical-align:middle}";

/// Draws the panels since then, and saves the picture.
pub(super) async fn take(prometheus: &Prometheus, start: f64) {
    let end = prometheus.now("vector(time())").await[0];
    let mut page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Drains</title><style>{STYLE}</style>\
         <h1>Two of three pods drain, as Prometheus sees them</h1><p>Series of the Grafana dashboard's queries, a scrape each second</p><main>"
    );
    let missing: Vec<_> =
        SHOWN.iter().filter(|title| !panels().iter().any(|panel| panel["title"] == **title)).collect();
    assert!(missing.is_empty(), "no panels with the titles {missing:?}");
    for panel in panels().iter().filter(|panel| SHOWN.iter().any(|title| panel["title"] == *title)) {
        let mut lines = Vec::new();
        for target in list(&panel["targets"]) {
            let legend = target["legendFormat"].as_str().unwrap();
            for series in prometheus.since(start, &as_sent(target["expr"].as_str().unwrap())).await {
                lines.push((legend.replace("{{pod}}", series.labels["pod"].as_str().unwrap_or_default()), series));
            }
        }
        page.push_str(&chart(panel, &lines, (start, end)));
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("monitoring.html");
    fs::write(&file, page).unwrap();
    let browser = Browser::open().await;
    browser.go(&format!("file://{}", file.display())).await;
    browser.sees("main").await;
    browser.screenshot("monitoring").await;
}

fn chart(panel: &Value, lines: &[(String, Series)], (start, end): (f64, f64)) -> String {
    let unit = if panel["fieldConfig"]["defaults"]["unit"] == "s" { " s" } else { "" };
    let states = list(&panel["fieldConfig"]["defaults"]["mappings"]);
    let values = lines.iter().flat_map(|(_, series)| &series.points).map(|(_, value)| *value);
    // Whole numbers at each grid line.
    let highest = values.fold(1.0, f64::max).ceil();
    let top = if highest > 4.0 { (highest / 4.0).ceil() * 4.0 } else { highest };
    let (width, height) = FIELD;
    let x = |time: f64| 80.0 + (time - start) / (end - start).max(1.0) * (width - 90.0);
    let y = |value: f64| 8.0 + (1.0 - value.max(0.0) / top) * (height - 16.0);
    let mut svg =
        format!("<section><h2>{}</h2><svg width={width} height={}>", panel["title"].as_str().unwrap(), height + 18.0);
    let steps = if top <= 4.0 { top } else { 4.0 };
    for step in (0..=4).map(f64::from).filter(|step| *step <= steps) {
        let value = top * step / steps;
        let state = states.first().and_then(|states| states["options"][format!("{value:.0}")]["text"].as_str());
        let label = state.map_or_else(|| format!("{value:.0}{unit}"), str::to_owned);
        let at = y(value);
        write!(
            svg,
            "<path d='M80 {at}H{width}' stroke='#e6eaef'/><text x=74 y={} text-anchor=end>{label}</text>",
            at + 4.0
        )
        .unwrap();
    }
    write!(
        svg,
        "<text x=80 y={0}>0 s</text><text x={width} y={0} text-anchor=end>{1:.0} s</text>",
        height + 14.0,
        end - start
    )
    .unwrap();
    for ((_, series), colour) in lines.iter().zip(COLOURS) {
        // Steps, as samples are: a value holds until the next one.
        let (mut path, mut last) = (String::new(), None::<f64>);
        for (time, value) in &series.points {
            let follows = last.is_some_and(|last| time - last < 1.5);
            let (x, y) = (x(*time), y(*value));
            let step = if follows { format!("H{x:.1}V{y:.1}") } else { format!("M{x:.1} {y:.1}") };
            path.push_str(&step);
            last = Some(*time);
        }
        write!(svg, "<path d='{path}' fill=none stroke='{colour}' stroke-width=2 />").unwrap();
    }
    svg.push_str("</svg><ul>");
    for ((name, _), colour) in lines.iter().zip(COLOURS) {
        write!(svg, "<li><i style='background:{colour}'></i>{name}</li>").unwrap();
    }
    svg.push_str("</ul></section>");
    svg
}
