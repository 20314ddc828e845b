//! The parts of the tests that are npm projects.

use std::{
    fs::{self, File},
    path::Path,
    process::Command,
};

/// What npm is called.
pub(crate) const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// Installs what the project in this folder needs, when that was not done since its lock file changed; an error is what is missing and
/// how to get it.
pub(crate) fn install(folder: &str) -> Result<(), String> {
    if Command::new("node").arg("--version").output().is_err() {
        let message = "Node.js is missing: install version 20.19 or later from nodejs.org or your system's packages";
        return Err(message.to_owned());
    }
    let folder = Path::new(folder);
    // Two tests must not install into one folder at the same time.
    let turn = File::open(folder.join("package.json")).unwrap();
    turn.lock().unwrap();
    let changed = |file| fs::metadata(folder.join(file)).and_then(|file| file.modified());
    // npm writes this file last.
    let installed = changed("node_modules/.package-lock.json");
    if installed.is_ok_and(|installed| installed >= changed("package-lock.json").unwrap()) {
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
