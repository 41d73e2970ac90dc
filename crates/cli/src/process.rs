//! Running the `main` of a tier: with a log that never blocks, enough open files, a runtime, and an end that does not wait
//! for threads that hang.

use std::process::ExitCode;

use tokio::runtime::Runtime;

use crate::EXIT_CONFIG;
use crate::logging::Log;

/// The files that a tier opens at its start, and a few for clients.
const MIN_OPEN_FILES: u64 = 64;

/// Runs `main` on its own runtime. Raises the limit of open files to the maximum first.
pub fn run(main: impl AsyncFnOnce(&Log) -> ExitCode) -> ExitCode {
    let log = match Log::new() {
        Ok(log) => log,
        // Without its thread, nothing can be printed.
        Err(_) => return ExitCode::FAILURE,
    };
    // If the limit cannot be raised, its value is checked below.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let files = open_files();
    // Tokio panics without enough files.
    if files < MIN_OPEN_FILES {
        let error = format!(
            "the limit of open files is {files}, and at least {MIN_OPEN_FILES} are needed: raise it with `ulimit -n`, or in \
             the options of the container"
        );
        return log.fail(&error, EXIT_CONFIG);
    }
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return log.fail(&format_args!("the runtime cannot start: {error}"), 1),
    };
    let code = runtime.block_on(main(&log));
    // Resolving a name, or a file system that hangs, can block a thread that cannot be cancelled.
    runtime.shutdown_background();
    code
}

/// Returns the limit of open files, or `u64::MAX` if it is unknown.
pub fn open_files() -> u64 {
    rlimit::Resource::NOFILE.get().map_or(u64::MAX, |(files, _)| files)
}
