//! Where the script tag belongs in a page: directly after the `<head>` start tag, else after `<html>`, else after the doctype.
//!
//! `lol_html` only reads here, and reports at which byte a token ends. What it would write is discarded, so that the bytes of the page
//! never pass through a decoder. It stops reading once the place is found.

use std::sync::Arc;

use lol_html::html_content::{Doctype, TextChunk};
use lol_html::send::{DocumentContentHandlers, Element, HtmlRewriter};
use lol_html::{AsciiCompatibleEncoding, HandlerResult, MemorySettings, Settings, element};
use parking_lot::Mutex;

/// The most memory that one page may take for a tag that is not complete yet.
const MAX_MEMORY: usize = 256 << 10;

/// How far a page is searched for the first of the three. A page's own content may come before, such as a warning of PHP.
const MAX_SEARCHED: usize = 1 << 20;

/// How much may come between `<html>`, or the doctype, and what decides whether a `<head>` follows: white space and comments.
const MAX_BETWEEN: usize = 8 << 10;

/// What is known about the place, in bytes from the beginning of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// None of the three has come yet.
    Open,
    /// The place unless a better one follows: after `<html>` or the doctype.
    After(usize),
    /// The place.
    Found(usize),
    /// The page has no place for the script: it is a fragment, or cannot be read.
    None,
}

/// A token that matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    /// A doctype or an `<html>` start tag that ends there.
    Beginning(usize),
    /// A `<head>` start tag that ends there.
    Head(usize),
    /// Text other than white space, or another start tag.
    Content,
}

impl Place {
    const fn after(self, token: Token) -> Self {
        match (self, token) {
            (Self::Open | Self::After(_), Token::Beginning(end)) => Self::After(end),
            (Self::Open | Self::After(_), Token::Head(end)) => Self::Found(end),
            (Self::After(end), Token::Content) => Self::Found(end),
            (Self::Open, Token::Content) | (Self::Found(_) | Self::None, _) => self,
        }
    }
}

/// What the handlers have found, and how many templates are open.
#[derive(Debug)]
struct Findings {
    place: Place,
    templates: usize,
}

/// Reads a page up to the place.
pub(super) struct PlaceFinder {
    reader: HtmlRewriter<'static, fn(&[u8])>,
    findings: Arc<Mutex<Findings>>,
    read: usize,
}

impl PlaceFinder {
    pub(super) fn new(encoding: AsciiCompatibleEncoding) -> Self {
        let findings = Arc::new(Mutex::new(Findings { place: Place::Open, templates: 0 }));
        let (in_elements, in_doctype, in_text) = (Arc::clone(&findings), Arc::clone(&findings), Arc::clone(&findings));
        let document = DocumentContentHandlers::default()
            .doctype(move |doctype: &mut Doctype<'_>| -> HandlerResult {
                in_doctype.lock().meet(Token::Beginning(doctype.source_location().bytes().end));
                Ok(())
            })
            .text(move |text: &mut TextChunk<'_>| -> HandlerResult {
                // A byte order mark stands before everything.
                if !text.as_str().trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{feff}').is_empty() {
                    in_text.lock().meet(Token::Content);
                }
                Ok(())
            });
        let settings = Settings::new_send()
            .append_element_content_handler(element!("*", move |element| {
                visit(&in_elements, element);
                Ok(())
            }))
            .append_document_content_handler(document)
            .with_encoding(encoding)
            .with_strict(false)
            .with_memory_settings(MemorySettings::new().with_max_allowed_memory_usage(MAX_MEMORY));
        Self { reader: HtmlRewriter::new(settings, |_: &[u8]| {}), findings, read: 0 }
    }

    /// Reads on, and says what is known about the place now.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Place {
        let result = self.reader.write(bytes);
        self.read += bytes.len();
        let place = self.findings.lock().place;
        match place {
            Place::Found(_) | Place::None => place,
            // A tag is larger than the memory that it may take.
            Place::After(end) if result.is_err() || self.read - end > MAX_BETWEEN => Place::Found(end),
            Place::Open if result.is_err() || self.read > MAX_SEARCHED => Place::None,
            Place::Open | Place::After(_) => place,
        }
    }
}

/// Notes what a start tag says about the place.
fn visit(findings: &Arc<Mutex<Findings>>, element: &mut Element<'_, '_>) {
    let end = element.source_location().bytes().end;
    let name = element.tag_name();
    let is_html = element.namespace_uri() == "http://www.w3.org/1999/xhtml";
    findings.lock().meet(match name.as_str() {
        "html" if is_html => Token::Beginning(end),
        "head" if is_html => Token::Head(end),
        _ => Token::Content,
    });
    if name == "template" && element.can_have_content() {
        findings.lock().templates += 1;
        let at_end = Arc::clone(findings);
        let left = element.on_end_tag(Box::new(move |_| {
            at_end.lock().templates -= 1;
            Ok(())
        }));
        debug_assert!(left.is_ok(), "an element with content has an end");
    }
}

impl Findings {
    fn meet(&mut self, token: Token) {
        // What a template contains is not part of the page.
        if self.templates == 0 {
            self.place = self.place.after(token);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place_of(page: &[u8], chunk: usize) -> Place {
        let mut finder = PlaceFinder::new(AsciiCompatibleEncoding::utf_8());
        let mut place = Place::Open;
        for bytes in page.chunks(chunk) {
            place = finder.read(bytes);
            if matches!(place, Place::Found(_) | Place::None) {
                break;
            }
        }
        place
    }

    /// Asserts that the place is where the text has a `|`, however the page arrives; without one there is none.
    fn assert_place(marked: &str) {
        let page = marked.replace('|', "");
        for chunk in [1, 2, 3, 7, page.len().max(1)] {
            let place = match place_of(page.as_bytes(), chunk) {
                Place::Found(at) | Place::After(at) => Some(at),
                Place::Open | Place::None => None,
            };
            assert_eq!(place, marked.find('|'), "{marked} in chunks of {chunk}");
        }
    }

    #[test]
    fn the_script_comes_after_the_head_tag_or_what_stands_for_it() {
        for page in [
            "<!doctype html><html><head>|<title>a</title></head><body>b",
            "<!DOCTYPE html>\n<HTML lang=en>\n<!-- c --><HEAD class=\"a>b\">|\n<meta charset=utf-8>",
            "\u{feff}<!doctype html><head>|<title>",
            "<!-- before --><!doctype html><!-- <head> --><html><head>|",
            "<?xml version=\"1.0\"?><!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"http://x/y.dtd\"><html xmlns=\"http://www.w3.org/1999/xhtml\"><head />|<title>",
            "<html><head>|",
            "<head>|<title>a",
            "<!doctype html>|<title>a</title><p>b",
            "<!doctype html>|\n  <!-- c -->\n<p><head>",
            "<!doctype html>|hello <head>",
            "<!doctype html>|",
            "<!doctype html><html>|",
            "<html>|\n<body><template><head></head></template>",
            "<!doctype html><html>|<script>document.write('<head>')</script><head>",
            "<html>|<frameset cols='1,*'><frame src=a></frameset>",
            "<!doctype html><html amp><head>|<script async src=https://cdn.ampproject.org/v0.js></script>",
            // A warning that PHP writes before the page.
            "<br />\n<b>Warning</b>: x in <b>y</b><br />\n<!doctype html><html><head>|<title>",
            // Attributes, scripts and templates only look like it.
            "<p title='<html><head>'>a</p><script>'<html><head>'</script><textarea><head></textarea><template><html><head></head></template>",
            "<div>a</div><template><head></template><html>|<p>",
            "<svg><html></svg>",
            "plain text",
            "",
            "<!-- <html><head> ",
            "<header>a</header><heading>",
        ] {
            assert_place(page);
        }
    }

    #[test]
    fn what_is_too_large_is_not_waited_for() {
        let comment = format!("<!doctype html><!--{}-->", "x".repeat(MAX_BETWEEN));
        assert_eq!(place_of(comment.as_bytes(), 100), Place::Found(15));
        let tag = format!("<!doctype html><html data-x='{}'><head>", "x".repeat(2 * MAX_MEMORY));
        assert_eq!(place_of(tag.as_bytes(), 1000), Place::Found(15));
        let tag = format!("<body data-x='{}'><head>", "x".repeat(2 * MAX_MEMORY));
        assert_eq!(place_of(tag.as_bytes(), 1000), Place::None);
        let fragment = "<p>a</p>".repeat(MAX_SEARCHED / 8 + 1);
        assert_eq!(place_of(fragment.as_bytes(), 1000), Place::None);
    }
}
