//! How fast linkedin-targets answers, next to the least that any server would do.
//!
//! On one database with many users in it, three servers are driven in turn, in short alternating slices, with the same
//! load: this server as it is shipped; the *ceiling*, a bare axum handler around one prepared statement, whose answer is
//! the same; and the *floor*, axum answering a constant of that size. Whatever else the machine is doing, it does to
//! all three; so the ratios to the ceiling tell more than the rates.

mod bare;
mod data;
mod load;
mod process;
mod table;

use std::{error::Error, path::PathBuf, process::Command, time::Duration};

use clap::Parser;

use bare::{Bare, bare};
use data::Data;
use load::{Load, Operation};
use process::Process;
use table::Table;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Measures linkedin-targets against a ceiling and a floor. Needs wrk (Debian package `wrk`), and perf for --profile.
#[derive(Clone, Debug, Parser)]
struct Options {
    /// A PostgreSQL on this machine, reached without TLS as the ceiling reaches it. A database for the benchmark is made
    /// there, and kept.
    #[arg(
        long,
        env = "BENCH_DATABASE_URL",
        default_value = "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"
    )]
    database_url: url::Url,
    /// Measure on a SQLite file instead.
    #[arg(long)]
    sqlite: bool,
    /// How many users the database has.
    #[arg(long, default_value_t = 100_000)]
    users: u32,
    /// How many company pages of their own each of them has.
    #[arg(long, default_value_t = 3)]
    pages: u32,
    /// How many connections the load comes over, one table row each.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64])]
    connections: Vec<u32>,
    /// What is asked for; everything by default.
    #[arg(long, value_delimiter = ',')]
    operations: Vec<Operation>,
    /// How often each server has its turn.
    #[arg(long, default_value_t = 7)]
    rounds: u32,
    /// How long a turn is, in seconds.
    #[arg(long, default_value_t = 2)]
    seconds: u32,
    /// The program to measure, instead of one built for it.
    #[arg(long)]
    server: Option<PathBuf>,
    /// Leave a flame graph of this server under the load in this file. Needs perf and inferno (`cargo install inferno`).
    #[arg(long, value_name = "SVG")]
    profile: Option<PathBuf>,
    /// Be a bare server; the benchmark starts itself so.
    #[command(subcommand)]
    bare: Option<Bare>,
}

fn main() -> Outcome<()> {
    let mut options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    if let Some(server) = options.bare.take() {
        return runtime.block_on(bare(server));
    }
    let server = match &options.server {
        Some(server) => server.clone(),
        None => build(options.profile.is_some())?,
    };
    let data: Data = if options.sqlite {
        Data::sqlite(&server, &options)?
    } else {
        runtime.block_on(Data::postgres(&server, &options))?
    };
    measure(&server, &data, &options)
}

/// The server as it is shipped; to be profiled, with symbols instead.
fn build(with_symbols: bool) -> Outcome<PathBuf> {
    let (mut build, folder) = if with_symbols {
        let mut cargo = Command::new("cargo");
        cargo.args(["build", "--locked", "--package", "linkedin-targets"]);
        cargo.args(["--profile", "profiling"]);
        (cargo, "profiling")
    } else {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../pgo/build");
        (Command::new(script), "pgo")
    };
    if !build.status()?.success() {
        return Err("the server cannot be built".into());
    }
    let target = std::env::current_exe()?;
    let target = target
        .ancestors()
        .nth(2)
        .ok_or("the benchmark is not in a target directory")?;
    Ok(target.join(folder).join("linkedin-targets"))
}

fn measure(server: &std::path::Path, data: &Data, options: &Options) -> Outcome<()> {
    let started = std::time::Instant::now();
    let ours = Process::serve(server, data.url())?;
    ours.first_answer()?;
    let start = started.elapsed();
    let idle = ours.resident()?;
    let ceiling = Process::ceiling(data.url())?;
    let load = Load::new(data.people(), Duration::from_secs(options.seconds.into()))?;

    let operations = match options.operations.as_slice() {
        [] => Operation::ALL,
        some => some,
    };
    let mut table = Table::new(!options.sqlite)?;
    for operation in operations {
        let answer = load.same_answer(*operation, &ours, &ceiling)?;
        let floor = Process::floor(&answer)?;
        for connections in &options.connections {
            let servers = [&ours, &ceiling, &floor];
            // Before anything counts, everyone has their connections and plans.
            for server in servers {
                load.slice(*operation, *connections, server, data)?;
            }
            let profile = options
                .profile
                .as_ref()
                .map(|_| process::Profile::start(&ours))
                .transpose()?;
            let mut rounds = Vec::new();
            for _ in 0..options.rounds {
                let slice = |server| load.slice(*operation, *connections, server, data);
                rounds.push([slice(servers[0])?, slice(servers[1])?, slice(servers[2])?]);
            }
            if let (Some(profile), Some(path)) = (profile, &options.profile) {
                profile.write(path)?;
            }
            table.add(*operation, *connections, &rounds)?;
        }
    }
    table.end(start, idle, ours.resident()?, ours.peak()?)
}
