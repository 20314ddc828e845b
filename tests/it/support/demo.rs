use std::{
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
};

use super::process::executable;

/// The demo as a process of its own, ended with this.
pub(crate) struct Demo {
    process: Child,
    pub(crate) address: String,
    /// Kept open, as the demo would fail to print the rest.
    _printed: Lines<BufReader<ChildStdout>>,
}

impl Demo {
    pub(crate) fn start() -> Self {
        let mut process = Command::new(executable())
            .args(["demo", "--port", "0", "--log-filter", "error"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut printed = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = printed.find_map(|line| {
            let line = line.unwrap();
            let (before, _) = line.split_once("/demo/sign-in/")?;
            before.split_whitespace().last().map(str::to_owned)
        });
        Self {
            address: address.unwrap(),
            process,
            _printed: printed,
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
