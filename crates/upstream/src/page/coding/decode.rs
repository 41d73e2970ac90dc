//! Decodes the body of a page piece by piece. No step decodes more than a piece, so that a small body that decodes to gigabytes takes
//! no memory, and no thread for long.

use std::io;

use bytes::{Buf, Bytes};
use compression_codecs::core::util::{PartialBuffer, WriteBuffer};
use compression_codecs::zstd::params::DParameter;
use compression_codecs::{BrotliDecoder, DecodeV2, DeflateDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder};

use super::Coding;

/// How much a step decodes at most.
const PIECE: usize = 32 << 10;

/// The window of browsers for `zstd`, 8 MiB as a power of two (RFC 9659).
const ZSTD_WINDOW_LOG: u32 = 23;

type Decoder = Box<dyn DecodeV2 + Send>;

/// Decodes one body, whose codings may be chained.
pub(in super::super) struct Decoding {
    /// In the order of decoding: the coding that was applied last comes first.
    stages: Vec<Stage>,
}

/// One coding of the chain.
struct Stage {
    coding: Coding,
    /// Chosen by the first bytes.
    decoder: Option<Decoder>,
    input: Bytes,
    /// The decoder may hold what did not fit into the last piece.
    is_full: bool,
    /// The coding's own end was read.
    has_ended: bool,
}

impl Decoding {
    /// For codings in the order in which they were applied.
    pub(in super::super) fn new(codings: &[Coding]) -> Self {
        Self { stages: codings.iter().rev().map(|coding| Stage::new(*coding)).collect() }
    }

    /// Takes the next bytes of the body. All before them were read.
    pub(in super::super) fn push(&mut self, bytes: Bytes) {
        if let Some(stage) = self.stages.first_mut() {
            debug_assert!(stage.input.len() < 2, "the bytes before were read");
            stage.append(bytes);
        }
    }

    /// Decodes the next piece. An empty one: more bytes are needed.
    pub(in super::super) fn read(&mut self) -> io::Result<Bytes> {
        read(&mut self.stages)
    }

    /// Says whether the body was complete.
    pub(in super::super) fn finish(&mut self) -> io::Result<()> {
        self.stages.iter_mut().try_for_each(Stage::finish)
    }
}

fn read(stages: &mut [Stage]) -> io::Result<Bytes> {
    let Some((last, before)) = stages.split_last_mut() else { return Ok(Bytes::new()) };
    loop {
        let piece = last.read()?;
        if !piece.is_empty() || before.is_empty() {
            return Ok(piece);
        }
        let input = read(before)?;
        if input.is_empty() {
            return Ok(input);
        }
        last.append(input);
    }
}

impl Stage {
    const fn new(coding: Coding) -> Self {
        Self { coding, decoder: None, input: Bytes::new(), is_full: false, has_ended: false }
    }

    fn append(&mut self, bytes: Bytes) {
        self.input = if self.input.is_empty() { bytes } else { [&self.input[..], &bytes].concat().into() };
    }

    fn read(&mut self) -> io::Result<Bytes> {
        let mut piece = Vec::new();
        loop {
            self.skip_to_next_member()?;
            let Some(decoder) = start(&mut self.decoder, self.coding, &self.input) else { return Ok(Bytes::new()) };
            if self.has_ended || (self.input.is_empty() && !self.is_full) {
                return Ok(Bytes::new());
            }
            piece.resize(PIECE, 0);
            let mut output = WriteBuffer::new_initialized(&mut piece);
            let mut input = PartialBuffer::new(&self.input[..]);
            if self.input.is_empty() && self.coding != Coding::Zstd {
                decoder.flush(&mut output)?;
            } else {
                self.has_ended = decoder.decode(&mut input, &mut output)?;
            }
            self.is_full = output.has_no_spare_space();
            let (consumed, written) = (input.written_len(), output.written_len());
            self.input.advance(consumed);
            if written > 0 {
                piece.truncate(written);
                return Ok(piece.into());
            }
            if consumed == 0 && !self.input.is_empty() && !self.has_ended {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the decoder makes no progress"));
            }
        }
    }

    /// Several members of `gzip`, or frames of `zstd`, may follow each other. What else follows the end is ignored, as browsers do.
    fn skip_to_next_member(&mut self) -> io::Result<()> {
        if !self.has_ended || self.input.is_empty() {
            return Ok(());
        }
        let goes_on = match self.coding {
            Coding::Gzip => self.input[0] == 0x1f,
            Coding::Zstd => true,
            Coding::Brotli | Coding::Deflate => false,
        };
        match self.decoder.as_mut().filter(|_| goes_on) {
            Some(decoder) => {
                decoder.reinit()?;
                self.has_ended = false;
            }
            None => self.input.clear(),
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        let is_complete = match &mut self.decoder {
            _ if self.has_ended => true,
            Some(decoder) => decoder.finish(&mut WriteBuffer::new_initialized(&mut [0; 64])).unwrap_or(false),
            None => false,
        };
        if is_complete { Ok(()) } else { Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the body ends too early")) }
    }
}

/// The decoder, created once the first bytes tell which one. `deflate` means zlib, but some servers send it without zlib's header.
fn start<'a>(decoder: &'a mut Option<Decoder>, coding: Coding, input: &[u8]) -> Option<&'a mut Decoder> {
    if decoder.is_none() {
        *decoder = Some(match (coding, input) {
            (_, []) | (Coding::Deflate, [_]) => return None,
            (Coding::Gzip, _) => Box::new(GzipDecoder::new()),
            (Coding::Brotli, _) => Box::new(BrotliDecoder::new()),
            (Coding::Zstd, _) => Box::new(ZstdDecoder::new_with_params(&[DParameter::window_log_max(ZSTD_WINDOW_LOG)])),
            (Coding::Deflate, [first, second, ..]) => {
                let is_zlib = first & 0x8f == 8 && u16::from_be_bytes([*first, *second]).is_multiple_of(31);
                if is_zlib { Box::new(ZlibDecoder::new()) } else { Box::new(DeflateDecoder::new()) }
            }
        });
    }
    decoder.as_mut()
}
