//! Signing in by a handler of the app: after an identity provider has said who the user is.

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, IntoResponseParts, Redirect, Response, ResponseParts};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, Version};
use session_domain::UserName;

use crate::session::{self, NotSignedIn, RequestContext};
use crate::{account, admission, trusted};

/// Names the user behind a request, as `POST /login` does: a session that is there gets a new id, and a newcomer gets a session.
///
/// ```
/// use axum::response::{IntoResponse, Redirect, Response};
/// use lastcall::{SignIn, UserName};
///
/// async fn callback(sign_in: SignIn) -> Response {
///     // Verify what the identity provider says first.
///     match sign_in.name_user(UserName::from_input("ada")).await {
///         Ok(signed_in) => (signed_in, Redirect::to("/")).into_response(),
///         Err(refusal) => refusal,
///     }
/// }
/// ```
#[derive(Clone)]
pub struct SignIn {
    context: RequestContext,
    headers: HeaderMap,
    method: Method,
    version: Version,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn").finish_non_exhaustive()
    }
}

/// The part of a response that gives the browser its session. Without it the browser stays who it was.
#[derive(Debug)]
pub struct SignedIn(session::SignedIn);

impl SignIn {
    /// Names the user.
    ///
    /// # Errors
    /// The answer to give instead, with nothing changed: where no session starts now (403 where a proxy names users, the
    /// busy, maintenance or try-again page, 303 to `/` where a tab has no path of its own yet).
    pub async fn name_user(self, user: UserName) -> Result<SignedIn, Response> {
        let context = &self.context;
        if let Some(refusal) = trusted::refuse_login(&context.state, &self.headers) {
            return Err(refusal);
        }
        if context.session().is_none() && context.needs_path() {
            return Err(Redirect::to("/").into_response());
        }
        let location = context.base.reopened(&self.method);
        match context.sign_in(user).await {
            Ok(cookie) => {
                context.state.sessions.flush().await;
                Ok(SignedIn(cookie))
            }
            Err(NotSignedIn::Refused(refused)) => {
                Err(admission::refuse(&context.state, context.kind, &self.headers, location, refused, self.version))
            }
            Err(NotSignedIn::Unavailable) => {
                Err(admission::wait(&context.state, &self.headers, location, self.version))
            }
            Err(NotSignedIn::MayNotStart) => Err(account::no_session(&context.state, &self.headers)),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SignIn {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, StatusCode> {
        let context = RequestContext::from_request_parts(parts, state).await?;
        Ok(Self { context, headers: parts.headers.clone(), method: parts.method.clone(), version: parts.version })
    }
}

impl IntoResponseParts for SignedIn {
    type Error = std::convert::Infallible;

    fn into_response_parts(self, response: ResponseParts) -> Result<ResponseParts, Self::Error> {
        self.0.into_response_parts(response)
    }
}
