//! The names of users: one line of visible text, in one spelling, of bounded length.
//!
//! Proxies and keyboards write one name in several ways (`é` as one character or as two), and names can be made of characters
//! that show nothing or turn the text around them. Everything that is compared or shown has passed here.

use std::fmt;
use std::sync::Arc;

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup};
use icu_properties::{CodePointMapData, CodePointSetData};
use serde::{Serialize, Serializer};
use unicode_segmentation::UnicodeSegmentation as _;

/// The longest user name that is kept, in characters (Unicode scalar values, not bytes); what is longer is cut between two
/// grapheme clusters.
pub const MAX_USER_CHARS: usize = 64;

/// The user name of a session that nobody has named.
pub const ANONYMOUS: &str = "anonymous";

/// The name of a user: one line of visible text of 1 to [`MAX_USER_CHARS`] characters, in the normal form NFC. Cheap to
/// clone.
///
/// Every input becomes such a name. Control characters, the marks that turn the direction of text around, and fillers that no
/// writing system needs are dropped; white space becomes single spaces; a name that is too long is cut between two grapheme
/// clusters, so that no flag, family or accent is cut in half; and a name without a visible character is [`ANONYMOUS`].
/// HTML stays as it was typed: escape a name where it is shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(Arc<str>);

impl UserName {
    /// The name of a user who gave none.
    pub fn anonymous() -> Self {
        Self(ANONYMOUS.into())
    }

    /// Makes a name of what was typed, as the type describes. A name becomes itself.
    pub fn from_input(input: &str) -> Self {
        if is_plain(input) {
            return Self(input.into());
        }
        let kept: String = input.chars().filter(|c| is_kept(*c)).collect();
        let mut line = String::with_capacity(kept.len());
        for word in kept.split_whitespace() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        let line = normalize_text(&line);
        let name = cut(&line).trim_end();
        if name.chars().any(is_visible) { Self(name.into()) } else { Self::anonymous() }
    }

    /// Reads a name that another process has made, of this version or another, and writes it as this one does. `None` where
    /// no version writes such a name: it is too long, or has control characters or marks that turn text around.
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

/// Writes a text that is to be compared with names, or searched for in them, in their normal form (NFC).
pub fn normalize_text(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned()
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

/// Whether a text is a name as it stands and needs no tables to see that, like most names that are read from a store.
fn is_plain(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    (1..=MAX_USER_CHARS).contains(&text.len())
        && text.bytes().all(is_plain)
        && text.trim().len() == text.len()
        && !text.contains("  ")
}

/// The grapheme clusters that fit as a whole. Of a single one that is longer than a name (a letter under a tower of marks), as
/// much as fits.
fn cut(line: &str) -> &str {
    let Some((limit, _)) = line.char_indices().nth(MAX_USER_CHARS) else { return line };
    // Whether a cluster ends at the limit depends on the next character alone.
    let (next, _) = line[limit..].char_indices().nth(1).unwrap_or((line.len() - limit, ' '));
    let whole = line[..limit + next].grapheme_indices(true).map(|(start, cluster)| start + cluster.len());
    let end = whole.take_while(|end| *end <= limit).last().unwrap_or(limit);
    &line[..end]
}

/// Whether a character may stand in a name. Joiners, variation selectors and tags may: Persian words, families of emoji and some
/// flags are written with them.
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

/// Characters that show nothing and join nothing: a name with them looks like the name without them.
const fn is_filler(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{180E}' | '\u{2800}' | '\u{3164}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{FFFC}'
        | '\u{13441}' | '\u{13442}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D159}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0001}')
}

/// Whether a character shows something by itself: a letter, number, punctuation mark or symbol that fonts draw. Combining marks
/// need another character; unassigned and private ones mean nothing to others.
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
