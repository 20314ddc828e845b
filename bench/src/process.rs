//! The servers, and what the system knows of them.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::Outcome;

/// A server that ends with this.
pub(crate) struct Process {
    child: Child,
    /// `127.0.0.1:<port>`
    pub(crate) address: String,
}

impl Process {
    /// This server, as an operator starts it; its log lines go nowhere.
    pub(crate) fn serve(program: &Path, database_url: &str) -> Outcome<Self> {
        let port = free_port()?;
        let child = Command::new(program)
            .args(["serve", "--port", &port.to_string()])
            .env("DATABASE_URL", database_url)
            .env("LOG_FORMAT", "json")
            // A few users ask as much as many would.
            .env("RATE_LIMIT_USER", "off")
            .env("RATE_LIMIT_SYNC", "off")
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self {
            child,
            address: format!("127.0.0.1:{port}"),
        })
    }

    /// The benchmark itself as a bare server of this kind.
    fn bare(arguments: &[&str], input: &str) -> Outcome<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut to = child.stdin.take().ok_or("no standard input")?;
        to.write_all(input.as_bytes())?;
        drop(to);
        let out = child.stdout.take().ok_or("no standard output")?;
        let mut address = String::new();
        BufReader::new(out).read_line(&mut address)?;
        Ok(Self {
            child,
            address: address.trim().to_owned(),
        })
    }

    pub(crate) fn ceiling(database_url: &str) -> Outcome<Self> {
        Self::bare(&["ceiling", database_url], "")
    }

    pub(crate) fn floor(answer: &str) -> Outcome<Self> {
        // Longer than an argument may be, when somebody has a thousand pages.
        Self::bare(&["floor"], answer)
    }

    /// Waits until it says that it is ready.
    pub(crate) fn first_answer(&self) -> Outcome<()> {
        for _ in 0..10_000 {
            let answer = self.ask("GET", "/readyz", "", "");
            if answer.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Err("the server does not start: run it by hand to see why".into())
    }

    /// One request on a connection of its own, and the whole answer.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        cookie: &str,
        body: &str,
    ) -> Outcome<String> {
        let mut connection = TcpStream::connect(&self.address)?;
        write!(
            connection,
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncookie: session={cookie}\r\n\
            content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        Ok(answer)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Bytes of memory in use.
    pub(crate) fn resident(&self) -> Outcome<u64> {
        self.memory("VmRSS:")
    }

    /// The most bytes of memory that were in use.
    pub(crate) fn peak(&self) -> Outcome<u64> {
        self.memory("VmHWM:")
    }

    fn memory(&self, name: &str) -> Outcome<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Ok(kilobytes.ok_or("no memory in /proc")?.parse::<u64>()? * 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // As an operator ends it, so that it may leave what it has seen of itself.
        let _ = Command::new("kill").arg(self.id().to_string()).status();
        let _ = self.child.wait();
    }
}

fn free_port() -> Outcome<u16> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    Ok(listener.local_addr()?.port())
}

/// The time that each of these processes has spent on processors, all its threads together.
pub(crate) struct Cpu(HashMap<u32, Duration>);

impl Cpu {
    pub(crate) fn of(ids: impl IntoIterator<Item = u32>) -> Self {
        let times = ids.into_iter().filter_map(|id| Some((id, cpu_of(id)?)));
        Self(times.collect())
    }

    /// By those that still run; what began meanwhile counts from its start.
    pub(crate) fn since(&self, before: &Self) -> Duration {
        let spent = |(id, time): (&u32, &Duration)| match before.0.get(id) {
            Some(earlier) => time.saturating_sub(*earlier),
            None => *time,
        };
        self.0.iter().map(spent).sum()
    }
}

/// To the nanosecond, where the kernel counts so.
fn cpu_of(id: u32) -> Option<Duration> {
    let threads = fs::read_dir(format!("/proc/{id}/task")).ok()?;
    let of_thread = |thread: fs::DirEntry| {
        let times = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        times.split(' ').next()?.parse::<u64>().ok()
    };
    let nanoseconds = threads.flatten().filter_map(of_thread).sum();
    Some(Duration::from_nanos(nanoseconds))
}

/// Where a server spends its time, asked for by signal until this is written.
pub(crate) struct Profile {
    perf: Child,
    samples: tempfile::TempDir,
}

impl Profile {
    pub(crate) fn start(server: &Process) -> Outcome<Self> {
        let samples = tempfile::TempDir::new()?;
        let perf = Command::new("perf")
            .args(["record", "--quiet", "--event", "cpu-clock", "--freq", "499"])
            .args([
                "--call-graph",
                "dwarf,16384",
                "--pid",
                &server.id().to_string(),
            ])
            .arg("--output")
            .arg(samples.path().join("perf.data"))
            .spawn()?;
        Ok(Self { perf, samples })
    }

    pub(crate) fn write(mut self, to: &Path) -> Outcome<()> {
        Command::new("kill")
            .args(["-INT", &self.perf.id().to_string()])
            .status()?;
        self.perf.wait()?;
        let pipeline = "perf script --input \"$0\" 2>/dev/null | inferno-collapse-perf | inferno-flamegraph > \"$1\"";
        let drawn = Command::new("sh")
            .args(["-c", pipeline])
            .arg(self.samples.path().join("perf.data"))
            .arg(to)
            .status()?;
        if drawn.success() {
            Ok(())
        } else {
            Err("no flame graph: are perf and inferno installed?".into())
        }
    }
}
