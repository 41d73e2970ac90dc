//! What stands around either tier's `main`: a log that never blocks, enough open files, a runtime, and an end that
//! waits for nothing that hangs.

use std::process::ExitCode;

use tokio::runtime::Runtime;

use crate::EXIT_CONFIG;
use crate::logging::Log;

/// Files that a tier has open when it starts, with some for its clients.
const MIN_OPEN_FILES: u64 = 64;

/// Runs `main` on a runtime of its own, with the limit of open files raised as far as it goes.
pub fn run(main: impl AsyncFnOnce(&Log) -> ExitCode) -> ExitCode {
    let log = match Log::new() {
        Ok(log) => log,
        // Nothing can be said without its thread.
        Err(_) => return ExitCode::FAILURE,
    };
    // Where it cannot be raised, what it is decides.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let files = open_files();
    // Tokio panics where it lacks files for its own purposes.
    if files < MIN_OPEN_FILES {
        let what = format!(
            "the limit of open files is {files}, and at least {MIN_OPEN_FILES} are needed: raise it with `ulimit -n`, or in \
             the options of the container"
        );
        return log.fail(&what, EXIT_CONFIG);
    }
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return log.fail(&format_args!("the runtime cannot start: {error}"), 1),
    };
    let code = runtime.block_on(main(&log));
    // A name that is being resolved, or a file system that hangs, holds a thread that nothing can call back: it is not
    // waited for.
    runtime.shutdown_background();
    code
}

/// How many files the process may have open; very many where that is unknown.
pub fn open_files() -> u64 {
    rlimit::Resource::NOFILE.get().map_or(u64::MAX, |(files, _)| files)
}
