//! A hostile tour of the user tier: what others type, send, frame and replay, each with its answer.

mod browser;
mod bytes;
mod headers;
mod replay;
mod sign_out;
