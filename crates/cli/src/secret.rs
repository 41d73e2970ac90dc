//! Secrets: from a variable or from the file that `…_FILE` names, never from a flag.

pub mod help;

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};

use http_support::Token;

use crate::options::{Environment, OptionErrors};

/// The variables of all secrets of both tiers, and those that name their files.
pub(crate) const VARIABLES: [&str; 10] = [
    "ADMIN_TOKEN",
    "ADMIN_TOKEN_FILE",
    "DATABASE_URL",
    "DATABASE_URL_FILE",
    "GRPC_TOKEN",
    "GRPC_TOKEN_FILE",
    "REDIS_URL",
    "REDIS_URL_FILE",
    "SESSION_KEY",
    "SESSION_KEY_FILE",
];

/// A secret. Its `Debug` output hides the value.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretString(String);

impl SecretString {
    /// Returns the value, which must not be printed.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••")
    }
}

/// Reads the secret `name`, if it is set. Adds an error if it is set twice, or if its file cannot be read.
pub fn read(name: &str, environment: &dyn Environment, errors: &mut OptionErrors) -> Option<SecretString> {
    let file_variable = format!("{name}_FILE");
    match (environment.get(name), environment.get(&file_variable)) {
        (Some(_), Some(_)) => {
            errors.push(name, format_args!("is given here and by {file_variable}; keep one of them"));
            None
        }
        (Some(value), None) => Some(SecretString(value)),
        (None, Some(path)) => match read_file(&path) {
            Ok(text) if text.trim().is_empty() => {
                errors.push(&file_variable, format_args!("the file {path:?} is empty"));
                None
            }
            Ok(text) => Some(SecretString(text.trim_end_matches(['\r', '\n']).to_owned())),
            Err(error) => {
                errors.push(&file_variable, format_args!("the file {path:?} cannot be read: {error}"));
                None
            }
        },
        (None, None) => None,
    }
}

/// The largest file with a secret, in bytes. A wrong path could name a file without an end.
const MAX_FILE_BYTES: u64 = 64 * 1024;

fn read_file(path: &str) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::other(format!("it is larger than {MAX_FILE_BYTES} bytes")));
    }
    Ok(text)
}

/// Reads the token `name`, if it is set. Also adds an error if callers could not present it.
pub fn read_token(name: &str, environment: &dyn Environment, errors: &mut OptionErrors) -> Option<Token> {
    let secret = read(name, environment, errors)?;
    let token = Token::new(secret.expose());
    if token.is_none() {
        errors.push(
            name,
            "has spaces around it, or characters that cannot stand in a header; make one with `openssl rand -base64 48`",
        );
    }
    token
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_secret_comes_from_a_variable_or_a_file_but_not_from_both() {
        let path = std::env::temp_dir().join(format!("lastcall-secret-{}", std::process::id()));
        std::fs::write(&path, "from the file\n").unwrap();
        let path = path.to_str().unwrap();
        let mut errors = OptionErrors::default();
        let read = |pairs: &[(&'static str, &str)], errors: &mut OptionErrors| {
            let map: HashMap<&str, &str> = pairs.iter().copied().collect();
            super::read("KEY", &map, errors).map(|secret| secret.expose().to_owned())
        };
        assert_eq!(read(&[("KEY", "direct")], &mut errors), Some("direct".into()));
        assert_eq!(read(&[("KEY_FILE", path)], &mut errors), Some("from the file".into()));
        assert_eq!(read(&[], &mut errors), None);
        assert_eq!(errors, OptionErrors::default());
        assert_eq!(read(&[("KEY", "x"), ("KEY_FILE", path)], &mut errors), None);
        assert_eq!(read(&[("KEY_FILE", "/nowhere")], &mut errors), None);
        assert_eq!(read(&[("KEY_FILE", "/dev/zero")], &mut errors), None, "a file without an end");
        assert_eq!(errors.to_string().lines().count(), 3);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn an_error_of_a_token_does_not_show_it() {
        let mut errors = OptionErrors::default();
        let read =
            |value, errors: &mut OptionErrors| super::read_token("KEY", &HashMap::from([("KEY", value)]), errors);
        assert!(read("a+b/c=", &mut errors).is_some_and(|token| token.matches("a+b/c=")));
        assert_eq!(errors, OptionErrors::default());
        assert!(read("schlüssel ", &mut errors).is_none());
        assert!(errors.to_string().starts_with("KEY: ") && !errors.to_string().contains("schlüssel"), "{errors}");
    }

    #[test]
    fn debug_output_hides_the_secret() {
        assert_eq!(format!("{:?}", SecretString("hunter2".into())), "•••");
    }
}
