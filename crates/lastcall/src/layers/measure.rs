//! How long the response took to begin, by status class, whichever step gave it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::response::Response;
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower::Service;

use super::staged_request::Incoming;
use crate::service_state::ServiceState;

#[derive(Clone, Debug)]
pub(crate) struct Measure<S>(pub(super) S);

impl<S, B> Service<Incoming<B>> for Measure<S>
where
    S: Service<Incoming<B>, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Measured<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, incoming: Incoming<B>) -> Self::Future {
        let (state, began) = (Arc::clone(&incoming.state), Instant::now());
        Measured { response: self.0.call(incoming), state, began }
    }
}

pin_project! {
    /// A response that is waited for.
    pub(crate) struct Measured<F> {
        #[pin]
        response: F,
        state: Arc<ServiceState>,
        began: Instant,
    }
}

impl<F: Future<Output = Result<Response, E>>, E> Future for Measured<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let measured = self.project();
        let response = ready!(measured.response.poll(context));
        if let Ok(response) = &response {
            measured.state.metrics.request(response.status(), measured.began.elapsed());
        }
        Poll::Ready(response)
    }
}
