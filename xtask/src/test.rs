//! `cargo xtask test`: all that CI runs, the cheap checks first. Stops at the first step that fails.
//!
//! Every step builds into the same target directory. The test runner comes last, so that its own summary is the last
//! thing on the screen.

use crate::steps::{cargo, step};
use crate::{cluster_tools, tools};

/// Leaves out the tests that need a browser, nginx, a Redis or kubectl: by convention they live in modules of these names.
const WITHOUT_PROGRAMS: [&str; 2] = [
    "-E",
    "not test(/accessible::|browser::|hostile::|manifests::|nginx::|pictures::|sharing::|redis_kinds::|outage::/)",
];

/// Installs what is missing, checks, tests.
///
/// # Errors
/// The first step that fails, by name.
pub(crate) fn run(quick: bool) -> anyhow::Result<()> {
    tools::ensure_nextest()?;
    if !quick {
        tools::ensure_programs()?;
        cluster_tools::ensure()?;
    }
    step("format", &mut cargo(&["fmt", "--all", "--check"]))?;
    step("lints", &mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    step("documentation", cargo(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    step("examples in the documentation", &mut cargo(&["test", "--workspace", "--doc"]))?;
    // Tests start the built binaries, those of other crates too, which nextest alone would not build.
    step("binaries", &mut cargo(&["build", "--workspace", "--bins", "--examples"]))?;
    let mut tests = cargo(&["nextest", "run", "--workspace"]);
    if quick {
        tests.args(WITHOUT_PROGRAMS);
    }
    step("tests", &mut tests)
}
