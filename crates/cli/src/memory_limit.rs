//! The memory limit of the process by its control groups (Linux). Unknown on other systems, and without a limit.

use std::path::{Path, PathBuf};

/// Returns the limit in bytes, if there is one.
pub fn bytes() -> Option<u64> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    limit_in(Path::new("/sys/fs/cgroup"), &groups)
}

/// The smallest limit of the groups of the process and of their ancestors. `groups` is the content of `/proc/self/cgroup`.
fn limit_in(root: &Path, groups: &str) -> Option<u64> {
    groups
        .lines()
        .filter_map(|line| group(root, line))
        .flat_map(|(root, group, file)| limits(&root, &group, file))
        .min()
}

/// Where the memory limit of a line of `/proc/self/cgroup` is: the root of the hierarchy, the group in it, and the file.
fn group(root: &Path, line: &str) -> Option<(PathBuf, PathBuf, &'static str)> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (controllers, path) = (fields.next()?, fields.next()?);
    let path = PathBuf::from(path.trim_start_matches('/'));
    if controllers.is_empty() {
        return Some((root.to_owned(), path, "memory.max"));
    }
    let is_memory = controllers.split(',').any(|controller| controller == "memory");
    is_memory.then(|| (root.join("memory"), path, "memory.limit_in_bytes"))
}

/// The limits of a group and its ancestors. In a container the path may be that of the host, so that only the root exists.
fn limits(root: &Path, group: &Path, file: &str) -> Vec<u64> {
    group.ancestors().filter_map(|ancestor| read(&root.join(ancestor).join(file))).collect()
}

/// Reads a limit. `max`, and the number of version 1 for no limit (nearly 2^63), are no limit.
fn read(path: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    text.trim().parse().ok().filter(|bytes| *bytes < 1 << 62)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Creates a tree of control groups with these files.
    fn tree(name: &str, files: &[(&str, &str)]) -> PathBuf {
        let root = std::env::temp_dir().join(format!("lastcall-cgroup-{name}-{}", std::process::id()));
        for (path, text) in files {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    /// A name, the files, the content of `/proc/self/cgroup`, and the expected limit.
    type Case = (&'static str, &'static [(&'static str, &'static str)], &'static str, Option<u64>);

    #[test]
    fn the_smallest_limit_of_a_group_and_its_ancestors_counts_in_both_versions() {
        let cases: [Case; 5] = [
            ("container", &[("memory.max", "268435456\n")], "0::/\n", Some(268_435_456)),
            ("unlimited", &[("memory.max", "max\n")], "0::/\n", None),
            ("nested", &[("pods/memory.max", "1000\n"), ("pods/a/memory.max", "max\n")], "0::/pods/a\n", Some(1000)),
            (
                "v1",
                &[
                    ("memory/a/memory.limit_in_bytes", "9223372036854771712\n"),
                    ("memory/memory.limit_in_bytes", "2000\n"),
                ],
                "5:cpu,cpuacct:/a\n4:memory:/a\n",
                Some(2000),
            ),
            ("none", &[], "0::/a\n", None),
        ];
        for (name, files, groups, limit) in cases {
            let root = tree(name, files);
            assert_eq!(limit_in(&root, groups), limit, "{name}");
            let _ = std::fs::remove_dir_all(root);
        }
    }
}
