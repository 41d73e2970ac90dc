//! Links of the documentation, and the files that its map of the code names.

use std::path::Path;
use std::process::Command;

use crate::{file, root, text};

/// Every Markdown file of the repository, but vendored ones.
fn pages() -> Vec<String> {
    let output = Command::new("git").args(["ls-files", "*.md"]).current_dir(root()).output().unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    listed.lines().filter(|path| !path.contains("/vendor/")).map(str::to_owned).collect()
}

/// The targets of Markdown links outside of code blocks.
fn links(page: &str) -> Vec<String> {
    let prose = page.split("```").step_by(2).collect::<String>();
    let targets = prose.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()));
    targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:")).collect()
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(page: &str) -> Vec<String> {
    let headings = page.split("```").step_by(2).flat_map(str::lines).filter_map(|line| {
        let title = line.trim_start_matches('#');
        (title.len() < line.len() && title.starts_with(' ')).then(|| title.trim().to_lowercase())
    });
    let kept = |letter: &char| letter.is_alphanumeric() || ['-', '_', ' '].contains(letter);
    headings.map(|title| title.chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

#[test]
fn every_link_of_the_documentation_leads_to_a_file_and_a_heading() {
    let pages = pages();
    assert!(pages.len() > 25, "{pages:?}");
    for path in pages {
        let page = text(&path);
        for link in links(&page) {
            let (target, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match target {
                "" => path.clone(),
                _ => Path::new(&path).parent().unwrap().join(target).to_str().unwrap().to_owned(),
            };
            assert!(file(&target).exists(), "{path}: {link}");
            if !anchor.is_empty() && target.ends_with(".md") {
                assert!(anchors(&text(&target)).contains(&anchor.to_owned()), "{path}: {link}");
            }
        }
    }
}

#[test]
fn every_file_that_the_map_of_the_code_names_exists() {
    let page = text("docs/ARCHITECTURE.md");
    let map = page.split("\n## ").find(|section| section.starts_with("Where to find what")).unwrap();
    let rows: Vec<_> = map.lines().filter(|line| line.starts_with("| ") && line.contains('`')).collect();
    assert!(rows.len() > 30, "{rows:?}");
    for row in rows {
        let files = row.rsplit_once(" | ").unwrap().1.split('`').skip(1).step_by(2);
        for name in files {
            assert!(file(name).exists() || file("crates").join(name).exists(), "{row}");
        }
    }
}
