//! A short `cargo xtask soak`: 30 users, three drains, HAProxy that follows readiness.

use std::process::Stdio;

use tokio::process::Command;

use crate::binary;

/// Runs the soak with these options in addition, and returns its report.
async fn soak(options: &[&str]) -> String {
    // It has to be there; the soak starts what lies beside xtask.
    let folder = binary("user-tier");
    let target = folder.ancestors().nth(2).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    // A machine that stalls for less than HANDOFF_QUIET shows no banner.
    let waits = ["--handoff-delay", "500ms", "--handoff-quiet", "12s", "--propagation-wait", "500ms"];
    command.args(["soak", "--no-build", "--users", "30"]).args(waits).args(options);
    command.env("CARGO_TARGET_DIR", target).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.unwrap();
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{report}\n{}", String::from_utf8_lossy(&output.stderr));
    report
}

/// The value of a row of the report.
fn row<'a>(report: &'a str, name: &str) -> &'a str {
    let value = report.lines().find_map(|line| line.trim_start().strip_prefix(name));
    value.unwrap_or_else(|| panic!("no {name} in:\n{report}")).trim()
}

mod haproxy {
    use super::*;

    #[tokio::test]
    async fn pods_that_drain_with_a_handoff_are_noticed_by_no_user_with_and_without_a_sticky_cookie() {
        // One after the other: each is five processes.
        for sticky in ["off", "on"] {
            let report = soak(&["--drains", "3", "--drain-timeout", "40s", "--sticky", sticky]).await;
            for name in ["user-visible errors", "banners", "sign-ins needed"] {
                assert_eq!(row(&report, name), "0", "{name}\n{report}");
            }
            assert_eq!(row(&report, "ledgers that balance"), "6 of 6");
            assert_ne!(row(&report, "moves of pages").split(',').next(), Some("0"), "pages moved\n{report}");
        }
        // The soak sees a banner where there is one.
        let without = soak(&["--handoff", "off", "--drains", "1", "--drain-timeout", "3s"]).await;
        assert_ne!(row(&without, "banners"), "0", "{without}");
    }
}
