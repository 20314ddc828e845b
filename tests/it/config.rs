//! The command line and the environment, as operators and their tools leave them.

use std::{collections::BTreeSet, fs, path::Path};

use rstest::rstest;
use tempfile::tempdir;

use crate::support::process::{program, run};

/// Each ends by itself, after it has read all its settings.
#[rstest]
#[case::serve(&["serve"], 10)]
#[case::migrate(&["migrate", "status"], 5)]
#[case::demo(&["demo", "--log-filter", "everything=loud"], 3)]
#[test]
fn an_empty_variable_counts_as_unset(#[case] arguments: &[&str], #[case] at_least: usize) {
    let folder = tempdir().unwrap();
    let told = |variables: &[(&str, &str)]| {
        let mut program = program(arguments);
        program.current_dir(&folder).envs(variables.iter().copied());
        let (output, out, err) = run(&mut program);
        (output.status.code(), out, err)
    };
    let variables = variables(arguments[0]);
    let without = told(&[]);

    let one_by_one = variables.iter().map(|name| told(&[(name, "")]));

    assert!(variables.len() >= at_least, "{variables:?}");
    assert!(without.2.starts_with("error: "), "{without:?}");
    for (name, told) in variables.iter().zip(one_by_one) {
        assert_eq!(told, without, "{name}");
    }
}

#[test]
fn help_does_not_show_how_this_machine_is_set_up() {
    let variables = variables("serve");
    let mut set_up = program(&["serve", "--help"]);
    set_up.envs(
        variables
            .iter()
            .map(|name| (name, "https://u:hunter2@host")),
    );

    let (_, help, _) = run(&mut program(&["serve", "--help"]));
    let (_, shown, _) = run(&mut set_up);

    assert_eq!(shown, help);
}

#[rstest]
#[case("--request-timeout", "13months")]
#[case("--rate-limit-user", "1/600years")]
#[case("--rate-limit-address", "1/2000years")]
#[test]
fn no_time_is_longer_than_a_year(#[case] flag: &str, #[case] value: &str) {
    let (output, _, told) = run(&mut program(&["serve", flag, value]));

    assert_eq!(output.status.code(), Some(2));
    assert!(told.contains("must be no longer than a year"), "{told}");
}

#[rstest]
#[case("--public-url", "PUBLIC_URL")]
#[case("--allowed-origins", "ALLOWED_ORIGINS")]
#[case("--linkedin-api-url", "LINKEDIN_API_URL")]
#[test]
fn a_mistaken_address_is_explained_and_not_shown(#[case] flag: &str, #[case] variable: &str) {
    for (value, mistake) in [
        (
            "https://ann:hunter2@host",
            "must not hold a user name or password",
        ),
        (
            "https://hunter2@host",
            "must not hold a user name or password",
        ),
        (
            "https://host?key=hunter2",
            "must not hold a query or fragment",
        ),
        (
            "https://ann:hunter2",
            "invalid port number; write it as in https://interlinedlist.com",
        ),
        (
            "ftp://ann:hunter2@host",
            "must begin with https:// or http://",
        ),
    ] {
        let by_variable = run(program(&["serve"]).env(variable, value)).2;
        let by_flag = run(&mut program(&["serve", flag, value])).2;

        let expected =
            format!("error: invalid value '(not shown)' for '{flag} <{variable}>': {mistake}\n");
        assert!(by_variable.starts_with(&expected), "{by_variable}");
        assert_eq!(by_flag, by_variable);
        assert!(!by_variable.contains("hunter2"), "{by_variable}");
    }
}

/// What lies outside could not be answered, or would let nothing through.
#[rstest]
#[case("--graphql-max-body-bytes", "1023", "1024..=16777216")]
#[case("--graphql-max-document-bytes", "1048577", "256..=1048576")]
#[case("--graphql-max-tokens", "0", "10..=100000")]
#[case("--graphql-max-nesting", "129", "4..=128")]
#[case("--graphql-max-selections", "0", "1..=50000")]
#[case("--graphql-max-aliases", "10001", "0..=10000")]
#[case("--graphql-max-directives", "10001", "0..=10000")]
#[case("--graphql-max-depth", "33", "1..=32")]
#[case("--graphql-max-root-fields", "0", "1..=1000")]
#[case("--graphql-max-operations", "0", "1..=1000")]
#[case("--graphql-max-introspection-lists", "5", "0..=4")]
#[case("--graphql-max-errors", "0", "1..=1000")]
#[test]
fn a_limit_has_limits(#[case] flag: &str, #[case] value: &str, #[case] range: &str) {
    let variable = flag
        .trim_start_matches('-')
        .replace('-', "_")
        .to_uppercase();

    let by_variable = run(program(&["serve"]).env(&variable, value)).2;
    let by_flag = run(&mut program(&["serve", flag, value])).2;

    let expected = format!("error: invalid value '{value}' for '{flag} <{variable}>'");
    assert!(by_variable.starts_with(&expected), "{by_variable}");
    assert!(by_variable.contains(range), "{by_variable}");
    assert_eq!(by_flag, by_variable);
}

#[rstest]
#[case::a_space(
    "PORT=1\nDATABASE_URL=postgres://u:hunter2 @host\n",
    "what follows PORT"
)]
#[case::an_open_quote("DATABASE_URL='postgres://u:hunter2", "its beginning")]
#[case::no_name("hunter2", "its beginning")]
#[test]
fn a_mistaken_env_file_is_explained_and_not_shown(#[case] text: &str, #[case] place: &str) {
    let folder = with_env_file(text);

    let (output, _, told) = run(program(&["migrate", "status"]).current_dir(&folder));

    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        told,
        format!(
            "error: cannot read .env: {place} is not NAME=value; a value with spaces needs quotes\n"
        )
    );
}

#[test]
fn the_sample_of_an_env_file_is_one() {
    let folder = with_env_file(&file(".env.sample"));

    let (up, _, told) = run(program(&["migrate", "up"]).current_dir(&folder));

    assert!(up.status.success(), "{told}");
    assert!(folder.path().join("data/linkedin-targets.db").exists());
}

#[test]
fn the_readme_tells_of_every_variable_and_of_no_other() {
    let readme = file("README.md");
    let (_, section) = readme.split_once("### Configuration\n").unwrap();
    let (table, _) = section.split_once("\n### ").unwrap();

    let told: BTreeSet<_> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once(" | "))
        .flat_map(|(names, _)| names.split("`, `"))
        .map(|name| name.trim_end_matches('`').to_owned())
        .collect();

    assert_eq!(told, variables("serve").into_iter().collect());
}

#[rstest]
#[case::sample(".env.sample", "", '=')]
#[case::image("Dockerfile", "ENV ", '=')]
#[case::compose("docker-compose.yml", "      ", ':')]
#[test]
fn what_the_files_beside_the_program_set_are_its_variables(
    #[case] path: &str,
    #[case] start: &str,
    #[case] assign: char,
) {
    let text = file(path);
    let known = variables("serve");

    let set: Vec<_> = text
        .lines()
        .filter_map(|line| line.trim_start_matches("# ").strip_prefix(start))
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_whitespace)
        .filter_map(|word| word.split_once(assign))
        .filter(|(name, _)| {
            name.bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        })
        .map(|(name, _)| name)
        .filter(|name| !name.starts_with("POSTGRES_"))
        .collect();

    assert!(set.len() >= 3, "{set:?}");
    for name in set {
        assert!(known.iter().any(|known| known == name), "{name}");
    }
}

/// All that a command's help names.
fn variables(command: &str) -> Vec<String> {
    let (_, help, _) = run(&mut program(&[command, "--help"]));
    let named = help.split("[env: ").skip(1);
    named
        .map(|rest| rest.split(']').next().unwrap().to_owned())
        .collect()
}

fn with_env_file(text: &str) -> tempfile::TempDir {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join(".env"), text).unwrap();
    folder
}

fn file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}
