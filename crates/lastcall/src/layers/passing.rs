//! A request on its way through the stack. What a step finds out goes to the next one as a type, so that no step can be left out
//! or stand in the wrong place.

use std::sync::Arc;

use http::Request;
use http::request::Parts;

use crate::caller::Caller;
use crate::refusal::{Reason, Refusal};
use crate::route_kind::RouteKind;
use crate::service_state::ServiceState;

/// A request that comes in.
pub(crate) struct Incoming<B> {
    pub(crate) state: Arc<ServiceState>,
    pub(crate) route: RouteKind,
    pub(crate) request: Request<B>,
}

/// A request that has passed a step, with the `facts` that are known of it by then.
pub(crate) struct Passing<B, F> {
    pub(crate) state: Arc<ServiceState>,
    pub(crate) route: RouteKind,
    pub(crate) caller: Caller,
    pub(crate) head: Parts,
    pub(crate) body: B,
    pub(crate) facts: F,
}

impl<B, F> Passing<B, F> {
    /// The same request, of which more is known.
    pub(crate) fn with<G>(self, facts: impl FnOnce(F) -> G) -> Passing<B, G> {
        let Self { state, route, caller, head, body, facts: known } = self;
        Passing { state, route, caller, head, body, facts: facts(known) }
    }

    pub(crate) fn refuse(&self, reason: Reason) -> Refusal {
        Refusal::new(reason, &self.state, &self.caller)
    }
}
