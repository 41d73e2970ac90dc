//! Limits on what clients send, where handlers share them.

/// The largest form that is read, in bytes.
pub(crate) const MAX_FORM_BYTES: usize = 16 * 1024;
