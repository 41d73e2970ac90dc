//! Trailers: the fields behind a body.

use bytes::Bytes;
use http::header::{COOKIE, HeaderMap, HeaderName, HeaderValue, TRAILER};
use http_body::Frame;
use http_support::forwarded::is_forwarded;
use http_support::header_fields::{members, reads_as};

use super::imitations;

/// Takes the names of fields that say who sends a request from its `Trailer`. hyper sends only the trailers that are named there. In the
/// head these fields were removed or checked, and an app that merges trailers into the head would believe them.
///
/// `user_field` is the field in which a proxy names the user.
pub fn forbid_identity(headers: &mut HeaderMap, user_field: Option<&HeaderName>) {
    let names_identity = |member: &&[u8]| {
        HeaderName::from_bytes(member).is_ok_and(|name| {
            name == COOKIE
                || is_forwarded(&name)
                || imitations::is_imitation(&name)
                || user_field.is_some_and(|field| reads_as(&name, field.as_str()))
        })
    };
    if !members(headers, TRAILER.as_str()).any(|member| names_identity(&member)) {
        return;
    }
    let kept: Vec<_> = members(headers, TRAILER.as_str()).filter(|member| !names_identity(member)).collect();
    match HeaderValue::from_bytes(&kept.join(&b", "[..])) {
        Ok(kept) if !kept.is_empty() => _ = headers.insert(TRAILER, kept),
        Ok(_) | Err(_) => _ = headers.remove(TRAILER),
    }
}

/// Changes the fields of a frame that holds trailers.
pub(crate) fn change(frame: Frame<Bytes>, change: impl FnOnce(&mut HeaderMap)) -> Frame<Bytes> {
    match frame.into_trailers() {
        Ok(mut trailers) => {
            change(&mut trailers);
            Frame::trailers(trailers)
        }
        Err(frame) => frame,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailers_that_say_who_sends_the_request_are_not_announced() {
        let user = HeaderName::from_static("remote-user");
        for (announced, left) in [
            (&["X-Sum"][..], Some("X-Sum")),
            (&["X-Sum, Lastcall-User", "Other"], Some("X-Sum, Lastcall-User")),
            (&["X-Sum, Remote_User, x-two"], Some("X-Sum, x-two")),
            (&["X-Forwarded-For", "X-Sum, Forwarded"], Some("X-Sum")),
            (&["Cookie, REMOTE-USER, X_Forwarded_Proto"], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in announced {
                headers.append(TRAILER, HeaderValue::from_str(line).unwrap());
            }
            forbid_identity(&mut headers, Some(&user));
            assert_eq!(headers.get(TRAILER).map(|line| line.to_str().unwrap()), left, "{announced:?}");
        }
    }
}
