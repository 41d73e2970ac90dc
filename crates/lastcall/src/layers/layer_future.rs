//! The future of a layer: a refusal at once, the next layer's future, or that after a wait. Only a wait is boxed.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::response::{IntoResponse as _, Response};
use pin_project_lite::pin_project;

use crate::refusal::Refusal;

pin_project! {
    /// The future of a layer.
    #[project = Projected]
    pub(crate) enum LayerFuture<F, E> {
        Refused { refusal: Option<Refusal> },
        Passed { #[pin] next: F },
        Waiting { answer: Pin<Box<dyn Future<Output = Result<Response, E>> + Send>> },
    }
}

impl<F, E> LayerFuture<F, E> {
    pub(super) const fn refused(refusal: Refusal) -> Self {
        Self::Refused { refusal: Some(refusal) }
    }

    /// Waits first. The session of most requests is in memory: these answers are rare.
    pub(super) fn waiting(answer: impl Future<Output = Result<Response, E>> + Send + 'static) -> Self {
        Self::Waiting { answer: Box::pin(answer) }
    }
}

impl<F: Future<Output = Result<Response, E>>, E> Future for LayerFuture<F, E> {
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            // Polled once only.
            Projected::Refused { refusal } => match refusal.take() {
                Some(refusal) => Poll::Ready(Ok(refusal.into_response())),
                None => Poll::Pending,
            },
            Projected::Passed { next } => next.poll(context),
            Projected::Waiting { answer } => answer.as_mut().poll(context),
        }
    }
}
