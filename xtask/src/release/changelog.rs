//! Checks `CHANGELOG.md` for a release: its changes are under its version with a date, and none is left under "Unreleased".

/// The faults of the text for this version.
pub(super) fn faults(text: &str, version: &str) -> Vec<String> {
    let mut faults = Vec::new();
    match section(text, |title| title.split(' ').next() == Some(version)) {
        None => faults.push(format!("CHANGELOG.md has no section \"## {version} - YYYY-MM-DD\"")),
        Some((title, body)) => {
            let date = title.strip_prefix(version).and_then(|rest| rest.strip_prefix(" - ")).unwrap_or_default();
            if date.len() != 10 || humantime::parse_rfc3339(&format!("{date}T00:00:00Z")).is_err() {
                faults.push(format!("CHANGELOG.md heads the section \"{title}\", not \"{version} - YYYY-MM-DD\""));
            }
            if !has_entries(&body) {
                faults.push(format!("CHANGELOG.md says nothing under {version}"));
            }
        }
    }
    if section(text, |title| title == "Unreleased").is_some_and(|(_, body)| has_entries(&body)) {
        faults.push(format!(
            "CHANGELOG.md has changes under \"Unreleased\"; they belong to {version} or wait for the next"
        ));
    }
    faults
}

/// A second-level heading and the text under it.
fn section(text: &str, wanted: impl Fn(&str) -> bool) -> Option<(&str, String)> {
    let mut lines = text.lines();
    let title = lines.by_ref().filter_map(|line| line.strip_prefix("## ")).find(|title| wanted(title.trim()))?;
    let body: Vec<&str> = lines.take_while(|line| !line.starts_with("## ")).collect();
    Some((title.trim(), body.join("\n")))
}

fn has_entries(body: &str) -> bool {
    body.lines().any(|line| line.starts_with("- "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dated_section_with_entries_and_nothing_unreleased_is_accepted() {
        assert_eq!(faults("## 1.2.3 - 2026-01-31\n### Added\n- x\n", "1.2.3"), [""; 0]);
        assert_eq!(faults("## Unreleased\n\n## 1.2.3 - 2026-01-31\n- x\n", "1.2.3"), [""; 0]);
    }

    #[test]
    fn all_faults_are_reported_at_once() {
        let found = |text: &str| faults(text, "1.2.3").join("; ");
        assert!(found("## 1.2.30 - 2026-01-31\n- x\n").contains("no section"));
        assert!(found("## 1.2.3\n- x\n").contains("YYYY-MM-DD"));
        assert!(found("## 1.2.3 - 2026-02-30\n- x\n").contains("YYYY-MM-DD"), "there is no such day");
        assert!(found("## 1.2.3 - 2026-01-31\n### Added\n## 1.2.2 - 2026-01-01\n- old\n").contains("says nothing"));
        let both = found("## Unreleased\n- y\n");
        assert!(both.contains("no section") && both.contains("under \"Unreleased\""), "{both}");
    }
}
