//! axe-core in the page: what a machine can find of what keeps people out.

use std::fmt::Write as _;

use serde_json::Value;

use super::Browser;

/// axe-core as it was published; see the README beside it.
const AXE: &str = include_str!("../../vendor/axe.min.js");

/// Asks for WCAG 2.x A and AA and for best practices, once nothing moves any more: half faded in, a text has half its
/// contrast.
const RUN: &str = "
    const moving = () => document.getAnimations().filter((animation) =>
        animation.playState === 'running' && Number.isFinite(animation.effect.getComputedTiming().endTime));
    while (moving().length > 0) await Promise.allSettled(moving().map((animation) => animation.finished));
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const found = await axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] });
    return found.violations.map(({ id, help, nodes }) => ({ id, help,
        nodes: nodes.map(({ target, failureSummary }) => target.flat().join(' ') + '\\n' + failureSummary) }))";

/// How pages are looked at: what it is called, whether it is dark, and how large.
const LOOKS: [(&str, bool, u32, u32); 3] =
    [("light", false, 1100, 800), ("dark", true, 1100, 800), ("phone", false, 390, 844)];

impl Browser {
    /// Looks at the page with axe-core, and panics with all that it finds wrong.
    pub async fn passes_axe(&self) {
        let faults = self.faults().await;
        assert!(faults.is_empty(), "{}:\n{faults}", self.url().await);
    }

    /// Looks at the page with axe-core in the light, in the dark and on a phone, and panics with all that it finds wrong. A
    /// picture of each stays behind as `{name}-{look}`.
    pub async fn passes_axe_in_every_look(&self, name: &str) {
        let mut faults = String::new();
        for (look, dark, width, height) in LOOKS {
            self.emulate(dark, width, height).await;
            let found = self.faults().await;
            if !found.is_empty() {
                let _ = writeln!(faults, "{name}, {look}:\n{found}");
            }
            self.screenshot(&format!("{name}-{look}")).await;
        }
        assert!(faults.is_empty(), "{faults}");
    }

    /// What axe-core finds wrong with the page: rule, advice, and each place. Empty where it finds nothing.
    pub async fn faults(&self) -> String {
        if self.run("return typeof axe").await != "object" {
            self.run(AXE).await;
        }
        let found = self.run(RUN).await;
        let mut faults = String::new();
        for fault in found.as_array().unwrap() {
            let _ = writeln!(faults, "- {}: {}", said(&fault["id"]), said(&fault["help"]));
            for node in fault["nodes"].as_array().unwrap() {
                let _ = writeln!(faults, "    {}", said(node).replace('\n', "\n    "));
            }
        }
        faults
    }
}

fn said(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
