//! The page that navigations get for an error.

use std::time::Duration;

use askama::Template;

use super::layout::Layout;
use crate::clock;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    layout: Layout,
    heading: &'a str,
    detail: &'a str,
}

/// Renders the page for an error.
pub(crate) fn error_page(title: &str, detail: &str) -> String {
    let layout = Layout::new("Problem", Duration::ZERO, clock::now());
    ErrorPage { layout, heading: title, detail }.render().unwrap_or_else(|_| detail.to_owned())
}
