//! The signed session cookie: who a request says it is, and how that is told to the browser.
//!
//! The `cookie` crate signs and verifies (it is what axum-extra's signed jar is made of). It is used directly
//! because a request may carry several cookies of one name (of different paths, or planted by a neighbour): each is
//! tried until one verifies, and no other cookie costs a signature.

use cookie::{Cookie, SameSite};
use http::header::{HeaderMap, HeaderValue};
use session_domain::SessionId;

use crate::config::{Config, CookieSecure, SessionScope};
use crate::scope::Base;
use crate::signing_keys::SigningKeys;

/// A signature (32 bytes in Base64) and an id.
const SIGNED_ID_BYTES: usize = 44 + 36;

/// The session cookie: its names, and when it is secure.
#[derive(Clone, Debug)]
pub(crate) struct SessionCookie {
    /// The name where the request did not come in by HTTPS.
    plain: Box<str>,
    /// The name where it did: with a prefix.
    secure: Box<str>,
    when_secure: CookieSecure,
}

impl SessionCookie {
    pub(crate) fn new(config: &Config) -> Self {
        let name = config.session_cookie.as_str();
        let prefix = match config.scope {
            SessionScope::Browser => "__Host-",
            SessionScope::Tab => "__Secure-",
        };
        let secure = format!("{prefix}{name}").into();
        Self { plain: name.into(), secure, when_secure: config.cookie_secure }
    }

    /// Whether the cookie of a request with these fields is secure.
    pub(crate) fn is_secure(&self, headers: &HeaderMap) -> bool {
        match self.when_secure {
            CookieSecure::Always => true,
            CookieSecure::Never => false,
            CookieSecure::Auto => http_support::forwarded::is_secure(headers),
        }
    }

    /// A secure request ignores the unprefixed name: anybody on the plain network could have planted it.
    fn name(&self, is_secure: bool) -> &str {
        if is_secure { &self.secure } else { &self.plain }
    }

    /// The session id of the first cookie that one of the keys has signed.
    pub(crate) fn read(&self, is_secure: bool, headers: &HeaderMap, keys: &SigningKeys) -> Option<SessionId> {
        http_support::cookies::values(headers, self.name(is_secure)).find_map(|value| keys.verify(value))
    }

    /// Whether a cookie of a request is this one, under either name, with a value that one of the keys has signed.
    pub(crate) fn is_ours(&self, name: &[u8], value: &[u8], keys: &SigningKeys) -> bool {
        self.has_name(name)
            && std::str::from_utf8(value).is_ok_and(|value| keys.verify(value.trim_matches('"')).is_some())
    }

    /// Whether a cookie of a request may be this one, under either name, whatever key has signed its value.
    pub(crate) fn may_be_ours(&self, name: &[u8], value: &[u8]) -> bool {
        self.has_name(name)
            && std::str::from_utf8(value).is_ok_and(|value| value.trim().trim_matches('"').len() == SIGNED_ID_BYTES)
    }

    fn has_name(&self, name: &[u8]) -> bool {
        name == self.plain.as_bytes() || name == self.secure.as_bytes()
    }

    /// Whether there is a cookie of that name that is as long as a signed id, whatever key has signed it.
    pub(crate) fn is_present(&self, is_secure: bool, headers: &HeaderMap) -> bool {
        http_support::cookies::values(headers, self.name(is_secure)).any(|value| value.len() == SIGNED_ID_BYTES)
    }

    /// The `Set-Cookie` value that gives the browser this session.
    pub(crate) fn write(&self, is_secure: bool, id: SessionId, base: &Base, keys: &SigningKeys) -> Option<HeaderValue> {
        let cookie = keys.sign(self.cookie(is_secure, id.to_string(), base))?;
        HeaderValue::try_from(cookie.to_string()).ok()
    }

    /// The `Set-Cookie` value that takes the session from the browser.
    pub(crate) fn clear(&self, is_secure: bool, base: &Base) -> Option<HeaderValue> {
        let mut cookie = self.cookie(is_secure, String::new(), base);
        cookie.make_removal();
        HeaderValue::try_from(cookie.to_string()).ok()
    }

    fn cookie(&self, is_secure: bool, value: String, base: &Base) -> Cookie<'static> {
        Cookie::build((self.name(is_secure).to_owned(), value))
            .path(base.as_str().to_owned())
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(is_secure)
            .build()
    }
}

#[cfg(test)]
mod tests {
    use http::header::HeaderName;
    use uuid::Uuid;

    use super::*;

    fn cookie(change: impl FnOnce(&mut Config)) -> SessionCookie {
        let mut config = Config::new(session_domain::PodName::new("a").unwrap());
        change(&mut config);
        SessionCookie::new(&config)
    }

    fn plain() -> SessionCookie {
        cookie(|_| {})
    }

    fn keys(secrets: &[&str]) -> SigningKeys {
        SigningKeys::from_secrets(secrets.iter().map(|s| s.as_bytes())).unwrap()
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_str(v).unwrap())).collect()
    }

    fn written(cookie: &SessionCookie, is_secure: bool, keys: &SigningKeys) -> String {
        let id = SessionId::from_uuid(Uuid::from_u128(7));
        cookie.write(is_secure, id, &Base::root(), keys).unwrap().to_str().unwrap().to_owned()
    }

    fn value(set_cookie: &str) -> &str {
        set_cookie.split(';').next().unwrap()
    }

    const A: &str = "a secret of more than thirty-two bytes";
    const B: &str = "another secret of over thirty-two bytes";

    #[test]
    fn a_cookie_is_read_back_beside_others_and_under_a_rotated_key() {
        let old = written(&plain(), false, &keys(&[A]));
        let rotated = keys(&[B, A]);
        for header in [value(&old).to_owned(), format!("theme=dark; {}; x=1", value(&old))] {
            assert!(plain().read(false, &headers(&[("cookie", &header)]), &rotated).is_some(), "{header}");
        }
        assert!(plain().read(false, &headers(&[("cookie", value(&old))]), &keys(&[B])).is_none(), "foreign key");
        let planted = format!("session=planted; {}", value(&old));
        assert!(plain().read(false, &headers(&[("cookie", &planted)]), &rotated).is_some(), "shadowed by another");
    }

    #[test]
    fn what_is_forged_truncated_or_oversized_is_nobody() {
        let keys = keys(&[A]);
        let good = written(&plain(), false, &keys);
        let truncated = &value(&good)[..value(&good).len() - 3];
        let unsigned = format!("session={}", Uuid::from_u128(7));
        let oversized = format!("session={}", "x".repeat(20_000));
        for bad in [truncated, &unsigned, &oversized, "session=", "session", "=;=;;", "session=\u{e4}"] {
            assert_eq!(plain().read(false, &headers(&[("cookie", bad)]), &keys), None, "{bad:.40}");
        }
    }

    #[test]
    fn a_secure_cookie_carries_its_prefix_and_ignores_the_plain_name() {
        let keys = keys(&[A]);
        let forwarded = headers(&[("x-forwarded-proto", "https, http")]);
        assert!(plain().is_secure(&forwarded) && !plain().is_secure(&HeaderMap::new()));
        let set = written(&plain(), true, &keys);
        assert!(set.starts_with("__Host-session=") && set.contains("; Secure") && set.contains("; Path=/"), "{set}");
        assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
        let unprefixed = written(&plain(), false, &keys);
        assert!(!unprefixed.contains("Secure"), "{unprefixed}");
        assert_eq!(plain().read(true, &headers(&[("cookie", value(&unprefixed))]), &keys), None);
        let tab = cookie(|config| config.scope = SessionScope::Tab);
        assert!(written(&tab, true, &keys).starts_with("__Secure-session="));
    }

    #[test]
    fn a_cookie_of_another_name_is_read_under_that_name_only() {
        let keys = keys(&[A]);
        let own = cookie(|config| config.session_cookie = crate::CookieName::new("app").unwrap());
        let (named, secure) = (written(&own, false, &keys), written(&own, true, &keys));
        assert!(named.starts_with("app=") && secure.starts_with("__Host-app="), "{named} {secure}");
        assert!(own.read(false, &headers(&[("cookie", value(&named))]), &keys).is_some());
        assert_eq!(plain().read(false, &headers(&[("cookie", value(&named))]), &keys), None);
    }

    #[test]
    fn clearing_names_the_same_cookie() {
        let cleared = plain().clear(false, &Base::root()).unwrap();
        let cleared = cleared.to_str().unwrap();
        assert!(cleared.starts_with("session=;") && cleared.contains("Max-Age=0"), "{cleared}");
    }
}
