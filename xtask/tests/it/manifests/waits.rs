//! The waits of every rendering fit into each other.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use xtask::waits::{DATABASE_CLOSE_TIMEOUT, HandoffWaits, SHUTDOWN_TIMEOUT, read};

use super::{all, objects, rendered_with, with};

/// An overlay that patches the pods of the user tier.
fn patched(spec: &str) -> String {
    format!(
        "patches:
  - target: {{kind: Deployment, name: sample-app-user}}
    patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata: {{name: sample-app-user}}
      spec: {{template: {{spec: {spec}}}}}
"
    )
}

/// A longer drain without a longer grace period.
const LONG_DRAIN: &str = "{containers: [{name: user-tier, env: [{name: DRAIN_TIMEOUT, value: 120s}]}]}";

/// A container beside the user tier, which kustomize puts before it.
const SIDECAR: &str = "{containers: [{name: logger, image: logger}]}";

/// A hook of unknown length.
const HOOK: &str = "{containers: [{name: user-tier, lifecycle: {preStop: {exec: {command: [x]}}}}]}";

#[test]
fn all_waits_of_every_rendering_fit_into_each_other() {
    for (name, objects) in all() {
        let waits = read(&objects).unwrap();
        assert_eq!(waits.faults(), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_waits_are_those_in_the_manual() {
    let seconds = Duration::from_secs;
    let waits = read(&with(&["autoscaling"])).unwrap();
    assert_eq!((waits.user.end(), waits.user.grace, waits.user.maintenance()), (seconds(90), seconds(90), seconds(71)));
    let scaling = waits.scale_down.unwrap();
    assert_eq!((scaling.quiet, scaling.pace), (seconds(600), seconds(120)));
    let mounted = read(&with(&["maintenance-file"])).unwrap();
    assert_eq!(mounted.user.switch, seconds(125));
}

#[test]
fn a_drain_of_two_minutes_with_the_grace_period_forgotten_is_found() {
    let faults = read(&objects(&rendered_with(&["autoscaling"], &patched(LONG_DRAIN))).unwrap()).unwrap().faults();
    assert_eq!(
        faults,
        [
            "sample-app-user: preStop 0s + DRAIN_TIMEOUT 120s + TASK_GRACE 10s + PROPAGATION_WAIT 15s + database 0s + \
             closing 5s = 150s, and terminationGracePeriodSeconds grants 90s: grant 150 or more, or shorten a wait",
            "autoscaler: scaleDown periodSeconds is 120s, and a drain takes up to 150s: draining pods would pile up; \
             set 150",
        ]
    );
}

#[test]
fn a_database_of_the_deployment_counts() {
    let waits = |variable: &str| {
        let env = format!("{{containers: [{{name: user-tier, env: [{{name: {variable}}}]}}]}}");
        read(&objects(&rendered_with(&["autoscaling"], &patched(&env))).unwrap()).unwrap()
    };
    for variable in [
        "DATABASE_URL, valueFrom: {secretKeyRef: {name: database, key: url}}",
        "DATABASE_URL_FILE, value: /etc/lastcall/database/url",
        "DATABASE_URL, value: 'postgres://database/notes'",
    ] {
        let waits = waits(variable);
        assert_eq!((waits.user.closers, waits.user.end()), (DATABASE_CLOSE_TIMEOUT, Duration::from_secs(100)));
        assert!(waits.faults()[0].contains("grants 90s: grant 100 or more"), "{:?}", waits.faults());
    }
    assert_eq!(waits("DATABASE_URL, value: ''").user.closers, Duration::ZERO);
}

#[test]
fn the_user_tier_is_found_beside_others_and_a_hook_of_unknown_length_is_refused() {
    let waits = |spec| read(&objects(&rendered_with(&[], &patched(spec))).unwrap());
    assert_eq!(waits(SIDECAR).unwrap().faults(), Vec::<String>::new());
    let refused = waits(HOOK).unwrap_err().to_string();
    assert_eq!(refused, "preStop of sample-app-user has no known length: use `sleep`");
}

#[test]
fn the_command_refuses_waits_that_do_not_fit_and_says_why() {
    let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
    xtask.args(["manifests", "--waits", "-"]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut xtask = xtask.spawn().unwrap();
    xtask.stdin.take().unwrap().write_all(rendered_with(&[], &patched(LONG_DRAIN)).as_bytes()).unwrap();
    let output = xtask.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("grants 90s: grant 150 or more"), "{said}");
}

#[test]
fn the_two_minutes_that_the_manual_shows_fit() {
    let manual = std::fs::read_to_string(super::root().join("docs/operating.md")).unwrap();
    let tuning = manual.split("## Tune the drain time").nth(1).unwrap();
    let example = tuning.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let waits = read(&objects(&rendered_with(&[], example)).unwrap()).unwrap();
    assert_eq!((waits.user.drain, waits.user.end()), (Duration::from_secs(120), Duration::from_secs(150)));
    assert_eq!(waits.faults(), Vec::<String>::new());
}

#[test]
fn waits_that_a_deployment_does_not_set_have_the_defaults_of_the_binary() {
    let mut objects = super::overlay("production");
    for object in &mut objects {
        for container in object["spec"]["template"]["spec"]["containers"].as_array_mut().into_iter().flatten() {
            let unset = [
                "DRAIN_TIMEOUT",
                "TASK_GRACE",
                "PROPAGATION_WAIT",
                "HANDOFF_DELAY",
                "MAINTENANCE_CONFIGMAP",
                "MAINTENANCE_POLL",
            ];
            let variables = container["env"].as_array_mut();
            variables.into_iter().for_each(|it| it.retain(|it| !unset.contains(&it["name"].as_str().unwrap())));
        }
    }
    let waits = read(&objects).unwrap().user;
    let page = crate::text("docs/options-user-tier.md");
    let default = |variable: &str| {
        let (_, row) = page.split_once(&format!("| `{variable}` | `")).unwrap();
        humantime::parse_duration(row.split_once('`').unwrap().0).unwrap()
    };
    assert_eq!((waits.drain, waits.propagation), (default("DRAIN_TIMEOUT"), default("PROPAGATION_WAIT")));
    assert_eq!(waits.task_grace, default("TASK_GRACE"));
    let handoff = HandoffWaits { delay: default("HANDOFF_DELAY"), quiet: default("HANDOFF_QUIET") };
    assert_eq!(waits.handoff, Some(handoff));
    assert_eq!(waits.switch, Duration::from_secs(120) + default("MAINTENANCE_POLL"));
    assert!(
        page.contains(&format!("PROPAGATION_WAIT + {}s must fit", SHUTDOWN_TIMEOUT.as_secs())),
        "{SHUTDOWN_TIMEOUT:?}"
    );
}
