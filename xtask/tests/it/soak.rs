//! A short `cargo xtask soak`: 40 users, four drains, HAProxy that follows readiness.

use std::process::Stdio;

use tokio::process::Command;

use crate::binary;

/// Runs the soak with these options in addition, and returns its report.
async fn soak(options: &[&str]) -> String {
    // It has to be there; the soak starts what lies beside xtask.
    let folder = binary("user-tier");
    let target = folder.ancestors().nth(2).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["soak", "--no-build", "--users", "40", "--handoff-quiet", "4s"]).args(options);
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
        let without = ["--handoff", "off", "--drains", "1", "--drain-timeout", "3s", "--propagation-wait", "500ms"];
        let (off, on, without) = tokio::join!(
            soak(&["--drains", "4", "--sticky", "off"]),
            soak(&["--drains", "4", "--sticky", "on"]),
            soak(&without)
        );
        for report in [off, on] {
            for name in ["user-visible errors", "banners", "sign-ins needed"] {
                assert_eq!(row(&report, name), "0", "{name}\n{report}");
            }
            assert_eq!(row(&report, "books that balance"), "7 of 7");
            assert_ne!(row(&report, "moves of pages").split(',').next(), Some("0"), "pages moved\n{report}");
        }
        // The soak sees a banner where there is one.
        assert_ne!(row(&without, "banners"), "0", "{without}");
    }
}
