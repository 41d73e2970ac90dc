//! Reading the command line: what clap refuses is a configuration error like any other.

use std::process::ExitCode;

use clap::Parser;

use crate::EXIT_CONFIG;

/// Parses the command line and the environment. `Err` is what the process exits with: 0 after `--help` and
/// `--version`, [`EXIT_CONFIG`] where an option is unknown or has no value; the text has been printed then.
///
/// # Errors
/// As above.
pub fn parse<T: Parser>() -> Result<T, ExitCode> {
    T::try_parse().map_err(|error| {
        // Where not even this can be printed, the exit status has to do.
        let _ = error.print();
        if error.use_stderr() { ExitCode::from(EXIT_CONFIG) } else { ExitCode::SUCCESS }
    })
}
