//! A hostile tour of the admin tier: what pods, users, clusters and other sites send, each with its answer.

mod browser;
mod bytes;
mod headers;
