//! The calls of the introspection service.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::Stream;
use session_wire::{pod_to_wire, v1};
use tonic::{Request, Response, Status};

use super::list;
use super::watchers::Watchers;
use crate::service_state::ServiceState;

/// Implements the introspection service of the pod.
pub(crate) struct Introspector {
    state: Arc<ServiceState>,
    watchers: Arc<Watchers>,
}

impl Introspector {
    pub(crate) const fn new(state: Arc<ServiceState>, watchers: Arc<Watchers>) -> Self {
        Self { state, watchers }
    }
}

#[tonic::async_trait]
impl v1::introspection_server::Introspection for Introspector {
    async fn get_pod(&self, _: Request<v1::GetPodRequest>) -> Result<Response<v1::GetPodResponse>, Status> {
        let report = self.state.report(self.state.count_present(), false);
        Ok(Response::new(v1::GetPodResponse { pod: Some(pod_to_wire(&report)) }))
    }

    async fn list_sessions(
        &self,
        request: Request<v1::ListSessionsRequest>,
    ) -> Result<Response<v1::ListSessionsResponse>, Status> {
        list::list(&self.state, request.get_ref()).map(Response::new)
    }

    type WatchSessionsStream = Pin<Box<dyn Stream<Item = Result<v1::WatchSessionsResponse, Status>> + Send>>;

    async fn watch_sessions(
        &self,
        _: Request<v1::WatchSessionsRequest>,
    ) -> Result<Response<Self::WatchSessionsStream>, Status> {
        Ok(Response::new(Box::pin(self.watchers.watch(&self.state))))
    }
}
