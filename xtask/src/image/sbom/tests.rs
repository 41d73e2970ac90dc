use super::*;

const TREE: &str = "\
0user-tier v0.1.0 (/src/user-tier)|MIT
1shared v1.0.0|MIT/Apache-2.0
2leaf v2.0.0+up.1|
1leaf v1.0.0|ISC

0admin-tier v0.1.0 (/src/admin-tier)|MIT
1shared v1.0.0|MIT/Apache-2.0 (*)
1other v3.0.0|MIT
";

#[test]
fn a_binary_lists_its_dependencies_even_if_the_tree_prints_them_under_another() {
    let packages = tree::read(TREE, "admin-tier").unwrap();
    let urls: Vec<String> = packages.iter().map(Package::url).collect();
    assert_eq!(
        urls,
        [
            "pkg:cargo/admin-tier@0.1.0",
            "pkg:cargo/shared@1.0.0",
            "pkg:cargo/other@3.0.0",
            "pkg:cargo/leaf@2.0.0%2Bup.1"
        ]
    );
    assert_eq!(packages[0].needs, [1, 2]);
    assert_eq!(packages[1].needs, [3], "the two versions of leaf are two packages");
    assert_eq!(packages[1].license.as_deref(), Some("MIT OR Apache-2.0"));
    assert_eq!(packages[3].license, None);
    assert!(tree::read(TREE, "no-such-crate").is_err());
}

#[test]
fn the_list_of_the_real_binary_has_all_linked_crates_with_checksums_and_no_test_or_build_dependencies() {
    let text = of("user-tier", &Identity::given("9.9.9", "0123456789ab", "2026-01-01T00:00:00Z")).unwrap();
    let list: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(list["metadata"]["component"]["name"], "user-tier");
    let components = list["components"].as_array().unwrap();
    let names: Vec<&str> = components.iter().map(|component| component["name"].as_str().unwrap()).collect();
    for linked in ["tokio", "axum", "lastcall", "session-domain"] {
        assert!(names.contains(&linked), "{linked} is linked");
    }
    // For tests, for builds, for the compiler, for another system, and the other binary.
    for not in
        ["thirtyfour", "test-support", "proptest", "protox", "serde_derive", "windows-sys", "admin-tier", "xtask"]
    {
        assert!(!names.contains(&not), "{not} is not linked");
    }
    for component in components {
        let ours = !component["hashes"].is_array();
        assert_eq!(ours, root().join("crates").join(component["name"].as_str().unwrap()).is_dir(), "{component}");
        assert!(component["licenses"][0]["expression"].is_string(), "{component}");
    }
    // Every reference has a target, and no component is listed twice.
    let urls: Vec<&str> =
        list["dependencies"].as_array().unwrap().iter().map(|one| one["ref"].as_str().unwrap()).collect();
    let distinct: std::collections::HashSet<&&str> = urls.iter().collect();
    assert_eq!((distinct.len(), urls.len()), (urls.len(), components.len() + 1));
    for one in list["dependencies"].as_array().unwrap() {
        assert!(
            one["dependsOn"].as_array().unwrap().iter().all(|url| distinct.contains(&url.as_str().unwrap())),
            "{one}"
        );
    }
}
