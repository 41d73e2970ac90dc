//! Parses the output of `cargo tree --prefix depth --format '{p}|{l}'` into packages and their dependencies.

use anyhow::Context as _;

/// A linked crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    /// An SPDX expression, if the crate declares one.
    pub(super) license: Option<String>,
    /// Indices of its dependencies in the list, in order and without duplicates.
    pub(super) needs: Vec<usize>,
}

impl Package {
    /// The package URL, by which dependencies refer to it.
    pub(super) fn url(&self) -> String {
        format!("pkg:cargo/{}@{}", self.name, self.version.replace('+', "%2B"))
    }
}

/// The dependencies of a root, the root first. Cargo prints the dependencies of a package at its first place, and `(*)` at every
/// later one.
///
/// # Errors
/// The root is missing, or a line has another form.
pub(super) fn read(text: &str, root: &str) -> anyhow::Result<Vec<Package>> {
    let mut packages: Vec<Package> = Vec::new();
    let mut edges = Vec::new();
    // The ancestors of the current line, by depth.
    let mut above: Vec<usize> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let (depth, package) = parse(line).with_context(|| format!("cargo tree says {line:?}"))?;
        let known =
            packages.iter().position(|known| (&known.name, &known.version) == (&package.name, &package.version));
        let at = known.unwrap_or_else(|| {
            packages.push(package);
            packages.len() - 1
        });
        above.truncate(depth);
        edges.extend(above.last().map(|parent| (*parent, at)));
        above.push(at);
    }
    for (parent, child) in edges {
        if !packages[parent].needs.contains(&child) {
            packages[parent].needs.push(child);
        }
    }
    let root =
        packages.iter().position(|package| package.name == root).with_context(|| format!("no package {root}"))?;
    Ok(below(&packages, root))
}

/// `3serde v1.0.1 (proc-macro)|MIT OR Apache-2.0 (*)`.
fn parse(line: &str) -> Option<(usize, Package)> {
    let start = line.find(|character: char| !character.is_ascii_digit())?;
    let (package, license) = line[start..].split_once('|')?;
    let mut words = package.split(' ');
    let name = words.next()?.to_owned();
    let version = words.next()?.strip_prefix('v')?.to_owned();
    // Old crates write a slash for "OR".
    let license = license.trim_end_matches("(*)").trim().replace(" / ", "/").replace('/', " OR ");
    let license = Some(license).filter(|license| !license.is_empty());
    Some((line[..start].parse().ok()?, Package { name, version, license, needs: Vec::new() }))
}

/// The part of the graph that a root reaches, with new indices.
fn below(packages: &[Package], root: usize) -> Vec<Package> {
    let mut reached = vec![root];
    let mut next = 0;
    while let Some(at) = reached.get(next).copied() {
        for need in &packages[at].needs {
            if !reached.contains(need) {
                reached.push(*need);
            }
        }
        next += 1;
    }
    let place = |old: &usize| reached.iter().position(|at| at == old);
    let renumbered =
        |package: &Package| Package { needs: package.needs.iter().filter_map(place).collect(), ..package.clone() };
    reached.iter().map(|at| renumbered(&packages[*at])).collect()
}
