//! Every chore of this repository, one command each: `cargo xtask --help`.

mod bench;
mod bundler;
mod codegen;
mod dev;
mod image;
mod monitoring;
mod pictures;
mod release;
mod steps;
mod test;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Lastcall's chores.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Runs user pods behind one front door, and the admin tier, on this machine, to be looked at and drained
    Dev(dev::Arguments),
    /// Installs what is missing, then checks format and lints and runs every test
    Test {
        /// Leaves out what needs servers and browsers
        #[arg(long)]
        quick: bool,
    },
    /// Measures, as ratios against a baseline in the same run
    Bench,
    /// Writes the alerts of monitoring/rules.yaml into the manifest of the monitoring component
    Monitoring {
        /// Writes nothing, and fails where the manifest is not up to date
        #[arg(long)]
        check: bool,
    },
    /// Renders the manifests into kubernetes/sample-app.yaml, and holds their waits against each other
    Manifests(xtask::manifests::Arguments),
    /// Makes the README's pictures anew, into docs/images
    Pictures,
    /// Renews the checked-in code from proto/, and the bundle of the browser script
    Codegen,
    /// Builds and tags the images of both tiers, and lists what is inside
    Image(image::Arguments),
    /// Says everything that stands between this tree and a release; where nothing does, makes the tag
    Release(release::Arguments),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().chore {
        Chore::Dev(arguments) => dev::run(&arguments),
        Chore::Test { quick } => test::run(quick),
        Chore::Bench => bench::run(),
        Chore::Monitoring { check } => monitoring::run(check),
        Chore::Manifests(arguments) => xtask::manifests::run(&steps::root(), &arguments),
        Chore::Pictures => pictures::run(),
        Chore::Codegen => codegen::run(),
        Chore::Image(arguments) => image::run(&arguments),
        Chore::Release(arguments) => release::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not as `main`'s result: with RUST_BACKTRACE set, a screen of frames would push the message out of sight.
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
