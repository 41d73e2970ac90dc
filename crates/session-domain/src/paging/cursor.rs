//! Positions in an ordered list, and how they are written.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;
use uuid::Uuid;

use crate::ids::SessionId;

const VERSION: u8 = 2;
const NUMBER: u8 = b'n';
const TEXT: u8 = b't';
/// Version, scope, id, kind of the key and length of the key; the key follows.
const HEADER_LEN: usize = 1 + 8 + 16 + 1 + 4;

/// What a list is ordered by: numbers (times are milliseconds) or texts. All keys of one list are of one kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Ordered by value.
    Number(i64),
    /// Ordered by code points.
    Text(String),
}

/// A position in an order: right after the row with this key and id, whether that row still exists or not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The row's key.
    pub key: Key,
    /// The row's id, which breaks ties between equal keys.
    pub id: SessionId,
}

/// Explains why a cursor is refused. The caller may start again without a cursor.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum CursorError {
    /// The text is not a cursor.
    #[error("the cursor is damaged: pass it on unchanged, or leave it out to begin again")]
    Damaged,
    /// The cursor was made for a list with another order or filter.
    #[error("the cursor belongs to a list with another filter or order: leave it out to begin again")]
    Foreign,
}

impl Cursor {
    /// Encodes the cursor for lists of the scope `scope`, in characters of `[A-Za-z0-9_-]` only.
    pub fn encode(&self, scope: &str) -> String {
        let (kind, key) = match &self.key {
            Key::Number(number) => (NUMBER, number.to_be_bytes().to_vec()),
            Key::Text(text) => (TEXT, text.as_bytes().to_vec()),
        };
        let mut bytes = Vec::with_capacity(HEADER_LEN + key.len());
        bytes.push(VERSION);
        bytes.extend(fingerprint(scope));
        bytes.extend(self.id.as_uuid().as_bytes());
        bytes.push(kind);
        bytes.extend(length(&key));
        bytes.extend(key);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Decodes a cursor that [`Cursor::encode`] wrote for the same scope.
    ///
    /// # Errors
    /// [`CursorError::Damaged`] if the text is not a cursor, [`CursorError::Foreign`] if its scope is another.
    pub fn decode(text: &str, scope: &str) -> Result<Self, CursorError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CursorError::Damaged)?;
        let (header, key) = bytes.split_at_checked(HEADER_LEN).ok_or(CursorError::Damaged)?;
        if header[0] != VERSION || header[26..30] != length(key) {
            return Err(CursorError::Damaged);
        }
        if header[1..9] != fingerprint(scope) {
            return Err(CursorError::Foreign);
        }
        let id = Uuid::from_slice(&header[9..25]).map_err(|_| CursorError::Damaged)?;
        let key = match header[25] {
            NUMBER => Key::Number(i64::from_be_bytes(key.try_into().map_err(|_| CursorError::Damaged)?)),
            TEXT => Key::Text(String::from_utf8(key.to_vec()).map_err(|_| CursorError::Damaged)?),
            _ => return Err(CursorError::Damaged),
        };
        Ok(Self { key, id: SessionId::from_uuid(id) })
    }
}

/// The length of the key, without which a truncated or extended cursor would be another valid one.
fn length(key: &[u8]) -> [u8; 4] {
    u32::try_from(key.len()).unwrap_or(u32::MAX).to_be_bytes()
}

/// FNV-1a of the scope, which is the same in every process and every release.
fn fingerprint(scope: &str) -> [u8; 8] {
    let hash = scope
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    hash.to_be_bytes()
}
