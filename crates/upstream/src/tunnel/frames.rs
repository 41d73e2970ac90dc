//! Reads the headers of WebSocket frames, to know where in the stream a Close frame may stand. Never looks at a payload.
//!
//! What RFC 6455 forbids passes as it is, because the endpoints judge it: reserved bits and opcodes, long or fragmented control frames,
//! masks that are missing or too many. Only a length of 2^63 bytes or more is a fault: no end of such a frame can be computed.

/// The longest header: two bytes, a length of eight bytes, a mask of four.
pub(super) const MAX_HEADER_BYTES: usize = 14;

const FIN: u8 = 0x80;
const OPCODE: u8 = 0x0f;
const MASK: u8 = 0x80;
const LENGTH: u8 = 0x7f;
const OPCODE_CLOSE: u8 = 0x8;
/// Opcodes from here on are control frames: they may stand between the frames of a message.
const FIRST_CONTROL_OPCODE: u8 = 0x8;
const MAX_LENGTH: u64 = i64::MAX as u64;

/// Up to where bytes are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// Everything is accepted.
    None,
    /// The end of the message.
    Message,
    /// The end of the frame.
    Frame,
    /// Nothing is accepted any more.
    Nothing,
}

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    is_final: bool,
    opcode: u8,
    header_bytes: usize,
    payload_bytes: u64,
}

/// The length of a frame is 2^63 bytes or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct InvalidLength;

impl Header {
    /// `None` where `bytes` hold a part of the header only.
    fn parse(bytes: &[u8]) -> Result<Option<Self>, InvalidLength> {
        let [first, second, rest @ ..] = bytes else { return Ok(None) };
        let (length_bytes, payload_bytes) = match second & LENGTH {
            126 => match rest.first_chunk() {
                Some(length) => (2, u64::from(u16::from_be_bytes(*length))),
                None => return Ok(None),
            },
            127 => match rest.first_chunk() {
                Some(length) => (8, u64::from_be_bytes(*length)),
                None => return Ok(None),
            },
            length => (0, u64::from(length)),
        };
        if payload_bytes > MAX_LENGTH {
            return Err(InvalidLength);
        }
        let mask_bytes = if second & MASK == 0 { 0 } else { 4 };
        let header_bytes = 2 + length_bytes + mask_bytes;
        let header = Self { is_final: first & FIN != 0, opcode: first & OPCODE, header_bytes, payload_bytes };
        Ok((bytes.len() >= header_bytes).then_some(header))
    }
}

/// Follows the frames of one direction.
#[derive(Debug, Default)]
pub(super) struct FrameReader {
    /// What is still to come of the frame whose header was accepted.
    payload_left: u64,
    /// Whether that is a Close frame.
    is_close: bool,
    /// Whether the last data frame was not the final one of its message.
    in_message: bool,
    is_closed: bool,
    is_faulty: bool,
}

impl FrameReader {
    /// Says how many of the bytes are accepted: those up to `limit`, and none behind a Close frame or from a faulty frame on. A header is
    /// accepted as a whole only: what is left of `bytes` without a limit is the beginning of one, and is given again with what follows.
    pub(super) fn accept(&mut self, bytes: &[u8], limit: Limit) -> usize {
        let mut accepted = 0;
        while !self.is_closed && !self.is_faulty && !self.has_reached(limit) {
            if self.payload_left > 0 {
                let rest = bytes.len() - accepted;
                let taken = usize::try_from(self.payload_left).map_or(rest, |left| left.min(rest));
                self.payload_left -= taken as u64;
                accepted += taken;
                if self.payload_left > 0 {
                    break;
                }
                self.is_closed = self.is_close;
                continue;
            }
            match Header::parse(&bytes[accepted..]) {
                Ok(Some(header)) => {
                    accepted += header.header_bytes;
                    self.begin(header);
                }
                Ok(None) => break,
                Err(InvalidLength) => self.is_faulty = true,
            }
        }
        accepted
    }

    fn begin(&mut self, header: Header) {
        if header.opcode < FIRST_CONTROL_OPCODE {
            self.in_message = !header.is_final;
        }
        self.is_close = header.opcode == OPCODE_CLOSE;
        self.payload_left = header.payload_bytes;
        self.is_closed = self.is_close && header.payload_bytes == 0;
    }

    /// Whether everything up to the limit was accepted.
    pub(super) const fn has_reached(&self, limit: Limit) -> bool {
        match limit {
            Limit::None => false,
            Limit::Message => self.is_between_frames() && !self.in_message,
            Limit::Frame => self.is_between_frames(),
            Limit::Nothing => true,
        }
    }

    /// Whether a frame may follow what was accepted.
    pub(super) const fn is_between_frames(&self) -> bool {
        self.payload_left == 0
    }

    /// Whether a Close frame was accepted.
    pub(super) const fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Records that a Close frame follows what was accepted.
    pub(super) const fn mark_closed(&mut self) {
        self.is_closed = true;
    }

    /// Whether a frame of 2^63 bytes or more followed.
    pub(super) const fn is_faulty(&self) -> bool {
        self.is_faulty
    }
}

#[cfg(test)]
mod tests;
