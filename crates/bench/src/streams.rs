//! Event streams of as many sessions: the server's memory, and the time from SIGTERM until the last one is told.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::clients::Streams;
use crate::server::Server;

/// How long the server is left alone before its memory is read.
const SETTLING_TIME: Duration = Duration::from_secs(3);

/// How long the notice may take.
const NOTICE_TIME: Duration = Duration::from_secs(30);

/// Files that either process needs besides its streams.
const OTHER_FILES: usize = 200;

const PORT: u16 = 19_490;
const WRITE_LOOP_PORT: u16 = 19_492;

/// Measures with each number of streams.
///
/// # Errors
/// If a server cannot be started, a stream cannot be opened, or the open files do not suffice.
pub(crate) fn run(server: &Path, turns: u32, counts: &[usize]) -> anyhow::Result<()> {
    let files = rlimit::increase_nofile_limit(u64::MAX).context("the limit of open files is unknown")?;
    println!("| streams | KiB idle | KiB with streams | KiB a stream | told, ms | write loop, ms | ratio |");
    println!("|---|---|---|---|---|---|---|");
    for &count in counts {
        ensure!(
            (count + OTHER_FILES) as u64 <= files,
            "{count} streams need as many open files, and the limit is {files}: raise it (ulimit -Hn)"
        );
        for _ in 0..turns {
            let reference = write_loop(count)?;
            let measured = product(server, count)?;
            let per_stream = (measured.with_streams - measured.idle) as f64 / count as f64;
            let (told, reference) = (millis(measured.told), millis(reference));
            println!(
                "| {count} | {} | {} | {per_stream:.2} | {told:.0} | {reference:.0} | {:.2} |",
                measured.idle,
                measured.with_streams,
                told / reference
            );
        }
    }
    Ok(())
}

struct Measured {
    idle: u64,
    with_streams: u64,
    told: Duration,
}

fn product(server: &Path, count: usize) -> anyhow::Result<Measured> {
    let mut command = Command::new(server);
    command.env("HTTP_ADDR", format!("127.0.0.1:{PORT}")).env("GRPC_ADDR", format!("127.0.0.1:{}", PORT + 1));
    command.env("SESSION_KEY", "the benchmark has nothing to keep secret").env("RUST_LOG", "error");
    // Heartbeats would disturb the figures.
    command.env("HEARTBEAT_INTERVAL", "10m");
    let server = Server::start(command, PORT)?;
    thread::sleep(SETTLING_TIME);
    let idle = server.resident_kib()?;
    let mut streams = Streams::open(server.address, count, true)?;
    thread::sleep(SETTLING_TIME);
    let with_streams = server.resident_kib()?;
    Ok(Measured { idle, with_streams, told: told(&server, &mut streams)? })
}

fn write_loop(count: usize) -> anyhow::Result<Duration> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["write-loop", &WRITE_LOOP_PORT.to_string()]);
    let server = Server::start(command, WRITE_LOOP_PORT)?;
    let mut streams = Streams::open(server.address, count, false)?;
    thread::sleep(SETTLING_TIME);
    told(&server, &mut streams)
}

fn told(server: &Server, streams: &mut Streams) -> anyhow::Result<Duration> {
    let began = Instant::now();
    server.terminate()?;
    Ok(streams.wait_for(b"event: drain", NOTICE_TIME)?.duration_since(began))
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
