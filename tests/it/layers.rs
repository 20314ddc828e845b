//! Which part of the program may know which, as ARCHITECTURE.md draws it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// What each part may name of the others.
const ARROWS: &[(&str, &[&str])] = &[
    (
        "server",
        &[
            "accept",
            "app",
            "auth",
            "graphiql",
            "graphql",
            "metrics",
            "pages",
            "rate_limits",
            "rest",
            "streams",
            "telemetry",
            "unambiguous",
        ],
    ),
    (
        "rest",
        &[
            "app",
            "auth",
            "domain::error",
            "domain::preference::Reason",
            "graphql",
            "lenient_json",
            "rate_limits",
        ],
    ),
    (
        "graphql",
        &[
            "app",
            "auth",
            "config::Limits",
            "domain",
            "manifest",
            "metrics",
            "rate_limits",
            "streams",
        ],
    ),
    ("graphiql", &["pages"]),
    ("pages", &["app", "domain", "graphql"]),
    (
        "auth",
        &["app", "domain", "linkedin::Application", "pages", "seal"],
    ),
    (
        "domain",
        &[
            "clock",
            "lenient_json",
            "linkedin",
            "metrics",
            "seal",
            "storage",
        ],
    ),
    ("accept", &["metrics"]),
    ("metrics", &["linkedin", "storage"]),
    ("linkedin", &["lenient_json"]),
    ("storage", &[]),
    (
        "app",
        &[
            "clock",
            "config::Limits",
            "linkedin",
            "manifest",
            "metrics",
            "rate_limits",
            "seal",
            "storage::Database",
            "streams",
        ],
    ),
    ("rate_limits", &[]),
    ("manifest", &[]),
    ("clock", &[]),
    ("streams", &[]),
    ("unambiguous", &[]),
    (
        "doctor",
        &[
            "clock", "config", "domain", "graphql", "linkedin", "manifest", "storage",
        ],
    ),
    ("lenient_json", &[]),
    ("seal", &[]),
    ("telemetry", &["config"]),
    (
        "config",
        &["linkedin", "manifest", "rate_limits", "seal", "storage"],
    ),
    (
        "fuzzing",
        &[
            "app",
            "auth",
            "domain::connection",
            "graphql",
            "lenient_json",
            "rate_limits",
            "rest",
            "seal",
            "storage::account::ProviderData",
        ],
    ),
    (
        "demo",
        &[
            "app",
            "config",
            "linkedin",
            "metrics",
            "pages",
            "rate_limits",
            "seal",
            "server",
            "streams",
        ],
    ),
];

/// Arrows that lead past a layer, and why they may.
const EXCEPTIONS: &[(&str, &str, &str)] = &[(
    "demo",
    "storage",
    "it fills its database with people as InterlinedList would, which the server itself never does",
)];

/// Libraries that belong to some parts alone.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("async_graphql", &["graphql", "rest"]),
    ("apollo_compiler", &["graphql"]),
    (
        "axum",
        &[
            "auth",
            "demo",
            "fuzzing",
            "graphiql",
            "graphql",
            "pages",
            "rate_limits",
            "rest",
            "server",
            "telemetry",
            "unambiguous",
        ],
    ),
    ("maud", &["auth", "demo", "graphiql", "pages"]),
    ("sqlx", &["storage"]),
    ("utoipa", &["auth", "rest"]),
];

#[test]
fn arrows_point_down_only() {
    let arrows = sources().into_iter().flat_map(|source| source.arrows());

    let upward: Vec<_> = arrows
        .filter(|arrow| {
            !allowed(&arrow.from)
                .iter()
                .any(|to| is_within(&arrow.to, to))
        })
        .collect();

    let excused = |arrow: &Arrow| {
        EXCEPTIONS
            .iter()
            .position(|(from, to, _)| arrow.from == *from && is_within(&arrow.to, to))
    };
    let wrong: Vec<_> = upward
        .iter()
        .filter(|arrow| excused(arrow).is_none())
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let needed: BTreeSet<_> = upward.iter().filter_map(excused).collect();
    assert_eq!(
        needed.len(),
        EXCEPTIONS.len(),
        "an exception that nothing needs"
    );
}

#[test]
fn every_part_has_its_place_in_the_drawing() {
    let placed: BTreeSet<_> = ARROWS.iter().map(|(part, _)| (*part).to_owned()).collect();

    let parts: BTreeSet<_> = sources().into_iter().map(|source| source.part).collect();

    assert_eq!(parts.difference(&placed).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn libraries_stay_where_they_belong() {
    let belongs: BTreeMap<_, _> = LIBRARIES.iter().copied().collect();

    let wrong: Vec<_> = sources()
        .into_iter()
        .flat_map(|source| {
            let used = belongs.keys().filter(|library| source.names(library));
            let wrong = used.filter(|library| !belongs[**library].contains(&source.part.as_str()));
            let told = |library: &&str| format!("{library} in {}", source.file.display());
            wrong.map(told).collect::<Vec<_>>()
        })
        .collect();

    assert_eq!(wrong, [""; 0]);
}

/// The faces reach the rows through the domain. One only carries the pool to a statement of the domain.
#[test]
fn no_face_runs_a_statement() {
    let faces = ["auth", "graphiql", "graphql", "pages", "rest"];

    let statements: Vec<_> = sources()
        .into_iter()
        .filter(|source| faces.contains(&source.part.as_str()))
        .filter(|source| {
            source
                .text
                .replace("use sea_orm::DatabaseConnection;", "")
                .contains("sea_orm")
        })
        .map(|source| source.file)
        .collect();

    assert!(statements.is_empty(), "{statements:?}");
}

#[test]
fn paths_are_read_out_of_braces() {
    let source = Source {
        part: "graphql".to_owned(),
        file: "src/graphql/document/limits.rs".into(),
        text: "use super::Errors; // use crate::rest;\n\
            use crate::{app::App, domain::{error::Error, target::{self, Target}}};\n\
            fn f() -> super::super::super::auth::Token { crate::storage::connect() }"
            .to_owned(),
    };

    let paths = source.paths_from_root();

    let expected = [
        "app::App",
        "auth::Token",
        "domain::error::Error",
        "domain::target::Target",
        "domain::target::self",
        "storage::connect",
    ];
    assert_eq!(paths, expected.map(str::to_owned).into());
}

fn allowed(part: &str) -> &'static [&'static str] {
    let arrow = ARROWS.iter().find(|(from, _)| *from == part);
    arrow.map_or(&[], |(_, to)| to)
}

fn is_within(path: &str, part: &str) -> bool {
    path == part
        || path
            .strip_prefix(part)
            .is_some_and(|rest| rest.starts_with("::"))
}

/// One part that names something of another.
#[derive(Debug)]
struct Arrow {
    from: String,
    to: String,
    #[expect(dead_code, reason = "shown when the arrow is wrong")]
    file: PathBuf,
}

/// A file of the library.
struct Source {
    /// The module at the crate's root that it belongs to.
    part: String,
    file: PathBuf,
    text: String,
}

impl Source {
    fn read(file: PathBuf) -> Self {
        let part = modules(&file).swap_remove(0);
        let text = fs::read_to_string(&file).unwrap();
        Self { part, file, text }
    }

    fn arrows(&self) -> Vec<Arrow> {
        let paths = self.paths_from_root().into_iter();
        let foreign = paths.filter(|path| !is_within(path, &self.part));
        let arrow = |to| Arrow {
            from: self.part.clone(),
            to,
            file: self.file.clone(),
        };
        foreign.map(arrow).collect()
    }

    /// All paths of the crate that the code names, from the crate's root.
    fn paths_from_root(&self) -> BTreeSet<String> {
        let depth = modules(&self.file).len();
        let root = "super::".repeat(depth);
        let code = self.code();
        let mut paths = BTreeSet::new();
        for root in ["crate::", &root] {
            for (at, _) in code.match_indices(root) {
                expand("", &code[at + root.len()..], &mut paths);
            }
        }
        paths
    }

    fn names(&self, library: &str) -> bool {
        self.code().contains(&format!("{library}::"))
    }

    /// Without comments.
    fn code(&self) -> String {
        let lines = self
            .text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let code = lines.map(|line| line.split(" // ").next().unwrap_or_default());
        code.collect::<Vec<_>>().join("\n")
    }
}

/// Adds the paths that begin here, with all that stands in braces, and returns what follows.
fn expand<'a>(prefix: &str, text: &'a str, paths: &mut BTreeSet<String>) -> &'a str {
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = expand(prefix, rest.trim_start(), paths).trim_start();
            match rest.strip_prefix(',').map(str::trim_start) {
                Some(more) if !more.starts_with('}') => rest = more,
                more => return more.unwrap_or(rest).strip_prefix('}').unwrap_or(rest),
            }
        }
    }
    let end = text.find(|character: char| !character.is_alphanumeric() && character != '_');
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    match rest.strip_prefix("::") {
        Some(rest) => expand(&format!("{prefix}{name}::"), rest, paths),
        None => {
            paths.insert(format!("{prefix}{name}"));
            rest
        }
    }
}

/// The module that a file is, from the crate's root: `src/graphql/document/mod.rs` is `graphql`, `document`.
fn modules(file: &Path) -> Vec<String> {
    let path = file.strip_prefix("src").unwrap().with_extension("");
    let names = path.iter().map(|name| name.to_str().unwrap().to_owned());
    names.filter(|name| name != "mod").collect()
}

fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    let mut folders = vec![PathBuf::from("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") && !is_crate_root(&path) {
                sources.push(Source::read(path));
            }
        }
    }
    assert!(!sources.is_empty());
    sources
}

/// These put the parts together, and may name them all.
fn is_crate_root(path: &Path) -> bool {
    path == Path::new("src/lib.rs") || path == Path::new("src/main.rs")
}
