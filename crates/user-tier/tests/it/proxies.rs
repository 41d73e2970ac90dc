//! The user tier behind proxies as people run them.

mod drain;
