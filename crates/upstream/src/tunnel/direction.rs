//! One direction of a relayed connection: reads from one side, writes to the other.
//!
//! What was read is written before more is read, so that a side that does not read stops the other. Bytes are copied to the heap only
//! where the receiver does not take them at once, and an idle direction holds no buffer.

use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frames::{FrameReader, Limit, MAX_HEADER_BYTES};

/// How much is read at once, and waits for the receiver at most.
pub(super) const CHUNK_BYTES: usize = 16 * 1024;

/// What is known of the side that is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Open,
    /// It has shut down its direction.
    Ended,
    /// The connection has failed.
    Lost,
}

/// What is known of the side that is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sink {
    Open,
    ShutDown,
    /// It takes nothing any more.
    Lost,
}

/// One direction.
#[derive(Debug)]
pub(super) struct Direction {
    /// `None` where the protocol is unknown.
    frames: Option<FrameReader>,
    limit: Limit,
    /// The beginning of a header, held back until it is complete: until then a Close frame may be put.
    held: Vec<u8>,
    /// Whether the source has ended in the middle of a header, which was passed on.
    ends_in_header: bool,
    /// What the receiver has not taken yet, from `written` on.
    pending: Vec<u8>,
    written: usize,
    needs_flush: bool,
    source: Source,
    sink: Sink,
    /// Whether the end of the source is passed on.
    passes_end: bool,
    /// Whether the sink is shut down even though the source is open.
    shuts_down: bool,
    bytes: u64,
}

impl Direction {
    pub(super) fn new(frames: Option<FrameReader>) -> Self {
        Self {
            frames,
            limit: Limit::None,
            held: Vec::new(),
            ends_in_header: false,
            pending: Vec::new(),
            written: 0,
            needs_flush: false,
            source: Source::Open,
            sink: Sink::Open,
            passes_end: true,
            shuts_down: false,
            bytes: 0,
        }
    }

    /// Relays until one of the sides has to be waited for. Ready where nothing is left to do.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        mut from: Pin<&mut impl AsyncRead>,
        mut to: Pin<&mut impl AsyncWrite>,
    ) -> Poll<()> {
        loop {
            ready!(self.poll_pending(context, to.as_mut()));
            let at_end = self.shuts_down || (self.passes_end && self.source != Source::Open);
            if at_end && self.sink == Sink::Open {
                let shut_down = ready!(to.as_mut().poll_shutdown(context));
                self.sink = if shut_down.is_ok() { Sink::ShutDown } else { Sink::Lost };
            }
            if self.source != Source::Open {
                return Poll::Ready(());
            }
            ready!(self.poll_chunk(context, from.as_mut(), to.as_mut()));
        }
    }

    /// Writes what the receiver has not taken yet.
    fn poll_pending(&mut self, context: &mut Context<'_>, mut to: Pin<&mut impl AsyncWrite>) -> Poll<()> {
        while self.written < self.pending.len() && self.sink == Sink::Open {
            match ready!(to.as_mut().poll_write(context, &self.pending[self.written..])) {
                Ok(written) if written > 0 => self.written += written,
                Ok(_) | Err(_) => self.sink = Sink::Lost,
            }
            self.needs_flush = true;
        }
        self.pending = Vec::new();
        self.written = 0;
        if self.needs_flush && self.sink == Sink::Open && ready!(to.poll_flush(context)).is_err() {
            self.sink = Sink::Lost;
        }
        self.needs_flush = false;
        Poll::Ready(())
    }

    /// Reads once, and writes what of it is accepted, as far as the receiver takes it now.
    fn poll_chunk(
        &mut self,
        context: &mut Context<'_>,
        from: Pin<&mut impl AsyncRead>,
        to: Pin<&mut impl AsyncWrite>,
    ) -> Poll<()> {
        let mut space = [const { MaybeUninit::uninit() }; CHUNK_BYTES];
        let mut buffer = ReadBuf::uninit(&mut space);
        buffer.put_slice(&self.held);
        match ready!(from.poll_read(context, &mut buffer)) {
            Ok(()) if buffer.filled().len() > self.held.len() => {}
            ended => {
                self.source = if ended.is_ok() { Source::Ended } else { Source::Lost };
                if self.limit == Limit::None {
                    self.ends_in_header = !self.held.is_empty();
                    self.pending.append(&mut self.held);
                }
                return Poll::Ready(());
            }
        }
        let bytes = buffer.filled();
        let (accepted, rest) = bytes.split_at(self.accept(bytes));
        self.held.clear();
        if self.accepts_more() {
            debug_assert!(rest.len() < MAX_HEADER_BYTES);
            self.held.extend_from_slice(rest);
        }
        self.bytes += accepted.len() as u64;
        if accepted.is_empty() || self.sink != Sink::Open {
            return Poll::Ready(());
        }
        self.needs_flush = true;
        let written = match to.poll_write(context, accepted) {
            Poll::Ready(Ok(written)) if written > 0 => written,
            Poll::Ready(_) => {
                self.sink = Sink::Lost;
                return Poll::Ready(());
            }
            Poll::Pending => 0,
        };
        self.pending.extend_from_slice(&accepted[written..]);
        Poll::Ready(())
    }

    fn accept(&mut self, bytes: &[u8]) -> usize {
        match &mut self.frames {
            Some(frames) => frames.accept(bytes, self.limit),
            None if self.limit == Limit::None => bytes.len(),
            None => 0,
        }
    }

    fn accepts_more(&self) -> bool {
        self.frames
            .as_ref()
            .is_some_and(|frames| !frames.is_closed() && !frames.is_faulty() && !frames.has_reached(self.limit))
    }

    /// Reads on, but accepts nothing behind the limit.
    pub(super) const fn set_limit(&mut self, limit: Limit) {
        self.limit = limit;
    }

    /// Leaves the sink open when the source ends: a Close frame may follow.
    pub(super) const fn hold_end(&mut self) {
        self.passes_end = false;
    }

    /// Passes the end of the source on.
    pub(super) const fn pass_end(&mut self) {
        self.passes_end = true;
    }

    /// Accepts nothing more, and shuts the sink down once everything accepted is written.
    pub(super) const fn finish(&mut self) {
        self.limit = Limit::Nothing;
        self.shuts_down = true;
    }

    /// Puts a Close frame behind what was accepted, and accepts nothing more. Not inside a frame, and not behind another Close frame.
    pub(super) fn put_close(&mut self, frame: &[u8]) {
        self.limit = Limit::Nothing;
        self.held.clear();
        let Some(frames) = &mut self.frames else { return };
        if frames.is_between_frames() && !self.ends_in_header && !frames.is_closed() && self.sink == Sink::Open {
            frames.mark_closed();
            self.pending.extend_from_slice(frame);
        }
    }

    /// Whether no more is accepted: there was a Close frame or a fault, the source is gone, or the limit is reached.
    pub(super) fn has_stopped(&self) -> bool {
        self.source != Source::Open
            || self
                .frames
                .as_ref()
                .is_some_and(|frames| frames.is_closed() || frames.is_faulty() || frames.has_reached(self.limit))
    }

    /// Whether the receiver has taken everything that was accepted, or takes nothing any more.
    pub(super) fn is_written(&self) -> bool {
        (self.pending.is_empty() && !self.needs_flush) || self.sink == Sink::Lost
    }

    /// Whether a Close frame was accepted or put.
    pub(super) fn is_closed(&self) -> bool {
        self.frames.as_ref().is_some_and(FrameReader::is_closed)
    }

    /// Whether a frame came that cannot be followed.
    pub(super) fn is_faulty(&self) -> bool {
        self.frames.as_ref().is_some_and(FrameReader::is_faulty)
    }

    /// Whether the source has ended or failed.
    pub(super) fn has_ended(&self) -> bool {
        self.source != Source::Open
    }

    /// Whether the source has failed.
    pub(super) fn is_lost(&self) -> bool {
        self.source == Source::Lost
    }

    /// Whether the receiver has been told the end, or is gone.
    pub(super) fn is_shut_down(&self) -> bool {
        self.sink != Sink::Open
    }

    /// How many bytes of the source were accepted.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }
}
