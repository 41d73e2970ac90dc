//! Accessibility checks by axe-core.

use std::fmt::Write as _;

use serde_json::Value;

use super::Browser;

/// axe-core, unmodified; see the README beside it.
const AXE: &str = include_str!("../../vendor/axe.min.js");

/// Checks WCAG 2.x A and AA and best practices, after all animations: a text that fades in has too little contrast.
const RUN: &str = "
    const moving = () => document.getAnimations().filter((animation) =>
        animation.playState === 'running' && Number.isFinite(animation.effect.getComputedTiming().endTime));
    while (moving().length > 0) await Promise.allSettled(moving().map((animation) => animation.finished));
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const found = await axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] });
    return found.violations.map(({ id, help, nodes }) => ({ id, help,
        nodes: nodes.map(({ target, failureSummary }) => target.flat().join(' ') + '\\n' + failureSummary) }))";

/// The appearances that are checked: name, whether dark, width and height.
const APPEARANCES: [(&str, bool, u32, u32); 3] =
    [("light", false, 1100, 800), ("dark", true, 1100, 800), ("phone", false, 390, 844)];

impl Browser {
    /// Checks the page with axe-core. Panics with all violations.
    pub async fn passes_axe(&self) {
        let violations = self.violations().await;
        assert!(violations.is_empty(), "{}:\n{violations}", self.url().await);
    }

    /// Checks the page with axe-core in all appearances: light, dark, and on a phone. Panics with all violations. Saves a
    /// screenshot of each as `{name}-{appearance}`.
    pub async fn passes_axe_in_every_look(&self, name: &str) {
        let mut violations = String::new();
        for (appearance, dark, width, height) in APPEARANCES {
            self.emulate(dark, width, height).await;
            let found = self.violations().await;
            if !found.is_empty() {
                let _ = writeln!(violations, "{name}, {appearance}:\n{found}");
            }
            self.screenshot(&format!("{name}-{appearance}")).await;
        }
        assert!(violations.is_empty(), "{violations}");
    }

    /// Returns the violations that axe-core finds: rule, advice, and each element. Empty if there are none.
    pub async fn violations(&self) -> String {
        if self.run("return typeof axe").await != "object" {
            self.run(AXE).await;
        }
        let found = self.run(RUN).await;
        let mut violations = String::new();
        for fault in found.as_array().unwrap() {
            let _ = writeln!(violations, "- {}: {}", text(&fault["id"]), text(&fault["help"]));
            for node in fault["nodes"].as_array().unwrap() {
                let _ = writeln!(violations, "    {}", text(node).replace('\n', "\n    "));
            }
        }
        violations
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
