//! `/admin/users.csv` and `/admin/users.json`: every session that matches, in order, as a file.
//!
//! The sessions are the fleet's own, which do not change under an export; what is made for it is their order, and one
//! piece of text at a time.

mod csv;
mod file;

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as Parameters, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use file::{File, Format};
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method, StatusCode};

use crate::api::SessionParameters;
use crate::app::App;
use crate::audit::Deed;
use crate::auth::Operator;
use crate::pages::words;
use crate::{clock, problem};

/// What may be asked, as it came.
type Asked = Result<Parameters<SessionParameters>, QueryRejection>;

/// `GET /admin/users.csv`.
pub(crate) fn csv() -> MethodRouter<App> {
    route(Format::Csv)
}

/// `GET /admin/users.json`.
pub(crate) fn json() -> MethodRouter<App> {
    route(Format::Json)
}

fn route(format: Format) -> MethodRouter<App> {
    get(
        move |State(app): State<App>, operator: Operator, method: Method, headers: HeaderMap, asked: Asked| async move {
            answer(&app, &operator, (&method, &headers), asked, format)
        },
    )
}

fn answer(
    app: &App,
    operator: &Operator,
    (method, headers): (&Method, &HeaderMap),
    asked: Asked,
    format: Format,
) -> Response {
    let bad = |detail: &str| problem::answer(headers, StatusCode::BAD_REQUEST, "Bad query", detail);
    let asked = match asked {
        // All that matches, whichever page the operator looks at.
        Ok(Parameters(asked)) => SessionParameters { limit: String::new(), ..asked.at_start() },
        Err(rejection) => return bad(&rejection.body_text()),
    };
    let query = match asked.query(1) {
        Ok(query) => query,
        Err(error) => return bad(&error.to_string()),
    };
    let file = File::new(app.view(), &query, format, clock::now());
    // Whoever asks for the head alone takes nothing away.
    if *method == Method::GET {
        let object = format!("{} as {}", words::counted(file.len() as u64, "session"), format.ending());
        app.audit.done(operator, Deed::Exported, Some(object));
    }
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{}\"", file.name())).ok();
    let mut response = Body::from_stream(stream::iter(file.map(Ok::<_, Infallible>))).into_response();
    let into = response.headers_mut();
    into.insert(CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    into.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    into.extend(disposition.map(|value| (CONTENT_DISPOSITION, value)));
    response
}
