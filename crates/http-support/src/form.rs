//! An extractor for HTML forms, with limits for size and time.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::body::{self, BodyError, Limits};
use crate::header_fields::without_parameters;
use crate::problem::Problem;

/// The fields of an `application/x-www-form-urlencoded` body of at most `MAX_BYTES` bytes.
#[derive(Clone, Copy, Debug)]
pub struct Form<T, const MAX_BYTES: usize>(pub T);

/// Why a form was not read.
#[derive(Debug, Error)]
pub enum FormError {
    /// The body was not received.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The content type is not that of a form. The client should send a form.
    #[error("the body is not a form")]
    NotAForm,
    /// A field is missing or invalid. The client should correct the form.
    #[error("a field of the form is missing or invalid")]
    Fields(#[source] serde_urlencoded::de::Error),
}

impl FormError {
    /// The status of the answer.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Body(error) => error.status(),
            Self::NotAForm => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Fields(_) => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}

/// A problem document, for handlers that do not take `Result<Form<_, _>, FormError>` to answer by themselves.
impl axum::response::IntoResponse for FormError {
    fn into_response(self) -> axum::response::Response {
        Problem::new(self.status(), "The form was not read", format!("{self}.")).into_response()
    }
}

impl<S: Send + Sync, T: DeserializeOwned, const MAX_BYTES: usize> FromRequest<S> for Form<T, MAX_BYTES> {
    type Rejection = FormError;

    async fn from_request(request: Request<Body>, _state: &S) -> Result<Self, FormError> {
        let kind = request.headers().get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
        if !without_parameters(kind).eq_ignore_ascii_case(b"application/x-www-form-urlencoded") {
            return Err(FormError::NotAForm);
        }
        let bytes = body::read(request.into_body(), Limits::of(MAX_BYTES)).await?;
        serde_urlencoded::from_bytes(&bytes).map(Self).map_err(FormError::Fields)
    }
}
