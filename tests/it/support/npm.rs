//! The parts of the tests that are npm projects.

use std::{path::Path, process::Command};

/// What npm is called.
pub(crate) const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// Installs what the project in this folder needs, when that was not done before; an error is what is missing and
/// how to get it.
pub(crate) fn install(folder: &str) -> Result<(), String> {
    if Command::new("node").arg("--version").output().is_err() {
        let message = "Node.js is missing: install version 20.19 or later from nodejs.org or your system's packages";
        return Err(message.to_owned());
    }
    let folder = Path::new(folder);
    if folder.join("node_modules/.package-lock.json").exists() {
        return Ok(());
    }
    let install = Command::new(NPM).arg("ci").current_dir(folder).output();
    match install {
        Ok(install) if install.status.success() => Ok(()),
        _ => Err(format!(
            "`npm ci` failed in {}: run it there to see why",
            folder.display()
        )),
    }
}
