//! Reading the command line: what clap refuses is a configuration error like any other, one line each, reported together
//! with all others.

mod refused;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{Write as _, stderr, stdout};
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
    similar: Vec<(String, String)>,
}

/// Parses the command line and the environment. `Err` is what the process exits with: 0 after `--help` and
/// `--version`, [`EXIT_CONFIG`] where nothing at all can be made of the arguments; the text has been printed then.
///
/// # Errors
/// As above.
pub fn parse<T: Parser>() -> Result<CommandLine<T>, ExitCode> {
    let command = T::command().mut_args(with_variable).mut_subcommands(|mode| mode.mut_args(with_variable));
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    let mut faults = Faults::default();
    // Clap reports one fault at a time: each is noted and its argument taken out, so that the others are found.
    let raw = loop {
        let matches = command.clone().try_get_matches_from(&arguments);
        match matches.and_then(|matches| T::from_arg_matches(&matches)) {
            Ok(raw) => break raw,
            Err(error) if error.use_stderr() && refused::take_out(&error, &command, &mut arguments, &mut faults) => {}
            Err(error) if error.use_stderr() => {
                // Clap's own text may show what was given, and that may be a secret.
                faults.push("arguments", format_args!("{}; --help names them all", error.kind()));
                // Where not even this can be printed, the exit status has to do.
                let _ = writeln!(stderr(), "{faults}");
                return Err(ExitCode::from(EXIT_CONFIG));
            }
            Err(help) => {
                let _ = help.print();
                return Err(ExitCode::SUCCESS);
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
        let hints =
            || self.similar.iter().map(|(name, option)| format!("{name}: is no option; did you mean {option}?"));
        let fail = |what: &dyn Display| {
            let code = log.fail(what, EXIT_CONFIG);
            // A misspelt variable is often why another one is missing.
            hints().for_each(|hint| log.say(&hint));
            code
        };
        let options = self.faults.clone().and(options).map_err(|faults| fail(&faults))?;
        if check_only {
            hints().for_each(|hint| log.say(&hint));
            // Where this cannot be printed, the exit status has to do.
            let _ = writeln!(stdout(), "configuration is valid");
            return Err(ExitCode::SUCCESS);
        }
        log.start(log_format(&options)).map_err(|error| fail(&error))?;
        hints().for_each(|hint| warn!("{hint}"));
        Ok(options)
    }
}

/// The variables that mean something to this binary.
fn known_variables(command: &Command) -> Vec<String> {
    let modes = command.get_subcommands().flat_map(Command::get_arguments);
    let options = command.get_arguments().chain(modes).filter_map(Arg::get_env).filter_map(|name| name.to_str());
    options.chain(secret::VARIABLES).chain(["HOSTNAME", "RUST_LOG"]).map(str::to_owned).collect()
}

/// Completes an option that is also a variable: help never shows the variable's value, and an empty variable is an unset one.
fn with_variable(option: Arg) -> Arg {
    let Some(variable) = option.get_env() else { return option };
    let is_empty = std::env::var_os(variable).is_some_and(|value| value.is_empty());
    let option = option.value_name("VALUE").hide_env_values(true);
    if is_empty { option.env(Resettable::Reset) } else { option }
}
