//! The gRPC interface between the tiers: `proto/` compiled, and its conversions to and from the domain.
//!
//! The generated code is checked in (`cargo xtask codegen` renews it, a test compares it), so that building needs
//! no `protoc`. This crate never decides anything: it translates, and refuses what has no meaning.

mod bounded;
mod convert;
mod error;

/// Package `lastcall.v1`, as generated from `proto/lastcall/v1/`.
#[allow(
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    clippy::all,
    reason = "generated code; its documentation is in the proto files and carried over where the generator does"
)]
pub mod v1 {
    include!("generated/lastcall.v1.rs");
}

pub use bounded::{MAX_MESSAGE_BYTES, MAX_SESSIONS_PER_MESSAGE, watch_sessions};
pub use convert::{
    departure_from_wire, outcome_to_wire, phase_to_wire, pod_to_wire, session_to_wire, timestamp_to_wire,
};
pub use error::InvalidMessage;

/// The proto files as an encoded `FileDescriptorSet`, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("generated/descriptor.bin");
