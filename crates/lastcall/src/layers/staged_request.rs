//! A request on its way through the stack. What a step finds out goes to the next one as a type, so that no step can be left out
//! or stand in the wrong place.

use std::sync::Arc;

use http::Request;
use http::request::Parts;

use crate::refusal::{Reason, Refusal};
use crate::request_facts::RequestFacts;
use crate::route_kind::RouteKind;
use crate::service_state::ServiceState;

/// A request that comes in.
pub(crate) struct Incoming<B> {
    pub(crate) state: Arc<ServiceState>,
    pub(crate) route: RouteKind,
    pub(crate) request: Request<B>,
}

/// A request that has passed a step, with the facts that are known of it by then: its `stage`.
pub(crate) struct StagedRequest<B, F> {
    pub(crate) state: Arc<ServiceState>,
    pub(crate) route: RouteKind,
    pub(crate) facts: RequestFacts,
    pub(crate) head: Parts,
    pub(crate) body: B,
    pub(crate) stage: F,
}

impl<B, F> StagedRequest<B, F> {
    /// The same request, of which more is known.
    pub(crate) fn with<G>(self, stage: impl FnOnce(F) -> G) -> StagedRequest<B, G> {
        let Self { state, route, facts, head, body, stage: known } = self;
        StagedRequest { state, route, facts, head, body, stage: stage(known) }
    }

    pub(crate) fn refuse(&self, reason: Reason) -> Refusal {
        Refusal::new(reason, &self.state, &self.facts)
    }
}
