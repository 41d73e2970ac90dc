//! `cargo xtask test`: all that CI runs, the cheap checks first. Stops at the first step that fails.
//!
//! Every step builds into the same target directory. The test runner comes last, so that its own summary is the last
//! thing on the screen.

use crate::steps::{announce, cargo, step};
use crate::tools;

/// Leaves out the tests that start programs that are not ours: by convention they live in modules of these names.
const WITHOUT_PROGRAMS: [&str; 2] = [
    "-E",
    "not test(/accessible::|bad_store::|browser::|bundler::|containers::|hadolint::|haproxy::|manifests::|nginx::|outage::|pictures::|prometheus::|redis_kinds::|rolling::|sharing::|slow_proxy::/)",
];

/// Leaves out those that build and run containers.
const WITHOUT_CONTAINERS: [&str; 2] = ["-E", "not test(/containers::/)"];

/// Installs what is missing, checks, tests.
///
/// # Errors
/// The first step that fails, by name.
pub(crate) fn run(quick: bool) -> anyhow::Result<()> {
    tools::ensure_nextest()?;
    if !quick {
        tools::ensure_programs()?;
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
    } else if !tools::can_run_containers() {
        announce("left out: both images built and run (containers::), which needs Linux and root's rights");
        tests.args(WITHOUT_CONTAINERS);
    }
    step("tests", &mut tests)
}
