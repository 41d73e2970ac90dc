//! What the app asks of Lastcall in the fields of an answer.

use http::HeaderMap;

use super::percent;
use super::reserved::{LOGOUT, USER};

/// The longest name of a user, in characters.
const MAX_NAME_CHARS: usize = 64;

/// What the app asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// `Lastcall-User`: the user of the session has this name; empty: none.
    Name(String),
    /// `Lastcall-Logout: 1`: the session is to end.
    LogOut,
    /// A `Lastcall-User` that is invalid, repeated or too long, or an invalid `Lastcall-Logout`.
    Invalid,
}

/// Takes the fields that are meant for Lastcall out of an answer.
pub fn take_instruction(headers: &mut HeaderMap) -> Option<Instruction> {
    let asks_for_logout = headers.contains_key(LOGOUT);
    if !asks_for_logout && !headers.contains_key(USER) {
        return None;
    }
    let logs_out = headers.get_all(LOGOUT).iter().any(|value| value.as_bytes().trim_ascii() == b"1");
    let name = name(headers);
    remove_instructions(headers);
    Some(match name {
        _ if logs_out => Instruction::LogOut,
        Some(name) => Instruction::Name(name),
        None => Instruction::Invalid,
    })
}

/// The name, where it is there once and valid.
fn name(headers: &HeaderMap) -> Option<String> {
    let mut names = headers.get_all(USER).iter();
    let name = percent::decode(names.next()?.as_bytes().trim_ascii())?;
    (names.next().is_none() && name.chars().count() <= MAX_NAME_CHARS).then_some(name)
}

/// Removes the fields that are meant for Lastcall.
pub fn remove_instructions(headers: &mut HeaderMap) {
    headers.remove(USER);
    headers.remove(LOGOUT);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_names_the_user_or_ends_the_session_and_the_client_sees_neither() {
        use Instruction::{Invalid, LogOut, Name};
        let long = "a".repeat(65);
        for (fields, expected) in [
            (&[][..], None),
            (&[("lastcall-user", "ada")][..], Some(Name("ada".to_owned()))),
            (&[("lastcall-user", "Zo%C3%AB")], Some(Name("Zoë".to_owned()))),
            (&[("lastcall-user", "")], Some(Name(String::new()))),
            (&[("lastcall-user", "ada"), ("lastcall-user", "ada")], Some(Invalid)),
            (&[("lastcall-user", "%FF")], Some(Invalid)),
            (&[("lastcall-user", &long)], Some(Invalid)),
            (&[("lastcall-logout", "1")], Some(LogOut)),
            (&[("lastcall-logout", "1"), ("lastcall-user", "ada")], Some(LogOut)),
            (&[("lastcall-logout", "0"), ("lastcall-user", "ada")], Some(Name("ada".to_owned()))),
            (&[("lastcall-logout", "0")], Some(Invalid)),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                headers.append(*name, value.parse().unwrap());
            }
            assert_eq!(take_instruction(&mut headers), expected, "{fields:?}");
            assert!(headers.is_empty());
        }
    }
}
