//! The handshake: which requests open a WebSocket, and what the others are told.

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{
    CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, Version};
use http_support::{Problem, header_fields};
use hyper::upgrade::OnUpgrade;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// The largest message that a client may send unless [`WebSocketUpgrade::max_message_size`] says otherwise, in bytes.
const DEFAULT_MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// How much is read at once, in bytes. Each socket holds a buffer of this size.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// A request that asks for a WebSocket. As an extractor it answers requests that do not, or not correctly, with 426 or 400.
///
/// [`Session::websocket`](crate::Session::websocket) takes it.
#[derive(Debug)]
pub struct WebSocketUpgrade {
    pub(super) on_upgrade: OnUpgrade,
    accept: HeaderValue,
    offered: Vec<String>,
    protocol: Option<HeaderValue>,
    pub(super) max_message_size: usize,
    pub(super) read_buffer_size: usize,
}

impl WebSocketUpgrade {
    /// Sets the largest message that the client may send, in bytes; the default is 64 KiB. A larger one closes the socket with 1009.
    #[must_use]
    pub const fn max_message_size(mut self, bytes: usize) -> Self {
        self.max_message_size = bytes;
        self
    }

    /// Chooses the first of these subprotocols that the client offers. None of them: the socket has none.
    #[must_use]
    pub fn protocols<'a>(mut self, known: impl IntoIterator<Item = &'a str>) -> Self {
        let chosen = known.into_iter().find(|known| self.offered.iter().any(|offered| offered == known));
        self.protocol = chosen.and_then(|protocol| HeaderValue::from_str(protocol).ok());
        self
    }

    pub(super) const fn read_buffer_size(mut self, bytes: usize) -> Self {
        self.read_buffer_size = bytes;
        self
    }

    /// The response that switches protocols.
    pub(super) fn response(&self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, self.accept.clone());
        if let Some(protocol) = &self.protocol {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, protocol.clone());
        }
        response
    }
}

impl<S: Send + Sync> FromRequestParts<S> for WebSocketUpgrade {
    type Rejection = UpgradeRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, UpgradeRejection> {
        let accept = check(parts)?;
        let on_upgrade = parts.extensions.remove::<OnUpgrade>().ok_or(UpgradeRejection::NoUpgrade)?;
        let offered = header_fields::members(&parts.headers, SEC_WEBSOCKET_PROTOCOL.as_str());
        Ok(Self {
            on_upgrade,
            accept,
            offered: offered.map(|name| String::from_utf8_lossy(name).into_owned()).collect(),
            protocol: None,
            max_message_size: DEFAULT_MAX_MESSAGE_BYTES,
            read_buffer_size: READ_BUFFER_BYTES,
        })
    }
}

/// Why a request opens no WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UpgradeRejection {
    /// It is of HTTP/2, or of HTTP/1.0.
    #[error("WebSockets are opened over HTTP/1.1.")]
    WrongHttpVersion(Version),
    /// It does not ask for a WebSocket.
    #[error("This address opens WebSockets: send a GET with `Connection: Upgrade` and `Upgrade: websocket`.")]
    NoUpgrade,
    /// It asks for another version of the protocol.
    #[error("The version of the WebSocket protocol is 13: send `Sec-WebSocket-Version: 13`.")]
    WrongVersion,
    /// Its key is missing, repeated or malformed.
    #[error("`Sec-WebSocket-Key` must be there once, with 16 bytes in base64.")]
    InvalidKey,
}

impl IntoResponse for UpgradeRejection {
    fn into_response(self) -> Response {
        let status = match self {
            Self::WrongHttpVersion(version) if version > Version::HTTP_11 => StatusCode::BAD_REQUEST,
            Self::WrongHttpVersion(_) | Self::NoUpgrade | Self::WrongVersion => StatusCode::UPGRADE_REQUIRED,
            Self::InvalidKey => StatusCode::BAD_REQUEST,
        };
        let mut response = Problem::new(status, "No WebSocket was opened", self.to_string()).into_response();
        if status == StatusCode::UPGRADE_REQUIRED {
            let headers = response.headers_mut();
            headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
        response
    }
}

/// Checks the handshake, and gives the value of `Sec-WebSocket-Accept`.
fn check(head: &Parts) -> Result<HeaderValue, UpgradeRejection> {
    let headers = &head.headers;
    if head.version != Version::HTTP_11 {
        return Err(UpgradeRejection::WrongHttpVersion(head.version));
    }
    if head.method != Method::GET || !names(headers, &CONNECTION, b"upgrade") || !names(headers, &UPGRADE, b"websocket")
    {
        return Err(UpgradeRejection::NoUpgrade);
    }
    if single(headers, &SEC_WEBSOCKET_VERSION).is_none_or(|version| version.as_bytes() != b"13") {
        return Err(UpgradeRejection::WrongVersion);
    }
    let key = single(headers, &SEC_WEBSOCKET_KEY).ok_or(UpgradeRejection::InvalidKey)?;
    if BASE64_STANDARD.decode(key.as_bytes()).is_ok_and(|key| key.len() == 16) {
        HeaderValue::try_from(derive_accept_key(key.as_bytes())).map_err(|_| UpgradeRejection::InvalidKey)
    } else {
        Err(UpgradeRejection::InvalidKey)
    }
}

fn names(headers: &HeaderMap, field: &HeaderName, word: &[u8]) -> bool {
    header_fields::members(headers, field.as_str()).any(|member| member.eq_ignore_ascii_case(word))
}

fn single<'a>(headers: &'a HeaderMap, field: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(field).iter();
    values.next().filter(|_| values.next().is_none())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    fn opening(changes: &[(&str, Option<&str>)]) -> Result<HeaderValue, UpgradeRejection> {
        let (mut head, ()) = Request::get("/ws").body(()).unwrap().into_parts();
        for (name, value) in [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "WebSocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", KEY),
        ] {
            head.headers.insert(name, HeaderValue::from_static(value));
        }
        for (name, value) in changes {
            let name = HeaderName::try_from(*name).unwrap();
            match value {
                Some(value) => _ = head.headers.append(name, HeaderValue::from_str(value).unwrap()),
                None => _ = head.headers.remove(name),
            }
        }
        check(&head)
    }

    #[test]
    fn a_handshake_is_accepted_as_the_rfc_computes_it_and_a_wrong_one_is_told_what_is_wrong() {
        assert_eq!(opening(&[]).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        for (changes, expected) in [
            (&[("connection", None)] as &[_], UpgradeRejection::NoUpgrade),
            (&[("upgrade", None)], UpgradeRejection::NoUpgrade),
            (&[("sec-websocket-version", None)], UpgradeRejection::WrongVersion),
            (&[("sec-websocket-version", Some("8"))], UpgradeRejection::WrongVersion),
            (&[("sec-websocket-key", None)], UpgradeRejection::InvalidKey),
            (&[("sec-websocket-key", Some(KEY))], UpgradeRejection::InvalidKey),
            (&[("sec-websocket-key", None), ("sec-websocket-key", Some("c2hvcnQ="))], UpgradeRejection::InvalidKey),
        ] {
            assert_eq!(opening(changes), Err(expected), "{changes:?}");
        }
    }
}
