//! The body of one page in work: decoded, given the script, and encoded again, in small steps.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::coding::Coding;
use super::coding::decode::Decoding;
use super::coding::encode::Encoding;
use super::insertion::{Insertion, Outcome};
use super::reason::WithoutNotice;

/// Is told why a page has no script.
pub(super) type Report = Arc<dyn Fn(WithoutNotice) + Send + Sync>;

/// One body in work.
pub(super) struct Rewriting {
    insertion: Insertion,
    recoding: Option<Recoding>,
    input: Bytes,
    ready: VecDeque<Bytes>,
    report: Report,
}

struct Recoding {
    decoding: Decoding,
    encoding: Encoding,
    /// What arrived before anything was decoded: a body that is not in the coding that it should be in passes as it came.
    undecoded: Vec<Bytes>,
    has_decoded: bool,
    /// The decoder may go on without more bytes.
    goes_on: bool,
}

impl Rewriting {
    /// For codings in the order in which they were applied.
    pub(super) fn new(insertion: Insertion, codings: &[Coding], report: Report) -> Self {
        let recoding = (!codings.is_empty()).then(|| Recoding {
            decoding: Decoding::new(codings),
            encoding: Encoding::new(codings),
            undecoded: Vec::new(),
            has_decoded: false,
            goes_on: false,
        });
        Self { insertion, recoding, input: Bytes::new(), ready: VecDeque::new(), report }
    }

    /// The next bytes for the browser.
    pub(super) fn next_ready(&mut self) -> Option<Bytes> {
        self.ready.pop_front()
    }

    /// Whether there are bytes for the browser.
    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Takes the next bytes of the app. All before them were worked on.
    pub(super) fn push(&mut self, bytes: Bytes) {
        self.input = bytes;
    }

    /// Whether there is something to work on.
    pub(super) fn has_input(&self) -> bool {
        !self.input.is_empty() || self.recoding.as_ref().is_some_and(|recoding| recoding.goes_on)
    }

    /// Works on a piece.
    pub(super) fn step(&mut self) -> io::Result<()> {
        let bytes = std::mem::take(&mut self.input);
        let Some(recoding) = &mut self.recoding else {
            let outcome = self.insertion.push(bytes, &mut self.ready);
            self.note(outcome);
            return Ok(());
        };
        let piece = match recoding.decode(bytes) {
            Ok(piece) => piece,
            Err(error) => return self.fail(error),
        };
        if piece.is_empty() {
            return Ok(());
        }
        let mut plain = VecDeque::new();
        let outcome = self.insertion.push(piece, &mut plain);
        self.note(outcome);
        self.encode(plain)
    }

    /// Passes on what the encoder holds.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if let Some(recoding) = &mut self.recoding {
            let bytes = recoding.encoding.flush()?;
            self.pass(bytes);
        }
        Ok(())
    }

    /// Ends the body.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        if let Some(recoding) = &mut self.recoding {
            if !recoding.has_decoded && recoding.undecoded.is_empty() {
                // An empty body is not even an empty one in a coding.
                return Ok(());
            }
            if let Err(error) = recoding.decoding.finish() {
                return self.fail(error);
            }
        }
        let mut plain = VecDeque::new();
        let outcome = self.insertion.finish(&mut plain);
        self.note(outcome);
        self.encode(plain)?;
        if let Some(recoding) = &mut self.recoding {
            let bytes = recoding.encoding.finish()?;
            self.pass(bytes);
        }
        Ok(())
    }

    fn encode(&mut self, plain: VecDeque<Bytes>) -> io::Result<()> {
        let Some(recoding) = &mut self.recoding else {
            self.ready.extend(plain);
            return Ok(());
        };
        for bytes in plain {
            let encoded = recoding.encoding.write(&bytes)?;
            if !encoded.is_empty() {
                self.ready.push_back(encoded);
            }
        }
        Ok(())
    }

    /// Handles bytes that are not in their coding. If nothing was decoded yet, they pass as they came, and so does the rest.
    fn fail(&mut self, error: io::Error) -> io::Result<()> {
        match &mut self.recoding {
            Some(recoding) if !recoding.has_decoded => {
                tracing::warn!(error = %error, "a page of the app is not in the content coding that it names: it passes unchanged");
                self.ready.extend(recoding.undecoded.drain(..));
                self.recoding = None;
                self.insertion = Insertion::over();
                (self.report)(WithoutNotice::Coding);
                Ok(())
            }
            _ => {
                self.flush()?;
                Err(error)
            }
        }
    }

    fn pass(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.ready.push_back(bytes);
        }
    }

    fn note(&self, outcome: Option<Outcome>) {
        if let Some(Err(reason)) = outcome {
            (self.report)(reason);
        }
    }
}

impl Recoding {
    fn decode(&mut self, bytes: Bytes) -> io::Result<Bytes> {
        if !bytes.is_empty() {
            if !self.has_decoded {
                self.undecoded.push(bytes.clone());
            }
            self.decoding.push(bytes);
        }
        let piece = self.decoding.read()?;
        self.goes_on = !piece.is_empty();
        if self.goes_on && !self.has_decoded {
            self.has_decoded = true;
            self.undecoded = Vec::new();
        }
        Ok(piece)
    }
}
