//! The Close frames that the relay puts into a connection.

use super::CloseCode;

/// A final frame with the opcode of Close.
const FINAL_CLOSE: u8 = 0x88;
const MASKED: u8 = 0x80;
const CODE_BYTES: u8 = 2;

/// A Close frame as servers send it.
pub(super) fn to_client(code: CloseCode) -> [u8; 4] {
    let [high, low] = code.0.to_be_bytes();
    [FINAL_CLOSE, CODE_BYTES, high, low]
}

/// A Close frame as clients send it: masked.
pub(super) fn to_app(code: CloseCode) -> [u8; 8] {
    let [high, low] = code.0.to_be_bytes();
    let mask @ [m0, m1, m2, m3] = fastrand::u32(..).to_be_bytes();
    [FINAL_CLOSE, MASKED | CODE_BYTES, m0, m1, m2, m3, high ^ mask[0], low ^ mask[1]]
}
