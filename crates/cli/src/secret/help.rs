//! The part of `--help` about secrets, which clap does not know because they are never flags.

/// A secret as `--help` and the page of options describe it.
#[derive(Clone, Copy, Debug)]
pub struct SecretOption {
    /// The variable. `…_FILE` names a file that contains the value.
    pub variable: &'static str,
    /// What the secret is for.
    pub meaning: &'static str,
    /// What holds where it is unset.
    pub default: &'static str,
}

/// The text below the options in `--help`.
pub fn text(secrets: &[SecretOption]) -> String {
    let sections = secrets.iter().map(|SecretOption { variable, meaning, default }| {
        format!("  {variable}, {variable}_FILE\n          {meaning} [default: {default}]")
    });
    let head = "Secrets (a variable, or the file that …_FILE names; never a flag):".to_owned();
    std::iter::once(head).chain(sections).collect::<Vec<_>>().join("\n")
}
