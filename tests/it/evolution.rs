//! How the schema may go on from one release to the next. The rules, with an example of each, are in
//! `tests/audits/evolution.js`.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use tempfile::TempDir;

use crate::support::{
    npm,
    skip::{say, skip},
};

const WHAT: &str = "the schema's evolution";

#[test]
fn the_schema_breaks_no_client_untold() {
    if let Err(reason) = npm::install("tests/audits") {
        return skip(WHAT, &reason);
    }

    let verdict = judge(Path::new("."), &[]);

    assert_eq!(complaints(&verdict), "");
    say(told(&verdict).trim());
}

#[test]
fn every_rule_of_evolution_holds_in_its_example() {
    if let Err(reason) = npm::install("tests/audits") {
        return skip(WHAT, &reason);
    }

    let examples = Command::new("node")
        .args(["--test", "evolution.test.js"])
        .current_dir("tests/audits")
        .output()
        .unwrap();

    let report = told(&examples);
    assert!(examples.status.success(), "{report}");
    assert!(report.contains("pass 26"), "{report}");
}

#[test]
fn a_schema_is_compared_with_the_newest_release_that_it_comes_from() {
    if let Err(reason) = npm::install("tests/audits") {
        return skip(WHAT, &reason);
    }
    let project = Project::new();
    project.save("type Query { a: Int, b: Int }", "## [Unreleased]");
    assert_eq!(
        told(&project.judge()),
        "There is no release to compare the schema with: no tag v* leads here.\n"
    );

    project.release("v0.9.0");
    project.save("type Query { a: Int, b: Int, c: Int }", "## [Unreleased]");
    project.release("v0.10.0");
    // Neither a release in the making nor something else comes after it.
    project.release("v0.10.0-rc.1");
    project.release("verified");
    project.git(&["checkout", "--quiet", "-b", "elsewhere"]);
    project.save("type Query { z: Int }", "");
    project.release("v9.0.0");
    project.git(&["checkout", "--quiet", "main"]);

    project.save("type Query { b: Int, c: Int! }", "## [Unreleased]");
    let untold = project.judge();
    assert_eq!(
        complaints(&untold),
        "`Query.a` breaks clients, and CHANGELOG.md does not name it under `### Breaking`. (Query.a was removed.)\n"
    );
    assert_eq!(untold.status.code(), Some(1));

    let changelog = "## [Unreleased]\n### Breaking\n- `Query.a` is gone.\n## [0.10.0] - 2026-06-01";
    project.save("type Query { b: Int, c: Int! }", changelog);
    let verdict = project.judge();
    assert_eq!(complaints(&verdict), "");
    assert_eq!(
        told(&verdict),
        "Changes of the schema since v0.10.0: 1 breaking, 1 others that clients may feel.\n\
         - Query.c is never null from now on.\n"
    );
    assert!(verdict.status.success());
}

#[test]
fn what_is_deprecated_stays_until_its_day_is_over() {
    if let Err(reason) = npm::install("tests/audits") {
        return skip(WHAT, &reason);
    }
    let project = Project::new();
    let deprecated =
        "type Query { b: Int, a: Int @deprecated(reason: \"Use `b`; goes after 2026-06-30.\") }";
    project.save(deprecated, "## [Unreleased]");
    project.release("v1.0.0");
    let changelog = "## [Unreleased]\n### Breaking\n- `Query.a` is gone.";
    project.save("type Query { b: Int }", changelog);

    let early = project.judge_on("2026-06-30");
    let late = project.judge_on("2026-07-01");

    assert!(!early.status.success());
    assert!(complaints(&early).contains("`Query.a` was promised to stay until 2026-06-30"));
    assert_eq!(complaints(&late), "");
    assert!(late.status.success());
}

fn judge(folder: &Path, arguments: &[&str]) -> Output {
    let program = fs::canonicalize("tests/audits/evolution.js").unwrap();
    let mut node = Command::new("node");
    node.arg(program).args(arguments).current_dir(folder);
    node.output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn complaints(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A project with a history of its own.
struct Project(TempDir);

impl Project {
    fn new() -> Self {
        let project = Self(TempDir::new().unwrap());
        project.git(&["init", "--quiet", "--initial-branch", "main"]);
        project
    }

    /// Commits a schema and a changelog.
    fn save(&self, schema: &str, changelog: &str) {
        fs::write(self.0.path().join("schema.graphql"), schema).unwrap();
        fs::write(self.0.path().join("CHANGELOG.md"), changelog).unwrap();
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "Change something"]);
    }

    fn release(&self, tag: &str) {
        self.git(&["tag", tag]);
    }

    fn git(&self, arguments: &[&str]) {
        let git = Command::new("git")
            .args([
                "-c",
                "user.name=Alice",
                "-c",
                "user.email=alice@example.com",
            ])
            .args(arguments)
            .current_dir(self.0.path())
            // Nobody's own settings, such as signatures.
            .env("GIT_CONFIG_GLOBAL", "")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        assert!(git.status.success(), "{}", complaints(&git));
    }

    fn judge(&self) -> Output {
        self.judge_on("2026-06-12")
    }

    fn judge_on(&self, day: &str) -> Output {
        judge(self.0.path(), &[day])
    }
}
