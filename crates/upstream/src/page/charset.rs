//! In which charset an answer is, as far as its `Content-Type` says.

use http::header::{CONTENT_TYPE, HeaderMap};
use lol_html::AsciiCompatibleEncoding;

use encoding_rs::{Encoding, WINDOWS_1252};

/// The `Content-Type` of an answer, as far as pages need it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ContentType {
    /// `text/html`. `None`: in a charset in which a tag cannot be found or written as ASCII.
    Html(Option<AsciiCompatibleEncoding>),
    /// `application/xhtml+xml`.
    Xhtml,
    Other,
}

impl ContentType {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let Some(value) = headers.get_all(CONTENT_TYPE).iter().next_back() else { return Self::Other };
        let mut parts = value.as_bytes().split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let name = parts.next().unwrap_or_default();
        if name.eq_ignore_ascii_case(b"application/xhtml+xml") {
            return Self::Xhtml;
        }
        if !name.eq_ignore_ascii_case(b"text/html") {
            return Self::Other;
        }
        // Without a charset, or with one that browsers do not know, they guess one that is ASCII-compatible, or find a mark of UTF-16.
        let encoding = parts.find_map(charset).unwrap_or(WINDOWS_1252);
        Self::Html(AsciiCompatibleEncoding::new(encoding))
    }
}

/// The charset that a parameter names, if it does and browsers know it.
fn charset(parameter: &[u8]) -> Option<&'static Encoding> {
    let equals = parameter.iter().position(|byte| *byte == b'=')?;
    let (name, value) = parameter.split_at(equals);
    if !name.eq_ignore_ascii_case(b"charset") {
        return None;
    }
    let value = value[1..]
        .strip_prefix(b"\"")
        .map_or(&value[1..], |quoted| quoted.split(|byte| *byte == b'"').next().unwrap_or_default());
    Encoding::for_label(value)
}

#[cfg(test)]
mod tests {
    use encoding_rs::{BIG5, SHIFT_JIS, UTF_8};
    use http::HeaderValue;

    use super::*;

    fn of(lines: &[&'static str]) -> ContentType {
        ContentType::of(&lines.iter().map(|line| (CONTENT_TYPE, HeaderValue::from_static(line))).collect())
    }

    #[test]
    fn html_is_known_by_its_type_and_its_charset() {
        for (value, encoding) in [
            ("text/html", Some(WINDOWS_1252)),
            ("TEXT/HTML ; Charset=UTF-8", Some(UTF_8)),
            ("text/html; level=1; charset=\"shift_jis\"", Some(SHIFT_JIS)),
            ("text/html;charset= big5 ", Some(BIG5)),
            ("text/html;charset=nobody-knows", Some(WINDOWS_1252)),
            ("text/html;charset=utf-16", None),
            ("text/html;charset=UTF-16BE", None),
            ("text/html;charset=iso-2022-jp", None),
            ("text/html;charset=hz-gb-2312", None),
        ] {
            let encoding = encoding.map(|encoding| AsciiCompatibleEncoding::new(encoding).unwrap());
            assert_eq!(of(&[value]), ContentType::Html(encoding), "{value}");
        }
        assert_eq!(of(&["application/xhtml+xml; charset=utf-8"]), ContentType::Xhtml);
        assert_eq!(of(&["text/html", "text/plain"]), ContentType::Other);
        for other in ["text/plain", "text/htmlx", "application/json", ""] {
            assert_eq!(of(&[other]), ContentType::Other, "{other}");
        }
        assert_eq!(of(&[]), ContentType::Other);
    }
}
