//! The development commands of this repository: `cargo xtask --help`.

mod bench;
mod bundler;
mod codegen;
mod dev;
mod image;
mod monitoring;
mod pictures;
mod release;
mod soak;
mod steps;
mod test;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Lastcall's development commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Runs user pods behind one front door, and the admin tier, on this machine, for trying out
    Dev(dev::Arguments),
    /// Installs missing programs, checks format and lints, and runs every test
    Test {
        /// Leaves out tests that need servers and browsers
        #[arg(long)]
        quick: bool,
    },
    /// Measures performance, as ratios to a baseline in the same run
    Bench,
    /// Drains one pod after the other under simulated users behind a real proxy, and counts what the users notice
    Soak(soak::Arguments),
    /// Writes the alerts of monitoring/rules.yaml into the manifest of the monitoring component
    Monitoring {
        /// Writes nothing, and fails if the manifest is not current
        #[arg(long)]
        check: bool,
    },
    /// Renders the manifests into kubernetes/sample-app.yaml, and checks that their waits fit
    Manifests(xtask::manifests::Arguments),
    /// Renews the README's pictures in docs/images
    Pictures,
    /// Renews the generated files: code from proto/, pages of options, the bundle of the browser script
    Codegen,
    /// Builds and tags the images of both tiers, and writes their bills of materials
    Image(image::Arguments),
    /// Reports everything that prevents a release of this tree; if nothing does, creates the tag
    Release(release::Arguments),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Dev(arguments) => dev::run(&arguments),
        Task::Test { quick } => test::run(quick),
        Task::Bench => bench::run(),
        Task::Soak(arguments) => soak::run(&arguments),
        Task::Monitoring { check } => monitoring::run(check),
        Task::Manifests(arguments) => xtask::manifests::run(&steps::root(), &arguments),
        Task::Pictures => pictures::run(),
        Task::Codegen => codegen::run(),
        Task::Image(arguments) => image::run(&arguments),
        Task::Release(arguments) => release::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not as `main`'s result: with RUST_BACKTRACE set, a long backtrace would hide the message.
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
