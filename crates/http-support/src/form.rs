//! The one way in which either tier reads a form.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::body::{self, BodyError, Limits};

/// The fields of a form, `application/x-www-form-urlencoded`, of at most `MAX_BYTES` bytes.
#[derive(Clone, Copy, Debug)]
pub struct Form<T, const MAX_BYTES: usize>(pub T);

/// Why a form was not read.
#[derive(Debug, Error)]
pub enum FormError {
    /// Its bytes did not come. See [`BodyError`].
    #[error(transparent)]
    Body(#[from] BodyError),
    /// It is of another type. The client should send a form.
    #[error("the body is no form")]
    NotAForm,
    /// A field is missing, or is not what it should be. The client should send the right fields.
    #[error("the form lacks a field, or a field is not what it should be")]
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

/// Only for handlers that take `Result<Form<_, _>, FormError>`; what the answer looks like is theirs.
impl axum::response::IntoResponse for FormError {
    fn into_response(self) -> axum::response::Response {
        crate::problem::document(self.status(), "The form was not read", &format!("{self}."))
    }
}

impl<S: Send + Sync, T: DeserializeOwned, const MAX_BYTES: usize> FromRequest<S> for Form<T, MAX_BYTES> {
    type Rejection = FormError;

    async fn from_request(request: Request<Body>, _state: &S) -> Result<Self, FormError> {
        let kind = request.headers().get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
        // Parameters say nothing that matters here, and may be anything.
        let essence = kind.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        if !essence.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") {
            return Err(FormError::NotAForm);
        }
        let bytes = body::read(request.into_body(), Limits::of(MAX_BYTES)).await?;
        serde_urlencoded::from_bytes(&bytes).map(Self).map_err(FormError::Fields)
    }
}
