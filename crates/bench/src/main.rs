//! The load generator and the reference servers of `cargo xtask bench`: thousands of event streams from one process, and a bare write loop
//! to compare with. Knows nothing of the code under test but its HTTP interface.
//!
//! Measures on Linux alone: the memory of a process is read from `/proc`.

mod clients;
mod server;
mod streams;
mod write_loop;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(about = "Measures event streams against a bare write loop")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Opens event streams of as many sessions at a user tier; prints its memory and how long the notice of a drain takes.
    Streams {
        /// The user tier's binary.
        #[arg(long, default_value = "target/release/user-tier")]
        server: PathBuf,
        /// How many runs of the server and of the write loop take turns.
        #[arg(long, default_value_t = 1)]
        turns: u32,
        /// How many streams are opened.
        #[arg(default_values_t = [10_000])]
        streams: Vec<usize>,
    },
    /// The reference: accepts connections, answers each request at once, and writes one event to all at SIGTERM, one after another.
    WriteLoop {
        /// Where it listens on the loopback address.
        port: u16,
    },
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Streams { server, turns, streams } => streams::run(&server, turns, &streams),
        Command::WriteLoop { port } => write_loop::run(port),
    }
}
