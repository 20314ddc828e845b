//! A PostgreSQL of a test's own, to be stopped, killed and paused.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use sea_orm::sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tempfile::TempDir;

use super::{eventually::eventually, port::free_port, skip::skip};

/// Where Debian and others keep them, besides the path.
const FOLDERS: &str = "/usr/lib/postgresql";

pub(crate) struct Postgres {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
    process: Option<Child>,
}

impl Postgres {
    /// Started, and with an empty database; `None` where there are no programs to start.
    pub(crate) async fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            let reason = "the server programs of PostgreSQL are missing: install your system's package (postgresql)";
            skip("Faults of PostgreSQL", reason);
            return None;
        };
        let mut postgres = Self {
            programs,
            folder: TempDir::new().unwrap(),
            port: free_port(),
            process: None,
        };
        postgres.create();
        postgres.resume().await;
        postgres.execute("CREATE ROLE app LOGIN").await;
        postgres.execute("CREATE DATABASE app OWNER app").await;
        Some(postgres)
    }

    /// For the server: as a user that is no superuser.
    pub(crate) fn url(&self) -> String {
        format!("postgres://app@127.0.0.1:{}/app", self.port)
    }

    /// Runs a statement as the superuser.
    pub(crate) async fn execute(&self, sql: &str) {
        let mut connection = self.connection().await.unwrap();
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
        connection.close().await.unwrap();
    }

    async fn connection(&self) -> Result<PgConnection, sea_orm::sqlx::Error> {
        let port = self.port;
        PgConnection::connect(&format!("postgres://postgres@127.0.0.1:{port}/postgres")).await
    }

    /// Lets it end what is under way no further.
    pub(crate) fn stop(&mut self) {
        self.signal("-INT", &[self.id()]);
        self.ended();
    }

    /// All of its processes at once, as a machine that fails.
    pub(crate) fn kill(&mut self) {
        let all = self.all();
        self.signal("-KILL", &all);
        self.ended();
    }

    /// Leaves its connections open, and says nothing on them.
    pub(crate) fn pause(&self) {
        self.signal("-STOP", &self.all());
    }

    /// Goes on after [`Self::pause`].
    pub(crate) fn go_on(&self) {
        self.signal("-CONT", &self.all());
    }

    /// Starts it, and returns when it answers.
    pub(crate) async fn resume(&mut self) {
        // What was killed leaves this behind.
        let _ = fs::remove_file(self.data().join("postmaster.pid"));
        let (port, data) = (self.port.to_string(), self.data());
        let process = self
            .program("postgres")
            .arg("-D")
            .arg(&data)
            .args(["-p", &port, "-k", "", "-c", "listen_addresses=127.0.0.1"])
            .args(["-c", "fsync=off", "-c", "restart_after_crash=off"])
            .spawn()
            .unwrap();
        self.process = Some(process);
        eventually("PostgreSQL answers", async || {
            self.connection().await.is_ok()
        })
        .await;
    }

    fn create(&self) {
        if is_root() {
            let owned = Command::new("chown")
                .arg("postgres")
                .arg(self.folder.path())
                .status();
            assert!(owned.unwrap().success());
        }
        let data = self.data();
        let created = self
            .program("initdb")
            .arg("-D")
            .arg(&data)
            .args([
                "-U",
                "postgres",
                "-A",
                "trust",
                "-N",
                "--no-instructions",
                "-E",
                "UTF8",
                "--locale=C",
            ])
            .status();
        assert!(created.unwrap().success());
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// PostgreSQL does not run as root.
    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
                .arg(path);
            command
        } else {
            Command::new(path)
        };
        command
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn id(&self) -> String {
        self.process.as_ref().unwrap().id().to_string()
    }

    /// The process that was started, and those that it has started.
    fn all(&self) -> Vec<String> {
        let first = self.id();
        let listed = Command::new("ps")
            .args(["-o", "pid=", "--ppid", &first])
            .output()
            .unwrap();
        let children = String::from_utf8(listed.stdout).unwrap();
        let children = children.split_whitespace().map(str::to_owned);
        std::iter::once(first).chain(children).collect()
    }

    fn signal(&self, signal: &str, processes: &[String]) {
        // One that has ended meanwhile needs no signal.
        let _ = Command::new("kill")
            .arg(signal)
            .args(processes)
            .stderr(Stdio::null())
            .status()
            .unwrap();
    }

    fn ended(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.wait().unwrap();
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
    }
}

fn programs() -> Option<PathBuf> {
    let installed = fs::read_dir(FOLDERS).into_iter().flatten().flatten();
    let folders = installed.map(|version| version.path().join("bin"));
    let path = super::skip::variable("PATH").unwrap_or_default();
    let path: Vec<_> = std::env::split_paths(&path).collect();
    let has_all =
        |folder: &Path| folder.join("initdb").exists() && folder.join("postgres").exists();
    folders.chain(path).find(|folder| has_all(folder))
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}
