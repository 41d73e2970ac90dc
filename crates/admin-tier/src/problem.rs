//! Answers that say what is wrong: a problem document for programs, a page for people.

use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;
use http::header::HeaderMap;
use http_support::Problem;

use crate::pages;

/// `application/problem+json`.
pub(crate) fn document(status: StatusCode, title: &str, detail: &str) -> Response {
    Problem::new(status, title.to_owned(), detail.to_owned()).into_response()
}

/// A page where the caller accepts HTML and navigates, else a document.
pub(crate) fn answer(headers: &HeaderMap, status: StatusCode, title: &str, detail: &str) -> Response {
    Problem::new(status, title.to_owned(), detail.to_owned())
        .respond(headers, |problem| (status, Html(pages::problem(&problem.title, &problem.detail))).into_response())
}

/// An error as a sentence.
pub(crate) fn sentence(error: &str) -> String {
    let mut letters = error.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_a_sentence_whatever_it_begins_with() {
        assert_eq!(sentence("the pod is heard"), "The pod is heard.");
        assert_eq!(sentence("/é is mounted"), "/é is mounted.");
        assert_eq!(sentence(""), "");
    }
}
