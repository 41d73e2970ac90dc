//! Uploads: a file of any size up to [`MAX_BYTES`] is read to its end. The answer tells its size and its SHA-256.
//!
//! Never holds more than a piece of the file in memory, and keeps none of it: this shows what a drain does with uploads.

use axum::body::{Body, HttpBody as _};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use futures_util::StreamExt as _;
use http::{HeaderMap, StatusCode};
use lastcall::Session;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::app::problem;

/// The largest file, in bytes: 5 GB.
pub(crate) const MAX_BYTES: u64 = 5_000_000_000;

/// Builds the router.
pub(crate) fn router() -> Router {
    Router::new().route("/uploads", post(receive))
}

/// Why a file was not received.
#[derive(Debug, thiserror::Error)]
enum UploadError {
    /// The user has to choose a smaller one.
    #[error("the file is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// The user has to send it again.
    #[error("the file did not arrive completely")]
    Incomplete(#[source] axum::Error),
}

async fn receive(_session: Session, headers: HeaderMap, body: Body) -> Response {
    match digest(body).await {
        Ok((bytes, sha256)) => Json(json!({ "bytes": bytes, "sha256": sha256 })).into_response(),
        Err(UploadError::TooLarge) => {
            let detail = format!("A file may have up to {MAX_BYTES} bytes. Choose a smaller one.");
            problem(&headers, StatusCode::PAYLOAD_TOO_LARGE, "File too large", &detail)
        }
        Err(UploadError::Incomplete(_)) => {
            let detail = "The file did not arrive completely. Send it again.";
            problem(&headers, StatusCode::BAD_REQUEST, "Upload incomplete", detail)
        }
    }
}

/// Reads the body to its end. Returns its size and its SHA-256 in hexadecimal digits. A body that announces to be too large is not
/// read.
async fn digest(body: Body) -> Result<(u64, String), UploadError> {
    if body.size_hint().lower() > MAX_BYTES {
        return Err(UploadError::TooLarge);
    }
    let (mut bytes, mut sha256) = (0_u64, Sha256::new());
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(UploadError::Incomplete)?;
        bytes += piece.len() as u64;
        if bytes > MAX_BYTES {
            return Err(UploadError::TooLarge);
        }
        sha256.update(&piece);
    }
    Ok((bytes, format!("{:x}", sha256.finalize())))
}
