//! Reading the command line: what clap refuses is a configuration error like any other, one line each, reported together
//! with all others.

mod refused;

use std::ffi::OsString;
use std::io::{Write as _, stdout};
use std::process::ExitCode;

use clap::builder::Resettable;
use clap::{Arg, Command, Parser};
use tracing::warn;

use crate::logging::{Log, LogFormat};
use crate::options::Faults;
use crate::{EXIT_CONFIG, secret, spelling};

/// What was written on the command line and into the environment, as far as it could be read.
#[derive(Debug)]
pub struct CommandLine<T> {
    /// The options as they are written.
    pub raw: T,
    /// Arguments that are none.
    faults: Faults,
    /// Variables that are no option, and the one that each of them looks like.
    similar: Vec<(String, &'static str)>,
}

/// Parses the command line and the environment. `Err` is what the process exits with: 0 after `--help` and
/// `--version`, [`EXIT_CONFIG`] where nothing at all can be made of the arguments; the text has been printed then.
///
/// # Errors
/// As above.
pub fn parse<T: Parser>() -> Result<CommandLine<T>, ExitCode> {
    let command =
        T::command().mut_args(without_empty_variable).mut_subcommands(|mode| mode.mut_args(without_empty_variable));
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    let mut faults = Faults::default();
    // Clap reports one fault at a time: each is noted and its argument taken out, so that the others are found.
    let raw = loop {
        let matches = command.clone().try_get_matches_from(&arguments);
        match matches.and_then(|matches| T::from_arg_matches(&matches)) {
            Ok(raw) => break raw,
            Err(error) if error.use_stderr() && refused::take_out(&error, &command, &mut arguments, &mut faults) => {}
            Err(error) => {
                // Where not even this can be printed, the exit status has to do.
                let _ = error.print();
                return Err(if error.use_stderr() { ExitCode::from(EXIT_CONFIG) } else { ExitCode::SUCCESS });
            }
        }
    };
    let variables = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let similar = spelling::similar_variables(variables, &known_variables(&T::command()));
    Ok(CommandLine { raw, faults, similar })
}

impl<T> CommandLine<T> {
    /// The options, with the log started as they say. `Err` is what the process exits with: [`EXIT_CONFIG`] where options
    /// are faulty or logging cannot start, which has been said then, and 0 where they were only to be checked and are valid.
    ///
    /// # Errors
    /// As above.
    pub fn ready<O>(
        &self,
        log: &Log,
        options: Result<O, Faults>,
        check_only: bool,
        log_format: impl FnOnce(&O) -> LogFormat,
    ) -> Result<O, ExitCode> {
        let options = self.faults.clone().and(options).map_err(|faults| log.fail(&faults, EXIT_CONFIG))?;
        let hints = self.similar.iter().map(|(name, option)| format!("{name}: is no option; did you mean {option}?"));
        if check_only {
            hints.for_each(|hint| log.say(&hint));
            // Where this cannot be printed, the exit status has to do.
            let _ = writeln!(stdout(), "configuration is valid");
            return Err(ExitCode::SUCCESS);
        }
        log.start(log_format(&options)).map_err(|error| log.fail(&error, EXIT_CONFIG))?;
        hints.for_each(|hint| warn!("{hint}"));
        Ok(options)
    }
}

/// The variables that mean something to this binary.
fn known_variables(command: &Command) -> Vec<&'static str> {
    let modes = command.get_subcommands().flat_map(Command::get_arguments);
    let options = command.get_arguments().chain(modes).filter_map(Arg::get_env).filter_map(|name| name.to_str());
    // They live as long as the process, and there is one command in it.
    let options = options.map(|name| &*Box::leak(name.to_owned().into_boxed_str()));
    options.chain(secret::VARIABLES).chain(["HOSTNAME", "RUST_LOG"]).collect()
}

/// An empty variable is an unset one: the default holds.
fn without_empty_variable(option: Arg) -> Arg {
    let is_empty = option.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    if is_empty { option.env(Resettable::Reset) } else { option }
}
