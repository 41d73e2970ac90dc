//! Arguments that clap rejects, as errors of one line each.

use std::ffi::{OsStr, OsString};

use clap::Command;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

use crate::options::OptionErrors;
use crate::{secret, similar_names};

/// Records the error and removes its argument, so that the next error can be found. Returns `false`, and records nothing, if
/// the error names no argument.
pub(super) fn remove(
    error: &Error,
    command: &Command,
    arguments: &mut Vec<OsString>,
    errors: &mut OptionErrors,
) -> bool {
    if matches!(error.kind(), ErrorKind::InvalidUtf8) {
        return remove_non_utf8(arguments, errors);
    }
    let Some(named) = text(error, ContextKind::InvalidArg).or_else(|| text(error, ContextKind::InvalidSubcommand))
    else {
        return false;
    };
    // `--drain-timeout <VALUE>` where the option itself is known.
    let name = named.split(ends_name).next().unwrap_or_default();
    // The last one: if an option is given twice, the first one stays.
    let Some(index) = arguments.iter().skip(1).rposition(|argument| is_named(argument, name)).map(|index| index + 1)
    else {
        return false;
    };
    let argument = arguments.remove(index);
    if is_cluster(&argument) {
        let before = arguments[index - 1].to_str().and_then(|text| text.strip_prefix("--")).map(str::to_owned);
        if let Some(option) = before.filter(|option| index > 1 && takes_value(command, option)) {
            arguments.remove(index - 1);
            let what = format!("has no value; one that begins with - is written --{option}=VALUE");
            errors.push(&format!("--{option}"), what);
            return true;
        }
    }
    let has_value = argument.len() > name.len();
    let may_have_value =
        name.starts_with('-') && matches!(error.kind(), ErrorKind::UnknownArgument | ErrorKind::ArgumentConflict);
    if may_have_value && !has_value && arguments.get(index).is_some_and(|next| is_value(next, command, name)) {
        arguments.remove(index);
    }
    let shown = if name.is_empty() { "\"\"".to_owned() } else { name.escape_debug().to_string() };
    errors.push(&shown, message(error, command, name));
    true
}

/// Removes the last argument that is not UTF-8, and the option before it whose value it is.
fn remove_non_utf8(arguments: &mut Vec<OsString>, errors: &mut OptionErrors) -> bool {
    let Some(index) = arguments.iter().skip(1).rposition(|argument| argument.to_str().is_none()) else { return false };
    let argument = arguments.remove(index + 1).to_string_lossy().into_owned();
    let before = arguments[index].to_str().filter(|text| index > 0 && text.starts_with("--") && !text.contains('='));
    let name = match (argument.split_once('='), before) {
        (Some((name, _)), _) if name.starts_with("--") => name.escape_debug().to_string(),
        (_, Some(_)) => arguments.remove(index).to_string_lossy().into_owned(),
        _ => "arguments".to_owned(),
    };
    errors.push(&name, "is no UTF-8");
    true
}

/// Whether the name of an argument ends here. The rest may be a secret, and may have several lines.
fn ends_name(character: char) -> bool {
    character == '=' || character.is_whitespace()
}

fn is_named(argument: &OsString, name: &str) -> bool {
    let rest = argument.to_str().and_then(|text| text.strip_prefix(name));
    // For a cluster such as `-abc`, clap names one letter.
    let in_cluster = || is_cluster(argument) && name.len() > 1 && is_cluster(OsStr::new(name));
    let letter = name.trim_start_matches('-');
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(ends_name))
        || (in_cluster() && argument.to_str().is_some_and(|text| text.contains(letter)))
}

/// Whether the argument is a cluster of short options: letters after one `-`.
fn is_cluster(argument: &OsStr) -> bool {
    matches!(argument.as_encoded_bytes(), [b'-', next, ..] if *next != b'-')
}

fn takes_value(command: &Command, long: &str) -> bool {
    let modes = command.get_subcommands().flat_map(Command::get_arguments);
    command
        .get_arguments()
        .chain(modes)
        .any(|option| option.get_long() == Some(long) && option.get_action().takes_values())
}

/// Whether the argument after the rejected option `name` is the value of that option.
fn is_value(next: &OsStr, command: &Command, name: &str) -> bool {
    if !next.as_encoded_bytes().starts_with(b"--") {
        return next != "-h" && next != "-V";
    }
    // A secret may begin with any characters, and must not be shown.
    let option = next.to_string_lossy();
    let variable = variable(option.split(ends_name).next().unwrap_or_default());
    let known = super::known_variables(command);
    secret_of(name).is_some()
        && !known.contains(&variable)
        && !matches!(&*option, "--help" | "--version" | "--check-config")
        && similar_names::similar_variables([variable], &known).is_empty()
}

fn message(error: &Error, command: &Command, name: &str) -> String {
    let is_command = command.find_subcommand(name).is_some();
    match error.kind() {
        ErrorKind::UnknownArgument | ErrorKind::ArgumentConflict if !name.starts_with('-') && !is_command => {
            did_you_mean("is no command", None)
        }
        ErrorKind::UnknownArgument => unknown(error, command, name),
        ErrorKind::InvalidSubcommand => did_you_mean("is no command", text(error, ContextKind::SuggestedSubcommand)),
        ErrorKind::InvalidValue => "has no value".to_owned(),
        ErrorKind::TooManyValues => "takes no value".to_owned(),
        ErrorKind::ArgumentConflict if is_command => {
            "is given behind an option; options of a command follow it".to_owned()
        }
        ErrorKind::ArgumentConflict => "is given twice, or beside a command; give it once".to_owned(),
        kind => kind.to_string(),
    }
}

/// The variable of the option with this name.
fn variable(name: &str) -> String {
    name.trim_start_matches('-').replace('-', "_").to_uppercase()
}

fn secret_of(name: &str) -> Option<&'static str> {
    let variable = variable(name);
    secret::VARIABLES.into_iter().find(|secret| *secret == variable)
}

fn unknown(error: &Error, command: &Command, name: &str) -> String {
    if let Some(secret) = secret_of(name) {
        return format!("is a secret, and never a flag; set the variable {secret}");
    }
    let written_otherwise = variable(name).to_lowercase().replace('_', "-");
    let known = command.get_arguments().filter_map(|option| option.get_long()).find(|long| *long == written_otherwise);
    did_you_mean(
        "is no option",
        known.map(|long| format!("--{long}")).or_else(|| text(error, ContextKind::SuggestedArg)),
    )
}

fn did_you_mean(what: &str, suggestion: Option<String>) -> String {
    match suggestion {
        Some(suggestion) => format!("{what}; did you mean {suggestion}?"),
        None => format!("{what}; --help names them all"),
    }
}

fn text(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => texts.first().cloned(),
        _ => None,
    }
}
