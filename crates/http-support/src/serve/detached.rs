//! A response that has left hyper: the rest of an event stream, sent by a small task without hyper's buffers.
//!
//! The head and the first events were written by hyper, which has chosen the framing: chunks of HTTP/1.1. Here the following events
//! are written in the same framing, byte for byte as hyper would, and the socket is watched for the client's end. Nothing is read:
//! what the client sends meanwhile waits in the kernel, for hyper, which gets the connection back after the last chunk.

use std::io::{self, IoSlice, Read as _, Write as _};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::FutureExt as _;
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tracing::debug;

use super::activity::Serving;
use super::detachable_body::Chunks;
use super::handover::LeftBody;

/// How much of what the client has sent is discarded before the connection closes, in bytes. The kernel resets a connection that closes
/// with unread bytes, and the client could lose the last event.
const MAX_DISCARDED_BYTES: usize = 64 * 1024;

/// The longest line that tells the size of a chunk: sixteen digits and the line end.
const MAX_SIZE_LINE: usize = 18;

const LINE_END: &[u8] = b"\r\n";

/// A connection on its way back to hyper.
#[derive(Debug)]
pub(super) struct Returned {
    pub(super) stream: TcpStream,
    /// What hyper had read beyond the request.
    pub(super) read_ahead: Bytes,
}

/// The rest of a response.
pub(super) struct Detached {
    stream: TcpStream,
    chunks: Chunks,
    /// The chunk that did not fit into the socket. Boxed: most streams never have one.
    unsent: Option<Box<Unsent>>,
    /// What hyper had read beyond the request. A copy: the original keeps hyper's buffer.
    read_ahead: Box<[u8]>,
    keeps_alive: bool,
    /// Whether the last chunk is being written.
    is_over: bool,
    /// Whether the client has sent something that was not read.
    has_unread: bool,
    serving: Serving,
}

struct Unsent {
    data: Bytes,
    /// How much of the chunk is in the socket, its frame included.
    sent: usize,
}

impl Detached {
    pub(super) fn new(stream: TcpStream, body: LeftBody, read_ahead: &[u8], serving: Serving) -> Self {
        let LeftBody { chunks, keeps_alive } = body;
        Self {
            stream,
            chunks,
            unsent: None,
            read_ahead: read_ahead.into(),
            keeps_alive,
            is_over: false,
            has_unread: false,
            serving,
        }
    }

    /// Sends the chunks. `true` once the last one is in the socket; `false` where the client has gone.
    ///
    /// As long as the client does not read, at most one chunk waits here, and the source is not polled. The socket options close such
    /// a connection in the end.
    pub(super) fn poll_sent(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        let mut chunk = self.unsent.take().map(|unsent| *unsent);
        loop {
            if let Some(mut unsent) = chunk.take() {
                match unsent.poll_write(&self.stream, context) {
                    Poll::Ready(Ok(())) if self.is_over => return Poll::Ready(true),
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(error)) => {
                        debug!(error = &error as &dyn std::error::Error, "an event stream broke");
                        return Poll::Ready(false);
                    }
                    Poll::Pending => {
                        self.unsent = Some(Box::new(unsent));
                        break;
                    }
                }
            }
            chunk = match self.chunks.as_mut().poll_next(context) {
                // An empty chunk would end the response.
                Poll::Ready(Some(data)) if data.is_empty() => None,
                Poll::Ready(Some(data)) => Some(Unsent { data, sent: 0 }),
                Poll::Ready(None) => {
                    self.is_over = true;
                    Some(Unsent { data: Bytes::new(), sent: 0 })
                }
                Poll::Pending => break,
            };
        }
        self.poll_client_gone(context).map(|()| false)
    }

    /// Waits for the client's end. Unread bytes do not hide it.
    fn poll_client_gone(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            if ready!(self.stream.poll_read_ready(context)).is_err() {
                return Poll::Ready(());
            }
            match self.stream.ready(Interest::READABLE).now_or_never() {
                Some(Ok(ready)) if !ready.is_read_closed() => {}
                Some(_) => return Poll::Ready(()),
                None => continue,
            }
            self.has_unread = true;
            // Waits for more than the bytes that are there.
            let _ = self.stream.try_io(Interest::READABLE, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
        }
    }

    /// Gives the connection back, unless it closes: because of what the heads have said, or because `closes`.
    pub(super) fn finish(self, closes: bool) -> Option<Returned> {
        let Self { stream, read_ahead, keeps_alive, has_unread, serving, .. } = self;
        let read_ahead = Bytes::from(read_ahead);
        // The client is idle, or sends its next request.
        drop(serving);
        if !keeps_alive || closes {
            discard(&stream);
            return None;
        }
        if !has_unread {
            return Some(Returned { stream, read_ahead });
        }
        // Registered anew, so that the runtime learns of the bytes that are there.
        let renewed = stream.into_std().and_then(TcpStream::from_std);
        Some(Returned { stream: renewed.ok()?, read_ahead })
    }
}

fn discard(stream: &TcpStream) {
    let (mut buffer, mut discarded) = ([0; 1024], 0);
    let socket = SockRef::from(stream);
    while discarded < MAX_DISCARDED_BYTES {
        // Not by the runtime, for which nothing is there to read.
        match (&*socket).read(&mut buffer) {
            Ok(count) if count > 0 => discarded += count,
            Ok(_) | Err(_) => return,
        }
    }
}

impl Unsent {
    /// Writes the chunk to its end.
    fn poll_write(&mut self, stream: &TcpStream, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.is_sent() {
            match self.write_to(stream) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(stream.poll_write_ready(context))?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Writes what is left of the chunk, with its frame, to the socket. Copies nothing.
    fn write_to(&self, stream: &TcpStream) -> io::Result<usize> {
        let mut size = [0; MAX_SIZE_LINE];
        let size = self.size_line(&mut size);
        let (mut slices, mut skipped) = ([IoSlice::new(&[]); 3], self.sent);
        for (slice, part) in slices.iter_mut().zip([size, &self.data[..], LINE_END]) {
            let before = skipped.min(part.len());
            skipped -= before;
            *slice = IoSlice::new(&part[before..]);
        }
        stream.try_write_vectored(&slices)
    }

    fn is_sent(&self) -> bool {
        let size = self.size_line(&mut [0; MAX_SIZE_LINE]).len();
        self.sent >= size + self.data.len() + LINE_END.len()
    }

    /// The line before the data. With the line end after them, a chunk without data is the last one.
    fn size_line<'a>(&self, buffer: &'a mut [u8; MAX_SIZE_LINE]) -> &'a [u8] {
        let mut rest = &mut buffer[..];
        // The buffer is large enough for every length.
        let _ = write!(rest, "{:X}\r\n", self.data.len());
        let left = rest.len();
        &buffer[..MAX_SIZE_LINE - left]
    }
}

#[cfg(test)]
mod tests;
