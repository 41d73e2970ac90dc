//! Encodes the body of a page again, in the codings in which it came.

use std::io;

use bytes::Bytes;
use compression_codecs::brotli::params::EncoderParams;
use compression_codecs::core::Level;
use compression_codecs::core::util::{PartialBuffer, WriteBuffer};
use compression_codecs::{BrotliEncoder, EncodeV2, GzipEncoder, ZlibEncoder, ZstdEncoder};

use super::Coding;

/// What fits into one step's output.
const PIECE: usize = 16 << 10;

/// How hard to compress. The app's own choice is unknown; these are what proxies take for answers that they compress as they come.
const FLATE_LEVEL: Level = Level::Precise(4);
const BROTLI_QUALITY: Level = Level::Precise(4);
const ZSTD_LEVEL: i32 = 3;

/// The window of `br`, 512 KiB as a power of two: a page in work takes a few times as much memory.
const BROTLI_WINDOW_LOG: i32 = 19;

/// Encodes one body, whose codings may be chained.
pub(in super::super) struct Encoding {
    encoders: Vec<Box<dyn EncodeV2 + Send>>,
    /// Bytes were encoded that may not have left the encoders.
    holds: bool,
}

/// What to do behind the bytes.
#[derive(Clone, Copy)]
enum Then {
    GoOn,
    Flush,
    Finish,
}

impl Encoding {
    /// For codings in the order in which they are applied.
    pub(in super::super) fn new(codings: &[Coding]) -> Self {
        let encoder = |coding: &Coding| -> Box<dyn EncodeV2 + Send> {
            match coding {
                Coding::Gzip => Box::new(GzipEncoder::new(FLATE_LEVEL.into())),
                Coding::Deflate => Box::new(ZlibEncoder::new(FLATE_LEVEL.into())),
                Coding::Zstd => Box::new(ZstdEncoder::new(ZSTD_LEVEL)),
                Coding::Brotli => {
                    let params = EncoderParams::default().quality(BROTLI_QUALITY).window_size(BROTLI_WINDOW_LOG);
                    Box::new(BrotliEncoder::new(params))
                }
            }
        };
        Self { encoders: codings.iter().map(encoder).collect(), holds: false }
    }

    /// Encodes the next bytes. The result may be empty: encoders gather bytes.
    pub(in super::super) fn write(&mut self, bytes: &[u8]) -> io::Result<Bytes> {
        self.holds = true;
        self.run(bytes, Then::GoOn)
    }

    /// Returns what the encoders hold back, so that a browser can decode all that was written.
    pub(in super::super) fn flush(&mut self) -> io::Result<Bytes> {
        if !std::mem::take(&mut self.holds) {
            return Ok(Bytes::new());
        }
        self.run(&[], Then::Flush)
    }

    /// Ends the body.
    pub(in super::super) fn finish(&mut self) -> io::Result<Bytes> {
        self.holds = false;
        self.run(&[], Then::Finish)
    }

    fn run(&mut self, bytes: &[u8], then: Then) -> io::Result<Bytes> {
        let mut bytes = bytes.to_vec();
        for encoder in &mut self.encoders {
            let mut encoded = Vec::new();
            encode(&mut **encoder, &bytes, &mut encoded)?;
            match then {
                Then::GoOn => {}
                Then::Flush => drain(&mut encoded, |output| encoder.flush(output))?,
                Then::Finish => drain(&mut encoded, |output| encoder.finish(output))?,
            }
            bytes = encoded;
        }
        Ok(bytes.into())
    }
}

fn encode(encoder: &mut dyn EncodeV2, bytes: &[u8], encoded: &mut Vec<u8>) -> io::Result<()> {
    let mut input = PartialBuffer::new(bytes);
    drain(encoded, |output| {
        if !input.unwritten().is_empty() {
            encoder.encode(&mut input, output)?;
        }
        Ok(input.unwritten().is_empty())
    })
}

/// Appends what `step` writes, until it says that it is done.
fn drain(encoded: &mut Vec<u8>, mut step: impl FnMut(&mut WriteBuffer<'_>) -> io::Result<bool>) -> io::Result<()> {
    loop {
        let written = encoded.len();
        encoded.resize(written + PIECE, 0);
        let mut output = WriteBuffer::new_initialized(&mut encoded[written..]);
        let is_done = step(&mut output);
        let length = written + output.written_len();
        encoded.truncate(length);
        if is_done? {
            return Ok(());
        }
    }
}
