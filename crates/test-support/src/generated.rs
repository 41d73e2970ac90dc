//! Checked-in files that are generated: `LASTCALL_CODEGEN=write` (`cargo xtask codegen`) makes the comparison renew them.

use std::fs;
use std::path::Path;

/// Compares the file at `path`, from the root of the repository, with what is generated now.
///
/// # Panics
/// They differ.
pub fn assert_generated(path: &str, generated: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    if std::env::var("LASTCALL_CODEGEN").is_ok_and(|value| value == "write") {
        fs::write(&file, generated).unwrap();
    }
    let checked_in = fs::read_to_string(&file).unwrap_or_default();
    for (line, (now, then)) in generated.lines().zip(checked_in.lines()).enumerate() {
        assert_eq!(now, then, "{path}:{}: run `cargo xtask codegen` and commit the result", line + 1);
    }
    assert!(generated == checked_in, "{path} is not current: run `cargo xtask codegen` and commit the result");
}
