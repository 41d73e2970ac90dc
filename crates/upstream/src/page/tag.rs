//! The script tag.

use bytes::Bytes;

/// The tag for a script at this path, with the nonce that a policy asks for.
pub(super) fn tag(source: &str, nonce: Option<&str>) -> Bytes {
    let source = escaped(source);
    match nonce {
        Some(nonce) => format!("<script src=\"{source}\" defer nonce=\"{}\"></script>", escaped(nonce)),
        None => format!("<script src=\"{source}\" defer></script>"),
    }
    .into()
}

/// A text as the value of an attribute in double quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_escaped() {
        assert_eq!(
            tag("/_lastcall/assets/lastcall.js", None),
            "<script src=\"/_lastcall/assets/lastcall.js\" defer></script>"
        );
        assert_eq!(
            tag("/a&b", Some("x\"><i>")),
            "<script src=\"/a&amp;b\" defer nonce=\"x&quot;&gt;&lt;i&gt;\"></script>"
        );
    }
}
