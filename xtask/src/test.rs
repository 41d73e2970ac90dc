//! `cargo xtask test`: everything that CI runs, the cheap checks first. Stops at the first step that fails.
//!
//! Every step builds into the same target directory. The test runner comes last, so that its summary is the last
//! output.

use crate::steps::{announce, cargo, step};
use crate::tools;

/// Leaves out the tests that start third-party programs: by convention they are in modules of these names.
const WITHOUT_PROGRAMS: [&str; 2] = [
    "-E",
    "not test(/accessible::|bad_store::|browser::|bundler::|containers::|hadolint::|haproxy::|manifests::|nginx::|notes_database::|outage::|pictures::|prometheus::|redis_kinds::|rolling::|sharing::|slow_proxy::/)",
];

/// Leaves out the tests that build and run containers.
const WITHOUT_CONTAINERS: [&str; 2] = ["-E", "not test(/containers::/)"];

/// Installs missing programs, checks, and tests.
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
    // The user tier has the library with all features. Left out, the others share what the step before has built.
    let mut bare =
        cargo(&["clippy", "--workspace", "--exclude", "user-tier", "--all-targets", "--no-default-features"]);
    step("lints of the library without features", bare.args(["--", "-D", "warnings"]))?;
    step("documentation", cargo(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    step("examples in the documentation", &mut cargo(&["test", "--workspace", "--doc"]))?;
    // Tests start the built binaries, those of other crates too, which nextest alone would not build.
    step("binaries", &mut cargo(&["build", "--workspace", "--bins", "--examples"]))?;
    let mut tests = cargo(&["nextest", "run", "--workspace"]);
    if quick {
        tests.args(WITHOUT_PROGRAMS);
    } else if !tools::can_run_containers() {
        announce("left out: both images built and run (containers::), which needs Linux and root");
        tests.args(WITHOUT_CONTAINERS);
    }
    step("tests", &mut tests)
}
