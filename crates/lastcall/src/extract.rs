//! How handlers get at the session of their request.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::Method;
use http::request::Parts;
use http_support::is_prefetch;

use crate::refusal::{Reason, Refusal};
use crate::request_context::RequestContext;
use crate::request_kind::RequestKind;
use crate::session::Session;

impl<S: Send + Sync> FromRequestParts<S> for RequestContext {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refusal> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Refusal::outside_layer)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refusal> {
        let context = parts.extensions.get::<RequestContext>().ok_or_else(Refusal::outside_layer)?;
        if let Some(session) = context.session() {
            return Ok(session);
        }
        let refuse = |reason| Err(context.refuse(reason));
        match context.facts.kind {
            RequestKind::Navigation | RequestKind::Unspecific | RequestKind::Login if context.tab_needs_path() => {
                refuse(Reason::TabNeedsPath)
            }
            RequestKind::Navigation | RequestKind::Unspecific | RequestKind::Login => context.start(context.newcomer()),
            RequestKind::Untracked if parts.method == Method::HEAD => refuse(Reason::Head),
            RequestKind::Untracked if parts.method == Method::GET && is_prefetch(&parts.headers) => {
                refuse(Reason::Prefetch)
            }
            RequestKind::CrossSitePost | RequestKind::Untracked => refuse(Reason::CannotStart),
        }
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Session {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get::<RequestContext>().and_then(RequestContext::session))
    }
}
