//! Builds the crate again when a migration is added: `sqlx::migrate!` embeds the files of these folders.

#![allow(clippy::print_stdout, reason = "this is how a build script speaks to cargo")]

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
