//! Values that must not be seen: from a variable, or from the file that `…_FILE` names; never from a flag.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};

use http_support::Token;

use crate::options::{Environment, Faults};

/// The variables of all secrets of both tiers, and of the files that they may lie in.
pub(crate) const VARIABLES: [&str; 8] = [
    "ADMIN_TOKEN",
    "ADMIN_TOKEN_FILE",
    "GRPC_TOKEN",
    "GRPC_TOKEN_FILE",
    "REDIS_URL",
    "REDIS_URL_FILE",
    "SESSION_KEY",
    "SESSION_KEY_FILE",
];

/// A secret. Shown, it is a row of dots.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The value. Do not print it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••")
    }
}

/// Reads the secret `name`, where it is given; notes a fault where it is given twice or its file cannot be read.
pub fn read(name: &str, environment: &dyn Environment, faults: &mut Faults) -> Option<Secret> {
    let file_variable = format!("{name}_FILE");
    match (environment.get(name), environment.get(&file_variable)) {
        (Some(_), Some(_)) => {
            faults.push(name, format_args!("is given here and by {file_variable}; keep one of them"));
            None
        }
        (Some(value), None) => Some(Secret(value)),
        (None, Some(path)) => match read_file(&path) {
            Ok(text) if text.trim().is_empty() => {
                faults.push(&file_variable, format_args!("the file {path:?} is empty"));
                None
            }
            Ok(text) => Some(Secret(text.trim_end_matches(['\r', '\n']).to_owned())),
            Err(error) => {
                faults.push(&file_variable, format_args!("the file {path:?} cannot be read: {error}"));
                None
            }
        },
        (None, None) => None,
    }
}

/// More than this is no secret: a wrong path may name a file without an end.
const MAX_FILE_BYTES: u64 = 64 * 1024;

fn read_file(path: &str) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::other(format!("it is larger than {MAX_FILE_BYTES} bytes")));
    }
    Ok(text)
}

/// Reads the token `name`, where it is given; notes a fault also where callers could not present it.
pub fn read_token(name: &str, environment: &dyn Environment, faults: &mut Faults) -> Option<Token> {
    let secret = read(name, environment, faults)?;
    let token = Token::new(secret.expose());
    if token.is_none() {
        faults.push(
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
        let mut faults = Faults::default();
        let read = |pairs: &[(&'static str, &str)], faults: &mut Faults| {
            let map: HashMap<&str, &str> = pairs.iter().copied().collect();
            super::read("KEY", &map, faults).map(|secret| secret.expose().to_owned())
        };
        assert_eq!(read(&[("KEY", "direct")], &mut faults), Some("direct".into()));
        assert_eq!(read(&[("KEY_FILE", path)], &mut faults), Some("from the file".into()));
        assert_eq!(read(&[], &mut faults), None);
        assert_eq!(faults, Faults::default());
        assert_eq!(read(&[("KEY", "x"), ("KEY_FILE", path)], &mut faults), None);
        assert_eq!(read(&[("KEY_FILE", "/nowhere")], &mut faults), None);
        assert_eq!(read(&[("KEY_FILE", "/dev/zero")], &mut faults), None, "it has no end");
        assert_eq!(faults.to_string().lines().count(), 3);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_token_that_nobody_could_present_is_a_fault_that_does_not_show_it() {
        let mut faults = Faults::default();
        let read = |value, faults: &mut Faults| super::read_token("KEY", &HashMap::from([("KEY", value)]), faults);
        assert!(read("a+b/c=", &mut faults).is_some_and(|token| token.matches("a+b/c=")));
        assert_eq!(faults, Faults::default());
        assert!(read("schlüssel ", &mut faults).is_none());
        assert!(faults.to_string().starts_with("KEY: ") && !faults.to_string().contains("schlüssel"), "{faults}");
    }

    #[test]
    fn a_secret_is_never_shown() {
        assert_eq!(format!("{:?}", Secret("hunter2".into())), "•••");
    }
}
