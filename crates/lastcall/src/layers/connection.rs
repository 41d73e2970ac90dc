//! Closes the connection after each response once the pod hands its sessions off: the next request can reach another pod. For apps on
//! their own server; the bundled one does this for every response.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::response::Response;
use http::Version;
use pin_project_lite::pin_project;
use tower::Service;

use super::staged_request::Incoming;
use crate::service_state::ServiceState;

#[derive(Clone, Debug)]
pub(crate) struct CloseConnection<S>(pub(super) S);

impl<S, B> Service<Incoming<B>> for CloseConnection<S>
where
    S: Service<Incoming<B>, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Closing<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, incoming: Incoming<B>) -> Self::Future {
        let (state, version) = (Arc::clone(&incoming.state), incoming.request.version());
        Closing { response: self.0.call(incoming), state, version }
    }
}

pin_project! {
    /// A response that is waited for.
    pub(crate) struct Closing<F> {
        #[pin]
        response: F,
        state: Arc<ServiceState>,
        version: Version,
    }
}

impl<F: Future<Output = Result<Response, E>>, E> Future for Closing<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let closing = self.project();
        let mut response = ready!(closing.response.poll(context));
        if let Ok(response) = &mut response {
            closing.state.close_after_answer.announce(response, *closing.version);
        }
        Poll::Ready(response)
    }
}
