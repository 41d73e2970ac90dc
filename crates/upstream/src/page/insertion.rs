//! Puts the script tag into the bytes of a page, which arrive in any chunks. No byte of the page is changed.
//!
//! The page is held back nowhere but where the place is not decided yet: after the doctype or `<html>`, for some kilobytes of white
//! space and comments at most.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use lol_html::AsciiCompatibleEncoding;

use super::place::{Place, PlaceFinder};
use super::reason::WithoutNotice;

/// The bytes that begin a page in UTF-16, whatever its `Content-Type` says.
const UTF_16_MARKS: [[u8; 2]; 2] = [[0xfe, 0xff], [0xff, 0xfe]];

/// What became of a page.
pub(super) type Outcome = Result<(), WithoutNotice>;

/// Puts the tag into one page.
pub(super) struct Insertion {
    tag: Bytes,
    state: State,
    /// How many bytes of the page have been passed on.
    passed: usize,
    /// What arrived after them.
    held: BytesMut,
}

enum State {
    /// The first bytes may be a mark of UTF-16.
    Beginning(AsciiCompatibleEncoding),
    Searching(Box<PlaceFinder>),
    /// The tag is in, or the page has no place for it.
    Over,
}

impl Insertion {
    pub(super) fn new(tag: Bytes, encoding: AsciiCompatibleEncoding) -> Self {
        Self { tag, state: State::Beginning(encoding), passed: 0, held: BytesMut::new() }
    }

    /// For a page that passes unchanged.
    pub(super) fn over() -> Self {
        Self { tag: Bytes::new(), state: State::Over, passed: 0, held: BytesMut::new() }
    }

    /// Whether the rest of the page passes unchanged.
    const fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Takes the next bytes of the page, and passes on what can be passed on. Returns the outcome once it is known.
    pub(super) fn push(&mut self, bytes: Bytes, out: &mut VecDeque<Bytes>) -> Option<Outcome> {
        let bytes = match &mut self.state {
            State::Over => {
                pass(bytes, out);
                return None;
            }
            State::Beginning(encoding) => {
                let encoding = *encoding;
                self.held.extend_from_slice(&bytes);
                if UTF_16_MARKS.iter().any(|mark| self.held.starts_with(mark)) {
                    return self.pass_rest(out, Err(WithoutNotice::Charset));
                }
                if UTF_16_MARKS.iter().any(|mark| mark.starts_with(&self.held)) {
                    return None;
                }
                self.state = State::Searching(Box::new(PlaceFinder::new(encoding)));
                self.held.split().freeze()
            }
            State::Searching(_) => bytes,
        };
        self.search(bytes, out)
    }

    /// Ends the page.
    pub(super) fn finish(&mut self, out: &mut VecDeque<Bytes>) -> Option<Outcome> {
        let State::Searching(finder) = &mut self.state else {
            let is_empty = self.held.is_empty() || self.is_over();
            return self.pass_rest(out, Err(WithoutNotice::Fragment)).filter(|_| !is_empty);
        };
        match finder.read(&[]) {
            Place::After(at) | Place::Found(at) => self.insert(at, Bytes::new(), out),
            Place::Open | Place::None => self.pass_rest(out, Err(WithoutNotice::Fragment)),
        }
    }

    fn search(&mut self, bytes: Bytes, out: &mut VecDeque<Bytes>) -> Option<Outcome> {
        let State::Searching(finder) = &mut self.state else { return None };
        match finder.read(&bytes) {
            Place::Open => {
                self.passed += bytes.len();
                pass(bytes, out);
                None
            }
            Place::After(at) => {
                self.hold(&bytes, at, out);
                None
            }
            Place::Found(at) => self.insert(at, bytes, out),
            Place::None => {
                pass(bytes, out);
                self.pass_rest(out, Err(WithoutNotice::Fragment))
            }
        }
    }

    /// Passes on what comes before `at`, and holds the rest.
    fn hold(&mut self, bytes: &[u8], at: usize, out: &mut VecDeque<Bytes>) {
        self.held.extend_from_slice(bytes);
        let before = at.saturating_sub(self.passed).min(self.held.len());
        self.passed += before;
        pass(self.held.split_to(before).freeze(), out);
    }

    fn insert(&mut self, at: usize, mut bytes: Bytes, out: &mut VecDeque<Bytes>) -> Option<Outcome> {
        if at < self.passed {
            debug_assert!(false, "a token ends in the bytes that complete it");
            pass(bytes, out);
            return self.pass_rest(out, Err(WithoutNotice::Fragment));
        }
        let before = at - self.passed;
        let rest_of_held = if before >= self.held.len() {
            let in_bytes = before - self.held.len();
            pass(self.held.split().freeze(), out);
            pass(bytes.split_to(in_bytes.min(bytes.len())), out);
            Bytes::new()
        } else {
            pass(self.held.split_to(before).freeze(), out);
            self.held.split().freeze()
        };
        pass(self.tag.clone(), out);
        pass(rest_of_held, out);
        pass(bytes, out);
        self.pass_rest(out, Ok(()))
    }

    fn pass_rest(&mut self, out: &mut VecDeque<Bytes>, outcome: Outcome) -> Option<Outcome> {
        self.state = State::Over;
        pass(std::mem::take(&mut self.held).freeze(), out);
        Some(outcome)
    }
}

fn pass(bytes: Bytes, out: &mut VecDeque<Bytes>) {
    if !bytes.is_empty() {
        out.push_back(bytes);
    }
}

#[cfg(test)]
mod tests;
