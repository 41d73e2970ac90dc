//! The page of options in `docs/`, made of what `--help` is made of.

use clap::{Arg, Command};

use crate::secret::help::SecretOption;

/// Renders the page for a binary: the tables of its options, of its secrets, and of its subcommands' options.
pub fn render(command: &Command, secrets: &[SecretOption]) -> String {
    let name = command.get_name();
    let mut page = format!(
        "# Options of `{name}`\n\n\
         <!-- Generated from `{name} --help` by `cargo xtask codegen`. Edit the options, not this file. -->\n\n\
         Every option is an environment variable and a flag of the same name in kebab case (`HTTP_ADDR`, `--http-addr`).\n\
         Durations are written like `60s`, `2m` or `1h`. An empty variable is an unset one.\n"
    );
    page += &tables(command, "##");
    page += "\n## Secrets\n\n\
             A secret is a variable, or the content of the file that the variable with `_FILE` appended names. It is never a flag.\n\n";
    page += HEAD;
    for SecretOption { variable, meaning, default } in secrets {
        page += &row(variable, default, meaning);
    }
    for mode in command.get_subcommands().filter(|mode| mode.get_name() != "help") {
        let about = mode.get_about().map(ToString::to_string).unwrap_or_default();
        page += &format!("\n## `{name} {}`\n\n{}.\n", mode.get_name(), escaped(&about));
        page += &tables(mode, "###");
    }
    page
}

const HEAD: &str = "| variable | default | meaning |\n|---|---|---|\n";

/// One table for each heading of `--help`, in its order.
fn tables(command: &Command, level: &str) -> String {
    let mut text = String::new();
    let mut heading = "";
    for argument in command.get_arguments().filter(|argument| argument.get_env().is_some()) {
        let next = argument.get_help_heading().unwrap_or("General");
        if heading != next {
            heading = next;
            text += &format!("\n{level} {heading}\n\n{HEAD}");
        }
        text += &argument_row(argument);
    }
    text
}

fn argument_row(argument: &Arg) -> String {
    let variable = argument.get_env().and_then(|name| name.to_str()).unwrap_or_default();
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    // Where the default is no fixed text, the help text names it as clap would.
    let (meaning, described) = match help.split_once(" [default: ") {
        Some((meaning, default)) => (meaning, Some(default.trim_end_matches(']').to_owned())),
        None => (help.as_str(), None),
    };
    let fixed = argument.get_default_values().first().map(|value| format!("`{}`", value.to_string_lossy()));
    row(variable, &fixed.or(described).unwrap_or_else(|| "unset".to_owned()), meaning)
}

fn row(variable: &str, default: &str, meaning: &str) -> String {
    format!("| `{variable}` | {} | {} |\n", escaped(default), escaped(meaning))
}

/// Keeps text from being read as a table or as emphasis.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*")
}
