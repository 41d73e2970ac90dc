//! What travels over the chat's WebSockets and between pods, as JSON.

use serde::{Deserialize, Serialize};

/// The longest text, in characters.
pub(super) const MAX_TEXT_CHARS: usize = 500;

/// The longest id that a browser may give a text, in bytes.
const MAX_ID_BYTES: usize = 64;

/// What a user says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Said {
    /// Chosen by the browser, which recognizes its own text by it.
    pub(super) id: String,
    /// The name of the user. Not escaped.
    pub(super) user: String,
    /// Not escaped.
    pub(super) text: String,
}

/// Which users the chat reaches now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Reach {
    /// The users of all pods.
    AllServers,
    /// The users of this pod: there is no Redis.
    ThisServer,
    /// The users of this pod: Redis does not answer.
    ThisServerForNow,
}

/// Why a text was not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Refused {
    /// It is empty, too long, or no text of the chat.
    Invalid,
    /// The user has sent too many in a short time.
    TooFast,
}

/// What a browser gets.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(super) enum ToBrowser<'a> {
    Said(&'a Said),
    Reach {
        reach: Reach,
    },
    Refused {
        id: &'a str,
        reason: Refused,
    },
    /// The browser reads too slowly: some texts were left out.
    Missed,
}

impl ToBrowser<'_> {
    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What a browser sends.
#[derive(Debug, Deserialize)]
pub(super) struct FromBrowser {
    pub(super) id: String,
    pub(super) text: String,
}

impl FromBrowser {
    /// Reads a message; `None` for one that no page of ours sends.
    pub(super) fn read(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok().filter(|message: &Self| message.id.len() <= MAX_ID_BYTES)
    }

    /// The text as it is passed on: without control characters, and with no space around it. `None` where nothing remains, or too much.
    pub(super) fn text(&self) -> Option<String> {
        let cleaned: String = self.text.chars().filter(|char| !char.is_control()).collect();
        let text = cleaned.trim();
        (!text.is_empty() && text.chars().count() <= MAX_TEXT_CHARS).then(|| text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_trimmed_bounded_and_rid_of_control_characters() {
        let longest = "é".repeat(MAX_TEXT_CHARS);
        for (text, expected) in [
            (" hello\u{0} \u{1b}there\n", Some("hello there")),
            ("<b>&amp;", Some("<b>&amp;")),
            (longest.as_str(), Some(longest.as_str())),
            (&format!("{longest}!"), None),
            (" \n\t", None),
        ] {
            let message = FromBrowser { id: "1".to_owned(), text: text.to_owned() };
            assert_eq!(message.text().as_deref(), expected);
        }
    }

    #[test]
    fn what_no_page_sends_is_not_read() {
        assert!(FromBrowser::read(r#"{"id":"1","text":"x"}"#).is_some());
        for json in [
            "",
            "[]",
            r#"{"text":"x"}"#,
            r#"{"id":1,"text":"x"}"#,
            &format!(r#"{{"id":"{}","text":"x"}}"#, "x".repeat(65)),
        ] {
            assert!(FromBrowser::read(json).is_none(), "{json}");
        }
    }
}
