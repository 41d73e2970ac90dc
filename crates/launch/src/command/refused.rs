//! Arguments that clap refuses, as faults of one line each.

use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

use crate::options::Faults;
use crate::secret;

/// Notes what is wrong, and takes the argument out so that the next fault can be found. `false` where the error names no
/// argument that could be taken out; nothing is noted then.
pub(super) fn take_out(error: &Error, command: &Command, arguments: &mut Vec<OsString>, faults: &mut Faults) -> bool {
    let Some(named) = text(error, ContextKind::InvalidArg).or_else(|| text(error, ContextKind::InvalidSubcommand))
    else {
        return false;
    };
    // `--drain-timeout <VALUE>` where the option itself is known.
    let name = named.split([' ', '=']).next().unwrap_or_default();
    let is_named = |argument: &OsString| {
        argument
            .to_str()
            .is_some_and(|text| text == name || text.strip_prefix(name).is_some_and(|rest| rest.starts_with('=')))
    };
    // The last one: where an option is given twice, the first stays.
    let Some(index) = arguments.iter().skip(1).rposition(is_named).map(|index| index + 1) else { return false };
    let argument = arguments.remove(index);
    let has_value = argument.to_str().is_some_and(|text| text.contains('='));
    let takes_value = matches!(error.kind(), ErrorKind::UnknownArgument | ErrorKind::ArgumentConflict);
    if takes_value && !has_value && arguments.get(index).is_some_and(|next| !next.as_encoded_bytes().starts_with(b"-"))
    {
        arguments.remove(index);
    }
    faults.push(name, what(error, command, name));
    true
}

fn what(error: &Error, command: &Command, name: &str) -> String {
    match error.kind() {
        ErrorKind::UnknownArgument => unknown(error, command, name),
        ErrorKind::InvalidSubcommand => did_you_mean("is no command", text(error, ContextKind::SuggestedSubcommand)),
        ErrorKind::InvalidValue => "has no value".to_owned(),
        ErrorKind::TooManyValues => "takes no value".to_owned(),
        ErrorKind::ArgumentConflict => "is given twice, or beside a command; give it once".to_owned(),
        kind => kind.to_string(),
    }
}

fn unknown(error: &Error, command: &Command, name: &str) -> String {
    let variable = name.trim_start_matches('-').replace('-', "_").to_uppercase();
    if let Some(secret) = secret::VARIABLES.iter().find(|secret| **secret == variable) {
        return format!("is a secret, and never a flag; set the variable {secret}");
    }
    let written_otherwise = variable.to_lowercase().replace('_', "-");
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
