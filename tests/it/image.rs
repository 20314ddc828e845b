//! What the container image is built from, as far as it can be told without building it.

use std::{fs, path::Path};

#[test]
fn the_image_is_built_with_the_rust_that_the_project_names_and_the_profile_is_for() {
    let version = value("rust-version");
    let compiler = file("pgo/compiler");
    let mut lines = compiler.lines();
    let release = lines.find_map(|line| line.strip_prefix("release: "));
    let release = release.unwrap();

    let dockerfile = file("Dockerfile");

    assert!(release.starts_with(&format!("{version}.")), "{release}");
    assert!(
        dockerfile.contains(&format!("\nFROM rust:{release}-")),
        "{release}"
    );
}

/// `.dockerignore` keeps out all but what it names.
#[test]
fn the_image_is_built_from_all_that_the_build_reads() {
    let ignore = file(".dockerignore");
    let kept: Vec<_> = ignore
        .lines()
        .filter_map(|line| line.strip_prefix('!'))
        .collect();
    let members = value("members");
    let members = members
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(|&path| path != ".");

    for path in members.chain([
        "Cargo.toml",
        "Cargo.lock",
        "build.rs",
        "src",
        "graphiql",
        "pgo",
    ]) {
        assert!(kept.contains(&path), "{path} in {kept:?}");
    }
    for path in kept {
        assert!(root().join(path).exists(), "{path}");
    }
}

/// Of a key in the manifest.
fn value(key: &str) -> String {
    let manifest = file("Cargo.toml");
    let mut values = manifest.lines().filter_map(|line| line.split_once(" = "));
    let (_, value) = values.find(|(name, _)| *name == key).unwrap();
    value.trim_matches('"').to_owned()
}

fn file(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
