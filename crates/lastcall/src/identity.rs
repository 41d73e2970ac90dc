//! The second step of a request: which session and which user it names, by its cookie and by a proxy in front.

use http::request::Parts;
use http_support::ProxyIdentityError;
use session_domain::SessionId;

use crate::cookie::CookieStyle;
use crate::service_state::ServiceState;
use crate::trusted;

/// What a request says of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity<'a> {
    /// How its cookies are read and written.
    pub(crate) cookies: CookieStyle,
    /// The session that its cookie names, where the signature verifies.
    pub(crate) id: Option<SessionId>,
    /// Whether it has a cookie that another pod may have signed, while the pods have not agreed on a key.
    pub(crate) has_unverified_cookie: bool,
    /// The user that a trusted proxy names.
    pub(crate) name: Option<&'a str>,
}

impl<'a> Identity<'a> {
    /// Reads it.
    ///
    /// # Errors
    /// Where the proxy names two users, or one that cannot be read.
    pub(crate) fn of(state: &ServiceState, request: &'a Parts) -> Result<Self, ProxyIdentityError> {
        let cookies = CookieStyle::of(&request.headers, state.config.cookie_secure, state.config.scope);
        let name = trusted::name(state, request)?;
        let id = cookies.read(&request.headers, &state.keys.load());
        let keys_are_provisional = state.sessions.sharing().is_some_and(|sharing| sharing.keys_are_provisional());
        let has_unverified_cookie = id.is_none() && keys_are_provisional && cookies.is_present(&request.headers);
        Ok(Self { cookies, id, has_unverified_cookie, name })
    }
}
