//! The app's own login: users, passwords, and sessions that tower-sessions keeps. Where it knows the user, it tells Lastcall.

use std::convert::Infallible;

use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use axum_login::{AuthManagerLayer, AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend};
use http::StatusCode;
use lastcall::{Refusal, Session, SignIn, UserName};
use serde::Deserialize;
use tower_sessions::{MemoryStore, SessionManagerLayer};

/// A user of the app.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) name: &'static str,
    /// An app of substance keeps a hash.
    password: &'static str,
}

const USERS: [User; 2] = [User { name: "ada", password: "lovelace" }, User { name: "grace", password: "hopper" }];

impl AuthUser for User {
    type Id = String;

    fn id(&self) -> String {
        self.name.to_owned()
    }

    fn session_auth_hash(&self) -> &[u8] {
        self.password.as_bytes()
    }
}

/// What the login form sends.
#[derive(Clone, Deserialize)]
pub(crate) struct Credentials {
    user: String,
    password: String,
}

/// The users of the app.
#[derive(Clone)]
pub(crate) struct Users;

impl AuthnBackend for Users {
    type User = User;
    type Credentials = Credentials;
    type Error = Infallible;

    async fn authenticate(&self, credentials: Credentials) -> Result<Option<User>, Infallible> {
        let is_meant = |user: &User| user.name == credentials.user && user.password == credentials.password;
        Ok(USERS.into_iter().find(is_meant))
    }

    async fn get_user(&self, name: &String) -> Result<Option<User>, Infallible> {
        Ok(USERS.into_iter().find(|user| user.name == name))
    }
}

/// Knows who is signed in to the app.
pub(crate) type Login = AuthSession<Users>;

pub(crate) fn layer() -> AuthManagerLayer<Users, MemoryStore> {
    AuthManagerLayerBuilder::new(Users, SessionManagerLayer::new(MemoryStore::default())).build()
}

pub(crate) fn routes() -> Router {
    Router::new().route("/login", get(form).post(sign_in)).route("/logout", post(sign_out))
}

/// Takes no session, and so starts none.
async fn form() -> Html<&'static str> {
    Html(include_str!("login.html"))
}

/// Signs in to the app, and names the user to Lastcall. In a drain Lastcall refuses, and nothing has happened.
async fn sign_in(
    mut login: Login,
    lastcall: SignIn,
    Form(credentials): Form<Credentials>,
) -> Result<Response, Failure> {
    let Some(user) = login.authenticate(credentials).await? else {
        return Ok(Redirect::to("/login").into_response());
    };
    let signed_in = lastcall.name_user(UserName::from_input(user.name)).await?;
    login.login(&user).await?;
    metrics::counter!("shop_logins_total").increment(1);
    Ok((signed_in, Redirect::to("/")).into_response())
}

/// Signs out of the app, and ends the session that the drain waits for.
async fn sign_out(mut login: Login, session: Option<Session>) -> Result<Response, Failure> {
    if login.logout().await?.is_some() {
        metrics::counter!("shop_logouts_total").increment(1);
    }
    let signed_out = match session {
        Some(session) => Some(session.sign_out().await),
        None => None,
    };
    Ok((signed_out, Redirect::to("/login")).into_response())
}

/// Why a handler gives up: Lastcall refuses, or the app's own sessions fail.
enum Failure {
    Refused(Refusal),
    Login(axum_login::Error<Users>),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<axum_login::Error<Users>> for Failure {
    fn from(error: axum_login::Error<Users>) -> Self {
        Self::Login(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(refusal) => refusal.into_response(),
            Self::Login(error) => {
                tracing::error!(%error, "the app's sessions fail");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}
