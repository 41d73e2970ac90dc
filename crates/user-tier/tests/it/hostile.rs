//! Attacks on the user tier: text that others type, requests that they send or replay, frames.

mod browser;
mod bytes;
mod headers;
mod replay;
mod sign_out;
