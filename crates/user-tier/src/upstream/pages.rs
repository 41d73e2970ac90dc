//! The script in pages of the app, and what is counted of pages without it.

use axum::body::Body;
use axum::response::Response;
use http::request::Parts;
use lastcall::{Lastcall, PageWithoutNotice};
use upstream::AnswerBody;
use upstream::page::{Expected, PageScript, WithoutNotice};

/// Puts the script into pages of the app.
#[derive(Clone, Debug)]
pub(super) struct PageScripts {
    /// `None`: pages stay as they are.
    script: Option<PageScript>,
}

impl PageScripts {
    /// Counts pages that pass without the script.
    pub(super) fn new(lastcall: &Lastcall, injects_script: bool) -> Self {
        Self { script: injects_script.then(|| script(lastcall)) }
    }

    /// Prepares a request whose answer may be a page.
    pub(super) fn on_request(&self, head: &mut Parts) -> Expected {
        self.script.as_ref().map_or(Expected::NotAPage, |script| script.on_request(head))
    }

    /// Puts the script into an answer that is a page.
    pub(super) fn on_response(&self, expected: &Expected, mut answer: Response<AnswerBody>) -> Response {
        let Some(script) = &self.script else { return answer.map(Body::new) };
        PageScript::mark_variants(answer.headers_mut());
        match expected {
            Expected::Page(_) => script.on_response(expected, answer).map(Body::new),
            Expected::NotAPage => answer.map(Body::new),
        }
    }
}

fn script(lastcall: &Lastcall) -> PageScript {
    let counted = lastcall.clone();
    PageScript::new(&lastcall.script_path(), move |reason| counted.page_without_notice(label(reason)))
}

const fn label(reason: WithoutNotice) -> PageWithoutNotice {
    match reason {
        WithoutNotice::Coding => PageWithoutNotice::Coding,
        WithoutNotice::Charset => PageWithoutNotice::Charset,
        WithoutNotice::Partial => PageWithoutNotice::Partial,
        WithoutNotice::Download => PageWithoutNotice::Download,
        WithoutNotice::Policy => PageWithoutNotice::Policy,
        WithoutNotice::Fragment => PageWithoutNotice::Fragment,
        WithoutNotice::Xhtml => PageWithoutNotice::Xhtml,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_keeps_its_name() {
        for reason in WithoutNotice::ALL {
            assert_eq!(label(reason).as_str(), reason.as_str());
        }
    }
}
