//! `cargo xtask monitoring`: writes the alerts of monitoring/rules.yaml into the PrometheusRule of the monitoring component.
//!
//! A Prometheus without the operator reads the rules file itself. Kustomize cannot put one file into another's `spec`, so
//! the custom resource is checked in; a test compares it with the output of this command.

use std::fs;

use anyhow::{Context as _, bail};

use crate::steps::{announce, root};

const RULES: &str = "monitoring/rules.yaml";
const RESOURCE: &str = "kubernetes/components/monitoring/prometheus-rule.yaml";

const HEAD: &str = "\
# Generated from monitoring/rules.yaml by `cargo xtask monitoring`. Edit that file.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: lastcall
  labels:
    app: sample-app
spec:
";

/// Writes the PrometheusRule; with `check` only compares it with the checked-in file.
///
/// # Errors
/// A file cannot be read or written, or with `check`: the file is not what would be written.
pub(crate) fn run(check: bool) -> anyhow::Result<()> {
    let rules = root().join(RULES);
    let rules = fs::read_to_string(&rules).with_context(|| format!("{} cannot be read", rules.display()))?;
    let (resource, file) = (prometheus_rule(&rules), root().join(RESOURCE));
    if check {
        if fs::read_to_string(&file).unwrap_or_default() != resource {
            bail!("{RESOURCE} is not generated from the current {RULES}: run cargo xtask monitoring");
        }
        return Ok(());
    }
    fs::write(&file, resource).with_context(|| format!("{} cannot be written", file.display()))?;
    announce(&format!("{RESOURCE} is generated from {RULES}"));
    Ok(())
}

/// The custom resource: the groups of the rules file, indented by two more columns. The head of the rules file is left out.
fn prometheus_rule(rules: &str) -> String {
    let mut resource = HEAD.to_owned();
    for line in rules.lines().skip_while(|line| *line != "groups:") {
        if !line.is_empty() {
            resource.push_str("  ");
            resource.push_str(line);
        }
        resource.push('\n');
    }
    resource
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checked_in_resource_is_generated_from_the_rules() {
        run(true).unwrap();
    }

    #[test]
    fn groups_are_under_spec_and_the_head_of_the_file_is_kept() {
        let resource = prometheus_rule("# head\n\ngroups:\n  - name: a\n\n    rules: []\n");
        assert_eq!(resource, format!("{HEAD}  groups:\n    - name: a\n\n      rules: []\n"));
    }
}
