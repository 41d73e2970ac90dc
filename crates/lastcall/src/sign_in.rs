//! Signing in by a handler of the app: after an identity provider has said who the user is.

use axum::extract::FromRequestParts;
use http::request::Parts;
use session_domain::UserName;

use crate::refusal::{Reason, Refusal};
use crate::request_context::RequestContext;
use crate::signed_in::SignedIn;

/// Names the user behind a request, as `POST /login` does: a session that is there gets a new id, and a newcomer gets a session.
///
/// ```
/// use axum::response::{IntoResponse, Redirect};
/// use lastcall::{Refusal, SignIn, UserName};
///
/// async fn callback(sign_in: SignIn) -> Result<impl IntoResponse, Refusal> {
///     // Verify what the identity provider says first.
///     let signed_in = sign_in.name_user(UserName::from_input("ada")).await?;
///     Ok((signed_in, Redirect::to("/")))
/// }
/// ```
#[derive(Clone)]
pub struct SignIn(RequestContext);

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn").finish_non_exhaustive()
    }
}

impl SignIn {
    /// Names the user. The response has to carry the cookie that this gives.
    ///
    /// # Errors
    /// The response to give instead, with nothing changed: where no session starts now (403 where a proxy names users, the
    /// busy, maintenance or try-again page, 303 to `/` where a tab has no path of its own yet); 401 to a request without a session
    /// that may start none: a `GET` by a script, a prefetch, a `HEAD`.
    pub async fn name_user(self, user: UserName) -> Result<SignedIn, Refusal> {
        let Self(context) = self;
        if context.state.config.trusted_user.is_some() {
            return Err(context.refuse(Reason::ProxyNamesUsers));
        }
        context.sign_in(user).await
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SignIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        RequestContext::from_request_parts(parts, state).await.map(Self)
    }
}
