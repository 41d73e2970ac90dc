//! The gRPC interface between the tiers: the compiled files of `proto/`, and conversions to and from the domain.
//!
//! | from | to | by |
//! |---|---|---|
//! | [`SessionView`](session_domain::SessionView) | [`v1::Session`] | [`session_to_wire`]; `TryFrom` back |
//! | [`PodReport`](session_domain::PodReport) | [`v1::Pod`] | [`pod_to_wire`]; `TryFrom` back |
//! | [`Outcome`](session_domain::Outcome) | [`v1::Outcome`] | [`outcome_to_wire`]; [`departure_from_wire`] back |
//!
//! # Invariants
//! - Conversions to the wire cannot fail. Conversions from it return [`InvalidMessage`] and never panic, whatever arrives.
//! - A client that uses [`watch_sessions`] never decodes a message larger than its limits.
//! - This crate makes no decisions: it converts, and refuses what is not valid.
//! - The generated code is checked in, so a build needs no `protoc`. `cargo xtask codegen` renews it, and a test compares
//!   it with `proto/`.

mod error;
mod from_wire;
mod message_budget;
mod to_wire;
mod watch_codec;

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

pub use error::InvalidMessage;
pub use from_wire::departure_from_wire;
pub use message_budget::MessageBudget;
pub use to_wire::{outcome_to_wire, pod_to_wire, session_to_wire};
pub use watch_codec::{MAX_MESSAGE_BYTES, MAX_SESSIONS_PER_MESSAGE, MAX_TASKS_PER_MESSAGE, watch_sessions};

/// The proto files as an encoded `FileDescriptorSet`, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("generated/descriptor.bin");
