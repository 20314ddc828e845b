//! Builds GraphiQL and Swagger UI for the server to carry. Without Node.js there is neither, and everything else is
//! built all the same, unless `GRAPHIQL_REQUIRED` is set, as for a container image.

use std::{
    env,
    error::Error,
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Command,
};

/// All that the result depends on.
const INPUTS: [&str; 7] = [
    ".npmrc",
    "index.html",
    "openapi.html",
    "package-lock.json",
    "package.json",
    "src",
    "vite.config.js",
];

const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=GRAPHIQL_REQUIRED");
    for input in INPUTS {
        println!("cargo::rerun-if-changed=graphiql/{input}");
    }
    let out = PathBuf::from(variable("OUT_DIR")?).join("graphiql");
    empty(&out)?;
    if let Err(reason) = install().and_then(|()| build(&out)) {
        if variable("GRAPHIQL_REQUIRED").is_ok() {
            return Err(reason.into());
        }
        empty(&out)?;
        println!("cargo::rustc-env=GRAPHIQL_MISSING={reason}");
        println!(
            "cargo::warning=GraphiQL and Swagger UI are left out: {reason}. They take Node.js 20.19 or later (nodejs.org, \
             or your system's packages) and, once, the network; then run `cargo clean -p linkedin-targets` and build again."
        );
    }
    Ok(())
}

fn empty(folder: &Path) -> io::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir(folder)
}

/// Runs `npm ci`, unless that was done since the lock file changed.
fn install() -> Result<(), String> {
    // Two builds must not install into one folder at the same time.
    let turn = File::open("graphiql/index.html");
    let _turn = turn.and_then(|file| file.lock().map(|()| file));
    if is_installed().unwrap_or(false) {
        Ok(())
    } else {
        npm(&["ci".into(), "--include=dev".into()])
    }
}

fn is_installed() -> io::Result<bool> {
    let changed = |path| fs::metadata(path)?.modified();
    // npm writes this file last.
    Ok(changed("graphiql/node_modules/.package-lock.json")?
        >= changed("graphiql/package-lock.json")?)
}

fn build(out: &Path) -> Result<(), String> {
    npm(&[
        "run".into(),
        "build".into(),
        "--".into(),
        "--outDir".into(),
        out.into(),
    ])
}

/// Runs npm in `graphiql/`. When that fails, npm's own words become warnings.
fn npm(arguments: &[OsString]) -> Result<(), String> {
    let command = arguments[0].display();
    let output = Command::new(NPM)
        .args(arguments)
        .current_dir("graphiql")
        .env("NO_COLOR", "1")
        .output()
        .map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => "Node.js with npm was not found".to_owned(),
            _ => format!("npm could not be started: {cause}"),
        })?;
    if output.status.success() {
        return Ok(());
    }
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        println!("cargo::warning={line}");
    }
    Err(format!("`npm {command}` failed in graphiql/"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "Cargo tells a build script by the environment"
)]
fn variable(name: &str) -> Result<OsString, String> {
    env::var_os(name).ok_or_else(|| format!("Cargo did not set {name}"))
}
