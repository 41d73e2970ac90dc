//! What a request is for: the app, or one of Lastcall's own routes. The route that wraps a request says so, never its path.

use http::Method;
use session_domain::shared::Purpose;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RouteKind {
    /// The app, whatever the path.
    App,
    /// `/login`: names the user.
    Login,
    /// `/logout`: ends the session.
    Logout,
    /// `/session`: what the session is.
    Session,
    /// `/events`: the event stream.
    Events,
    /// `/tasks` and `/tasks/{task_id}`: the tasks of the session.
    Tasks,
    /// `/ws`: the events over a WebSocket, a `GET` that other sites' pages may not make.
    WebSocket,
}

impl RouteKind {
    /// What a session is looked for.
    pub(crate) fn purpose(self, method: &Method) -> Purpose {
        match self {
            Self::Logout => Purpose::Logout,
            Self::Events | Self::WebSocket if method == Method::GET => Purpose::Stream,
            Self::Events | Self::WebSocket => Purpose::Request,
            Self::App | Self::Login | Self::Session | Self::Tasks => Purpose::Request,
        }
    }

    /// Whether requests are admitted in every phase. Without a session the route's handler decides the answer.
    pub(crate) const fn is_always_admitted(self) -> bool {
        matches!(self, Self::Logout | Self::Session | Self::Events | Self::Tasks | Self::WebSocket)
    }

    /// Whether the cookie of a session that has ended keeps no request from being served, whatever its method.
    pub(crate) const fn serves_ended_sessions(self) -> bool {
        matches!(self, Self::Login | Self::Logout)
    }
}
