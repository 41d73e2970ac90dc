//! The script in pages of the app, and what is counted of pages without it.

use lastcall::{Lastcall, PageWithoutNotice};
use upstream::page::{PageScript, WithoutNotice};

/// Lastcall's script for pages of the app. Pages that pass without it are counted, where
/// [`page_reports`](lastcall::Config::page_reports) is set.
pub fn script(lastcall: &Lastcall) -> PageScript {
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
