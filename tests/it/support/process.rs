//! The program itself, as an operator starts it.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    thread,
};

use serde_json::Value;

use super::{cost, skip::variable};

/// The one that was built with the tests, or another one, like that which is shipped.
pub(crate) fn executable() -> PathBuf {
    match variable("TEST_PROGRAM") {
        Some(path) => fs::canonicalize(&path).unwrap_or_else(|cause| panic!("{path}: {cause}")),
        None => env!("CARGO_BIN_EXE_linkedin-targets").into(),
    }
}

/// The program without this machine's settings; there is no `.env` where it is started.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut program = Command::new(executable());
    program
        .args(arguments)
        .env_clear()
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null());
    program
}

/// Runs it to its end.
pub(crate) fn run(program: &mut Command) -> (Output, String, String) {
    let output = program.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    (output, out, err)
}

/// A `serve` under way, ended with this.
pub(crate) struct Serving {
    process: Child,
    /// Read as it comes: a full pipe would hold up the server.
    log: mpsc::Receiver<String>,
    /// What was read so far.
    passed: Vec<String>,
    /// `127.0.0.1:<port>`
    pub(crate) address: String,
}

impl Serving {
    /// Logs as JSON unless the settings say otherwise.
    pub(crate) fn start(database_url: &str, settings: &[(&str, &str)]) -> Self {
        Self::start_at(0, database_url, settings)
    }

    /// On this port.
    pub(crate) fn start_at(port: u16, database_url: &str, settings: &[(&str, &str)]) -> Self {
        let port = port.to_string();
        Self::spawn(program(&["serve", "--port", &port]), database_url, settings)
    }

    /// By a command that becomes the program.
    #[cfg(target_os = "linux")]
    pub(crate) fn start_by(
        command: &[&str],
        database_url: &str,
        settings: &[(&str, &str)],
    ) -> Self {
        let mut starter = Command::new(command[0]);
        starter
            .args(&command[1..])
            .arg(executable())
            .args(["serve", "--port", "0"])
            .current_dir(std::env::temp_dir());
        Self::spawn(starter, database_url, settings)
    }

    fn spawn(mut program: Command, database_url: &str, settings: &[(&str, &str)]) -> Self {
        let mut process = program
            .env("DATABASE_URL", database_url)
            .env("LOG_FORMAT", "json")
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (send, log) = mpsc::channel();
        read_lines(process.stdout.take().unwrap(), send.clone());
        read_lines(process.stderr.take().unwrap(), send);
        let mut serving = Self {
            process,
            log,
            passed: Vec::new(),
            address: String::new(),
        };
        let line = serving.line_that_says("listening on http://");
        let (_, address) = line.split_once("listening on http://").unwrap();
        let is_address = |character: &char| character.is_ascii_digit() || ".:".contains(*character);
        serving.address = address.chars().take_while(is_address).collect();
        serving
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A connection on which nothing was said yet.
    pub(crate) fn connection(&self) -> TcpStream {
        TcpStream::connect(&self.address).unwrap()
    }

    /// The next line of the log with these words, which must come.
    pub(crate) fn line_that_says(&mut self, words: &str) -> String {
        for line in &self.log {
            self.passed.push(line.clone());
            if line.contains(words) {
                return line;
            }
        }
        panic!("the log ended without {words:?}: {:#?}", self.passed);
    }

    /// A line with these words that the log has had by now.
    pub(crate) fn earlier_line_that_says(&mut self, words: &str) -> String {
        let earlier = self.passed.iter().find(|line| line.contains(words));
        let told = || panic!("no line says {words:?}: {:#?}", self.passed);
        earlier.cloned().unwrap_or_else(told)
    }

    /// Where its metrics are, when it was given an `ADMIN_ADDRESS`.
    pub(crate) fn metrics_url(&mut self) -> String {
        let line = self.earlier_line_that_says("metrics on http://");
        let (_, address) = line.split_once("metrics on ").unwrap();
        address.split('"').next().unwrap().to_owned()
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// The most memory that it has had so far, in bytes; `None` where the system does not tell.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        cost::memory(self.process.id(), "VmHWM:")
    }

    /// Sends SIGKILL: no line of the program runs after this.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Sends SIGTERM.
    pub(crate) fn ask_to_stop(&self) {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Ends it like an operator. All that it has written since it started.
    pub(crate) fn everything(self) -> String {
        self.ask_to_stop();
        let lines = self.passed.iter().cloned().chain(self.log.iter());
        lines.map(|line| line + "\n").collect()
    }

    /// The rest of what it writes, and the code that it ended with.
    pub(crate) fn end(mut self) -> (String, Option<i32>) {
        let log = self.log.iter().map(|line| line + "\n").collect();
        (log, self.process.wait().unwrap().code())
    }
}

fn read_lines(out: impl Read + Send + 'static, send: mpsc::Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            // A test that is over reads no more.
            let _ = send.send(line);
        }
    });
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A request whose body stops half way, so that it is under way for as long as one likes.
pub(crate) struct HalfSent {
    connection: TcpStream,
    rest: String,
}

impl HalfSent {
    /// Returns when the server is waiting for the rest.
    pub(crate) fn post(mut connection: TcpStream, path: &str, body: &str) -> Self {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
            content-length: {length}\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).unwrap();
        let expected = b"HTTP/1.1 100 Continue\r\n\r\n";
        let mut interim = vec![0; expected.len()];
        connection.read_exact(&mut interim).unwrap();
        assert_eq!(interim, expected);
        let (first, rest) = body.split_at(length / 2);
        connection.write_all(first.as_bytes()).unwrap();
        Self {
            connection,
            rest: rest.to_owned(),
        }
    }

    /// Sends the rest, and reads the whole answer.
    pub(crate) fn finish(mut self) -> String {
        self.connection.write_all(self.rest.as_bytes()).unwrap();
        self.answer()
    }

    /// The answer that comes without the rest.
    pub(crate) fn answer(mut self) -> String {
        let mut answer = String::new();
        self.connection.read_to_string(&mut answer).unwrap();
        answer
    }
}

/// A line of a JSON log.
pub(crate) fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"))
}
