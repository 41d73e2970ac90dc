//! The checksums of the packages' archives in `Cargo.lock`.

use std::collections::HashMap;

/// SHA-256 by name and version. Crates of the workspace have none.
pub(super) type Checksums = HashMap<(String, String), String>;

/// Reads a lock file: cargo writes it, each of these keys on a line of its own and in this order.
pub(super) fn checksums(lock: &str) -> Checksums {
    let value = |package: &str, key: &str| {
        let line = package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
        line.map(|value| value.trim_matches('"').to_owned())
    };
    let packages = lock.split("[[package]]").skip(1);
    packages
        .filter_map(|package| {
            Some(((value(package, "name")?, value(package, "version")?), value(package, "checksum")?))
        })
        .collect()
}
