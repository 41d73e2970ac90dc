//! Every chore of this repository, one command each: `cargo xtask --help`.

mod codegen;
mod dev;
mod steps;
mod test;
mod tools;

use std::time::Duration;

use clap::{Parser, Subcommand};

/// Lastcall's chores.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Runs user pods and the admin tier on this machine, on memory alone, to be looked at and drained
    Dev {
        /// How many user pods
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=50))]
        pods: u16,
        /// How long users get before they are signed out, as in 60s or 2m
        #[arg(long, default_value = "60s", value_parser = humantime::parse_duration)]
        drain_timeout: Duration,
        /// Not in this version: sessions shared in Redis
        #[arg(long)]
        redis: Option<String>,
    },
    /// Installs what is missing, then checks format and lints and runs every test
    Test {
        /// Leaves out what needs servers and browsers
        #[arg(long)]
        quick: bool,
    },
    /// Compiles proto/ into the checked-in code of session-wire
    Codegen,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().chore {
        Chore::Dev { pods, drain_timeout, redis } => {
            anyhow::ensure!(redis.is_none(), "--redis is not in this version yet: sessions are kept in memory");
            dev::run(pods, drain_timeout)
        }
        Chore::Test { quick } => test::run(quick),
        Chore::Codegen => codegen::run(),
    }
}
