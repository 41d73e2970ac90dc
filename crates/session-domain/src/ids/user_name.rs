//! The names of users: one line of visible text, in one spelling, of bounded length.
//!
//! Proxies and keyboards spell one name in several ways (`é` as one character or as two). Names may also contain invisible
//! characters and marks that change the direction of text. Every name is normalized here before it is compared or shown.

use std::fmt;
use std::sync::Arc;

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup};
use icu_properties::{CodePointMapData, CodePointSetData};
use serde::{Serialize, Serializer};
use unicode_segmentation::UnicodeSegmentation as _;

/// The greatest length of a user name, in characters (Unicode scalar values, not bytes). A longer name is cut between two
/// grapheme clusters.
pub const MAX_USER_CHARS: usize = 64;

/// The user name of a session without a login.
pub const ANONYMOUS: &str = "anonymous";

/// The name of a user: one line of visible text of 1 to [`MAX_USER_CHARS`] characters, in the normal form NFC. Cheap to
/// clone.
///
/// Every input becomes such a name. Control characters, direction marks and fillers that no writing system needs are removed.
/// White space becomes single spaces. A name that is too long is cut between two grapheme clusters, so that no flag, family
/// emoji or accent is cut in half. A name without a visible character becomes [`ANONYMOUS`]. HTML is kept as typed: escape
/// the name where it is shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(Arc<str>);

impl UserName {
    /// The name [`ANONYMOUS`].
    pub fn anonymous() -> Self {
        Self(ANONYMOUS.into())
    }

    /// Makes a name of any input, as the type describes. A valid name stays as it is.
    pub fn from_input(input: &str) -> Self {
        if is_plain(input) {
            return Self(input.into());
        }
        let line = visible_line(input);
        let name = cut(&line).trim_end();
        if name.chars().any(is_visible) { Self(name.into()) } else { Self::anonymous() }
    }

    /// Parses a name that another process wrote, of this version or another, and normalizes it. `None` if no version writes
    /// such a name: it is too long, or has control characters or direction marks.
    pub fn from_peer(text: &str) -> Option<Self> {
        let mut chars = text.chars();
        let fits = chars.by_ref().take(MAX_USER_CHARS).all(|c| !is_harmful(c)) && chars.next().is_none();
        fits.then(|| Self::from_input(text))
    }

    /// The name as text, not escaped.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Converts a text to the normal form of names (NFC), so that it can be compared with them or searched for in them.
pub fn normalize_text(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned()
}

/// Makes one line of a text that a user wrote, so that it can be shown beside others: without control characters, direction marks
/// and fillers, with single spaces for white space, in the normal form NFC. May be empty. HTML is kept: escape the line where
/// it is shown.
pub fn visible_line(text: &str) -> String {
    let kept: String = text.chars().filter(|c| is_kept(*c)).collect();
    let mut line = String::with_capacity(kept.len());
    for word in kept.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    normalize_text(&line)
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for UserName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Whether a text is a name already, checked without the Unicode tables. Most names in a store are.
fn is_plain(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    (1..=MAX_USER_CHARS).contains(&text.len())
        && text.bytes().all(is_plain)
        && text.trim().len() == text.len()
        && !text.contains("  ")
}

/// The grapheme clusters that fit as a whole. A single cluster longer than a name (a letter with many marks) is cut within.
fn cut(line: &str) -> &str {
    let Some((limit, _)) = line.char_indices().nth(MAX_USER_CHARS) else { return line };
    // Whether a cluster ends at the limit depends on the next character alone.
    let (next, _) = line[limit..].char_indices().nth(1).unwrap_or((line.len() - limit, ' '));
    let whole = line[..limit + next].grapheme_indices(true).map(|(start, cluster)| start + cluster.len());
    let end = whole.take_while(|end| *end <= limit).last().unwrap_or(limit);
    &line[..end]
}

/// Whether a name may contain the character. Joiners, variation selectors and tags are allowed: Persian words, family emoji
/// and some flags need them.
fn is_kept(c: char) -> bool {
    c.is_whitespace() || !(is_harmful(c) || is_filler(c))
}

/// Control characters, and marks that reorder or hide text.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}')
}

/// Characters that are invisible and join nothing: a name with them looks like the name without them.
const fn is_filler(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{180E}' | '\u{2800}' | '\u{3164}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{FFFC}'
        | '\u{13441}' | '\u{13442}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D159}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0001}')
}

/// Whether a character is visible by itself: a letter, number, punctuation mark or symbol. Combining marks need another
/// character; unassigned and private-use characters have no common meaning.
fn is_visible(c: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    let drawn = GeneralCategoryGroup::Letter
        .union(GeneralCategoryGroup::Number)
        .union(GeneralCategoryGroup::Punctuation)
        .union(GeneralCategoryGroup::Symbol);
    drawn.contains(category) && !is_filler(c) && !CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

#[cfg(test)]
mod tests;
