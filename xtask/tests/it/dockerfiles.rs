//! The two Dockerfiles: the same build stages, and accepted by hadolint.

use std::process::Command;

use crate::{root, text};

/// All before the last stage, without the heading line.
fn stages_that_build(text: &str) -> &str {
    let (_, below) = text.split_once('\n').unwrap();
    below.split("FROM ${RUNTIME_IMAGE}").next().unwrap()
}

#[test]
fn both_dockerfiles_share_their_build_stages() {
    let (user, admin) = (text("Dockerfile.user"), text("Dockerfile.admin"));
    assert_eq!(stages_that_build(&user), stages_that_build(&admin));
}

#[test]
fn the_last_stages_differ_only_in_names_and_ports() {
    let last = |name: &str| text(name).split("FROM ${RUNTIME_IMAGE}").nth(1).unwrap().to_owned();
    let described = |text: String| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.contains("image.description") && !line.starts_with("EXPOSE"));
        lines.map(|line| line.replace("admin", "user")).collect()
    };
    assert_eq!(described(last("Dockerfile.user")), described(last("Dockerfile.admin")));
    assert!(last("Dockerfile.user").contains("EXPOSE 9090 9091\n"));
    assert!(last("Dockerfile.admin").contains("EXPOSE 9092\n"));
}

#[test]
fn the_build_context_of_an_image_contains_neither_git_nor_tests_nor_xtask() {
    let allowed = text(".dockerignore");
    let first = allowed.lines().find(|line| !line.starts_with('#')).unwrap();
    assert_eq!(first, "*", "all is left out that is not named");
    let kept: Vec<&str> = allowed.lines().filter_map(|line| line.strip_prefix('!')).collect();
    assert_eq!(
        kept,
        ["Cargo.toml", "Cargo.lock", "crates", "xtask", "xtask/Cargo.toml", "xtask/src", "xtask/src/main.rs"]
    );
}

mod hadolint {
    use super::*;

    #[test]
    fn finds_nothing_in_either() {
        let installed = root().join("target/tools/bin/hadolint");
        let program = if installed.is_file() { installed } else { "hadolint".into() };
        for name in ["Dockerfile.user", "Dockerfile.admin"] {
            let output =
                Command::new(&program).arg(name).current_dir(root()).output().expect("hadolint: cargo xtask test");
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && said.is_empty(), "{name}:\n{said}");
        }
    }
}
