//! Users that a proxy in front has signed in (`TRUSTED_USER_HEADER`): who a request belongs to, and what becomes of a session
//! that is somebody else's.
//!
//! A name is believed by the address that the connection comes from. Where no proxy names anybody, a session stays what
//! its cookie says, and newcomers are anonymous: nobody names themselves here.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use axum::response::Response;
use http::StatusCode;
use http::header::HeaderMap;
use http::request::Parts;
use http_support::ProxyIdentityError;
use session_domain::UserName;

use crate::page;
use crate::service_state::ServiceState;
use crate::sessions::ServedSession;

/// The name that the proxy gives to the user behind a request, if it is to be believed and gives one.
///
/// # Errors
/// Where it gives two, or one that cannot be read.
pub(crate) fn name<'a>(state: &ServiceState, request: &'a Parts) -> Result<Option<&'a str>, ProxyIdentityError> {
    let Some(trusted) = &state.config.trusted_user else { return Ok(None) };
    let Some(ConnectInfo(peer)) = request.extensions.get::<ConnectInfo<SocketAddr>>() else { return Ok(None) };
    trusted.name(&request.headers, peer.ip())
}

/// The answer to a request for which a proxy names two users, or one that cannot be read.
pub(crate) fn refuse(state: &ServiceState, headers: &HeaderMap, unclear: ProxyIdentityError) -> Response {
    let detail = format!("The proxy in front says it unclearly: {unclear}.");
    page::problem(&*state.pages, headers, StatusCode::BAD_REQUEST, "Who are you?", &detail)
}

/// Ends a session where the proxy names another user than its own, and gives it back where it does not.
pub(crate) async fn keep(state: &ServiceState, session: ServedSession, name: Option<&str>) -> Option<ServedSession> {
    if !name.is_some_and(|name| is_another(&session.user(), name)) {
        return Some(session);
    }
    state.sessions.log_out(&session, false).await;
    None
}

/// Compared as it came first: as a rule it is the same, and nothing has to be made of it.
fn is_another(user: &UserName, name: &str) -> bool {
    user.as_str() != name && UserName::from_input(name) != *user
}

/// The answer to `POST /login` where a proxy names the users.
pub(crate) fn refuse_login(state: &ServiceState, headers: &HeaderMap) -> Option<Response> {
    let trusted = state.config.trusted_user.as_ref()?;
    let detail = format!("Users are named by the proxy in front, in the header {}. Sign in there.", trusted.header());
    Some(page::problem(&*state.pages, headers, StatusCode::FORBIDDEN, "Not by this form", &detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_however_it_is_written() {
        let user = UserName::from_input("ada lovelace");
        for (name, another) in [
            ("ada lovelace", false),
            (" ada  lovelace ", false),
            ("ada\u{202e} lovelace", false),
            ("Ada Lovelace", true),
            ("ada", true),
        ] {
            assert_eq!(is_another(&user, name), another, "{name:?}");
        }
    }
}
