//! Parsing the command line. Arguments that clap rejects are reported together with all other configuration errors, one line
//! each.

mod rejected;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{Write as _, stderr, stdout};
use std::process::ExitCode;

use clap::builder::Resettable;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, Id, Parser};
use tracing::warn;

use crate::logging::{Log, LogFormat};
use crate::options::OptionErrors;
use crate::{EXIT_CONFIG, secret, similar_names};

/// The parsed command line and environment.
#[derive(Debug)]
pub struct CommandLine<T> {
    /// The options as text.
    pub raw: T,
    /// The errors of rejected arguments.
    errors: OptionErrors,
    /// The options that were set by a flag or a variable, by the names of their fields.
    given: Vec<String>,
    /// Variables that are not options, each with the option that it resembles.
    similar: Vec<(String, String)>,
}

/// Parses the command line and the environment.
///
/// # Errors
/// Returns the exit status if the process should end, after printing the text: 0 for `--help` and `--version`, and
/// [`EXIT_CONFIG`] if the arguments cannot be parsed at all.
pub fn parse<T: Parser>() -> Result<CommandLine<T>, ExitCode> {
    let command = T::command().mut_args(with_variable).mut_subcommands(|mode| mode.mut_args(with_variable));
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    let mut errors = OptionErrors::default();
    // Clap reports one error at a time: each is recorded and its argument removed, so that the next one is found.
    let (raw, given) = loop {
        let matches = command.clone().try_get_matches_from(&arguments);
        match matches.and_then(|matches| Ok((T::from_arg_matches(&matches)?, given(&matches)))) {
            Ok(parsed) => break parsed,
            Err(error) if error.use_stderr() && rejected::remove(&error, &command, &mut arguments, &mut errors) => {}
            Err(error) if error.use_stderr() => {
                // Clap's own text may contain a value, which may be a secret.
                errors.push("arguments", format_args!("{}; --help names them all", error.kind()));
                // If this cannot be printed, the exit status must suffice.
                let _ = writeln!(stderr(), "{errors}");
                return Err(ExitCode::from(EXIT_CONFIG));
            }
            Err(help) => {
                let _ = help.print();
                return Err(ExitCode::SUCCESS);
            }
        }
    };
    let variables = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let similar = similar_names::similar_variables(variables, &known_variables(&T::command()));
    Ok(CommandLine { raw, errors, given, similar })
}

impl<T> CommandLine<T> {
    /// Whether the option of this field was set, and is not at its default: `forced_end` for `FORCED_END` and `--forced-end`.
    pub fn is_given(&self, field: &str) -> bool {
        self.given.iter().any(|given| given == field)
    }

    /// Starts the log in the format that the options choose, and returns the options.
    ///
    /// # Errors
    /// Returns the exit status if the process should end, after printing the text: [`EXIT_CONFIG`] if options are invalid or
    /// logging cannot start, and 0 if `check_only` is set and the options are valid.
    pub fn ready<O>(
        &self,
        log: &Log,
        options: Result<O, OptionErrors>,
        check_only: bool,
        log_format: impl FnOnce(&O) -> LogFormat,
    ) -> Result<O, ExitCode> {
        let hints =
            || self.similar.iter().map(|(name, option)| format!("{name}: is no option; did you mean {option}?"));
        let fail = |error: &dyn Display| {
            let code = log.fail(error, EXIT_CONFIG);
            // A misspelt variable is often the reason why another one is missing.
            hints().for_each(|hint| log.write_line(&hint));
            code
        };
        let options = self.errors.clone().combine(options).map_err(|errors| fail(&errors))?;
        if check_only {
            hints().for_each(|hint| log.write_line(&hint));
            // If this cannot be printed, the exit status must suffice.
            let _ = writeln!(stdout(), "configuration is valid");
            return Err(ExitCode::SUCCESS);
        }
        log.start(log_format(&options)).map_err(|error| fail(&error))?;
        hints().for_each(|hint| warn!("{hint}"));
        Ok(options)
    }
}

/// The options that a flag or a variable has set.
fn given(matches: &ArgMatches) -> Vec<String> {
    let is_given =
        |id: &&Id| matches.value_source(id.as_str()).is_some_and(|source| source != ValueSource::DefaultValue);
    matches.ids().filter(is_given).map(ToString::to_string).collect()
}

/// The variables that this binary reads.
fn known_variables(command: &Command) -> Vec<String> {
    let modes = command.get_subcommands().flat_map(Command::get_arguments);
    let options = command.get_arguments().chain(modes).filter_map(Arg::get_env).filter_map(|name| name.to_str());
    options.chain(secret::VARIABLES).chain(["HOSTNAME", "RUST_LOG"]).map(str::to_owned).collect()
}

/// Completes an option that is also a variable: `--help` never shows the value of the variable, and an empty variable counts as
/// unset.
fn with_variable(option: Arg) -> Arg {
    let Some(variable) = option.get_env() else { return option };
    let is_empty = std::env::var_os(variable).is_some_and(|value| value.is_empty());
    let option = option.value_name("VALUE").hide_env_values(true);
    if is_empty { option.env(Resettable::Reset) } else { option }
}
