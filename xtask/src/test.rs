//! `cargo xtask test`: all that CI runs. The test runner's own summary comes last.

use crate::steps::{cargo, step};
use crate::tools;

pub(crate) fn run(quick: bool) -> anyhow::Result<()> {
    tools::ensure_nextest()?;
    if !quick {
        tools::ensure_browser()?;
    }
    step("format", &mut cargo(&["fmt", "--all", "--check"]))?;
    step("lints", &mut cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))?;
    step("documentation", cargo(&["doc", "--workspace", "--no-deps", "--quiet"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    step("examples in the documentation", &mut cargo(&["test", "--workspace", "--doc", "--quiet"]))?;
    // Tests of one crate drive the binaries of another.
    step("binaries", &mut cargo(&["build", "--workspace", "--bins"]))?;
    let mut tests = vec!["nextest", "run", "--workspace"];
    if quick {
        tests.extend(["--filterset", "not test(/browser::/)"]);
    }
    step("tests", &mut cargo(&tests))
}
