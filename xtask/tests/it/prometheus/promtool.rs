//! `promtool` on the shipped files, and on the metrics pages of the tiers.

use std::process::{Command, Output, Stdio};

use crate::file;
use crate::monitoring::names::pages;

fn promtool(arguments: &[&str], input: Option<&str>) -> Output {
    use std::io::Write as _;
    let mut command = Command::new("promtool");
    command.args(arguments).current_dir(file("monitoring"));
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("promtool is there");
    child.stdin.take().unwrap().write_all(input.unwrap_or_default().as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn assert_good(output: &Output) {
    let said = [output.stdout.as_slice(), output.stderr.as_slice()].map(String::from_utf8_lossy);
    assert!(output.status.success(), "{}", said.concat());
}

#[test]
fn the_rules_are_rules() {
    assert_good(&promtool(&["check", "rules", "rules.yaml"], None));
}

#[test]
fn the_configuration_for_this_machine_is_valid() {
    assert_good(&promtool(&["check", "config", "dev.yaml"], None));
}

#[test]
fn each_alert_fires_exactly_when_it_should() {
    assert_good(&promtool(&["test", "rules", "rules-test.yaml"], None));
}

/// The requirements fix these names; every other complaint of the checker is a fault.
const FIXED: [&str; 3] = [
    "active_sessions_total non-counter metrics should not have \"_total\" suffix",
    "drain_notifications_sent counter metrics should have \"_total\" suffix",
    "total_logins counter metrics should have \"_total\" suffix",
];

#[tokio::test]
async fn the_checker_finds_the_three_fixed_names_and_nothing_else() {
    for page in pages().await {
        let output = promtool(&["check", "metrics"], Some(&page));
        let mut said: Vec<_> = std::str::from_utf8(&output.stderr).unwrap().lines().collect();
        said.sort_unstable();
        assert_eq!(said, FIXED);
    }
}
