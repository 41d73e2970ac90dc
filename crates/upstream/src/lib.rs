//! The app behind Lastcall: the connections to it, what its requests and responses lose and gain on the way, connections that are
//! upgraded, and Lastcall's script in its pages. Knows nothing of sessions.

pub mod page;
pub mod tunnel;
