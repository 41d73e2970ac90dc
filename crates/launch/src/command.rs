//! Reading the command line: what clap refuses is a configuration error like any other.

use std::io::{Write as _, stdout};
use std::process::ExitCode;

use clap::builder::Resettable;
use clap::{Arg, Parser};

use crate::EXIT_CONFIG;
use crate::logging::{Log, LogFormat};
use crate::options::Faults;

/// Parses the command line and the environment. `Err` is what the process exits with: 0 after `--help` and
/// `--version`, [`EXIT_CONFIG`] where an option is unknown or has no value; the text has been printed then.
///
/// # Errors
/// As above.
pub fn parse<T: Parser>() -> Result<T, ExitCode> {
    let command =
        T::command().mut_args(without_empty_variable).mut_subcommands(|mode| mode.mut_args(without_empty_variable));
    command.try_get_matches().and_then(|matches| T::from_arg_matches(&matches)).map_err(|error| {
        // Where not even this can be printed, the exit status has to do.
        let _ = error.print();
        if error.use_stderr() { ExitCode::from(EXIT_CONFIG) } else { ExitCode::SUCCESS }
    })
}

/// The options, with the log started as they say. `Err` is what the process exits with: [`EXIT_CONFIG`] where options are
/// faulty or logging cannot start, which has been said then, and 0 where they were only to be checked and are valid.
///
/// # Errors
/// As above.
pub fn ready<T>(
    log: &Log,
    options: Result<T, Faults>,
    check_only: bool,
    log_format: impl FnOnce(&T) -> LogFormat,
) -> Result<T, ExitCode> {
    let options = options.map_err(|faults| log.fail(&faults, EXIT_CONFIG))?;
    if check_only {
        // Where this cannot be printed, the exit status has to do.
        let _ = writeln!(stdout(), "configuration is valid");
        return Err(ExitCode::SUCCESS);
    }
    log.start(log_format(&options)).map_err(|error| log.fail(&error, EXIT_CONFIG))?;
    Ok(options)
}

/// An empty variable is an unset one: the default holds.
fn without_empty_variable(option: Arg) -> Arg {
    let is_empty = option.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    if is_empty { option.env(Resettable::Reset) } else { option }
}
