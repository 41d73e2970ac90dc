//! Which answers are pages that get the script, and what their heads lose.

use http::header::{ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, HeaderMap, HeaderName, LOCATION};
use http::{StatusCode, response};
use http_support::header_fields::without_parameters;
use lol_html::AsciiCompatibleEncoding;

use super::charset::ContentType;
use super::coding::{self, Coding};
use super::policy::{self, Addresses, Verdict};
use super::reason::WithoutNotice;
use super::request::PageRequest;
use super::validators;

/// Fields that name the bytes of a body.
const DIGESTS: [HeaderName; 4] = [
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

/// What happens to an answer.
pub(super) enum Treatment {
    /// It passes as it came.
    Unchanged,
    /// It passes as it came, though a user sees it.
    WithoutNotice(WithoutNotice),
    /// It gets the script.
    Rewrite(Page),
}

/// A page that gets the script.
pub(super) struct Page {
    pub(super) encoding: AsciiCompatibleEncoding,
    pub(super) codings: Vec<Coding>,
    pub(super) nonce: Option<String>,
}

/// Looks at the head of an answer to a request for a page.
pub(super) fn treat(head: &response::Parts, request: &PageRequest, paths: [&str; 2]) -> Treatment {
    let headers = &head.headers;
    if !has_page(head) {
        return Treatment::Unchanged;
    }
    let encoding = match ContentType::of(headers) {
        ContentType::Html(encoding) => encoding,
        ContentType::Xhtml => return Treatment::WithoutNotice(WithoutNotice::Xhtml),
        ContentType::Other => return Treatment::Unchanged,
    };
    let authority = |at: usize| request.authorities[at].as_ref().and_then(|value| value.to_str().ok());
    let addresses = Addresses {
        authorities: [authority(0), authority(1)],
        is_secure: request.is_secure,
        script: paths[0],
        events: paths[1],
    };
    let reason = match (encoding, coding::of_answer(headers)) {
        _ if is_download(headers) => WithoutNotice::Download,
        _ if head.status == StatusCode::PARTIAL_CONTENT => WithoutNotice::Partial,
        (None, _) => WithoutNotice::Charset,
        (_, None) => WithoutNotice::Coding,
        (Some(encoding), Some(codings)) => match policy::judge(headers, addresses) {
            Verdict::Allowed(nonce) => return Treatment::Rewrite(Page { encoding, codings, nonce }),
            Verdict::Forbidden => WithoutNotice::Policy,
        },
    };
    Treatment::WithoutNotice(reason)
}

/// Whether the answer has a body that a browser shows: also one that says what went wrong, such as a form with faults. A browser that
/// is sent elsewhere shows nothing.
fn has_page(head: &response::Parts) -> bool {
    let status = head.status;
    let has_body = !status.is_informational()
        && !matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED);
    has_body && !(status.is_redirection() && head.headers.contains_key(LOCATION))
}

fn is_download(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_DISPOSITION).iter().any(|value| {
        let kind = without_parameters(value.as_bytes());
        // Browsers save what has any kind but `inline`.
        !kind.is_empty() && !kind.eq_ignore_ascii_case(b"inline")
    })
}

/// Removes what is not true of a page with the script.
pub(super) fn adapt_head(headers: &mut HeaderMap) {
    headers.remove(CONTENT_LENGTH);
    headers.remove(ACCEPT_RANGES);
    remove_digests(headers);
    validators::weaken(headers);
}

/// Removes digests of the body as the app sent it.
pub(super) fn remove_digests(headers: &mut HeaderMap) {
    for name in &DIGESTS {
        headers.remove(name);
    }
}
