//! The parts of the tests that are Python programs.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

/// Installs what `requirements.txt` in this folder names, into a virtual environment under `target/`, when that was not
/// done since it changed. Returns where the programs are; an error is what is missing and how to get it.
pub(crate) fn install(folder: &str) -> Result<PathBuf, String> {
    let requirements = Path::new(folder).join("requirements.txt");
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
    let programs = environment.join(if cfg!(windows) { "Scripts" } else { "bin" });
    // Two tests must not install into one folder at the same time.
    let turn = File::open(&requirements).unwrap();
    turn.lock().unwrap();
    let wanted = fs::read(&requirements).unwrap();
    let installed = environment.join("installed.txt");
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(programs);
    }
    let venv = Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&environment)
        .output();
    if !venv.is_ok_and(|made| made.status.success()) {
        let message = "Python is missing: install version 3.10 or later with its venv module, from python.org or your \
            system's packages (python3-venv)";
        return Err(message.to_owned());
    }
    let pip = Command::new(programs.join("python"))
        .args(["-m", "pip", "install", "--disable-pip-version-check"])
        .args(["--quiet", "--require-hashes", "--no-deps", "--requirement"])
        .arg(&requirements)
        .output();
    match pip {
        Ok(pip) if pip.status.success() => {
            fs::write(installed, wanted).unwrap();
            Ok(programs)
        }
        Ok(pip) => Err(format!(
            "pip failed on {}: {}",
            requirements.display(),
            String::from_utf8_lossy(&pip.stderr).trim()
        )),
        Err(cause) => Err(format!("pip could not be started: {cause}")),
    }
}
