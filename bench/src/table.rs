//! The one table.

use std::{
    io::{self, Write},
    time::Duration,
};

use crate::{
    Outcome,
    load::{Operation, Slice},
};

/// Writes each row as soon as it is known.
pub(crate) struct Table {
    out: io::Stdout,
    /// SQLite has no process of its own.
    has_postgres: bool,
}

/// And whether they are of PostgreSQL alone.
const COLUMNS: [(&str, bool); 11] = [
    ("operation", false),
    ("connections", false),
    ("requests/s", false),
    ("p50 ms", false),
    ("p99 ms", false),
    ("CPU µs", false),
    ("PostgreSQL µs", true),
    ("requests/s ÷ ceiling", false),
    ("p99 ÷", false),
    ("PostgreSQL ÷", true),
    ("requests/s ÷ floor", false),
];

impl Table {
    pub(crate) fn new(has_postgres: bool) -> Outcome<Self> {
        let out = io::stdout();
        let mut table = Self { out, has_postgres };
        writeln!(
            table.out,
            "this server · ceiling · floor; medians, ratios with their spread\n"
        )?;
        table.row(COLUMNS.map(|(title, _)| title.to_owned()))?;
        table.row([(); COLUMNS.len()].map(|()| "---".to_owned()))?;
        Ok(table)
    }

    fn row(&mut self, cells: [String; COLUMNS.len()]) -> Outcome<()> {
        let cells = COLUMNS.into_iter().zip(cells);
        let shown = cells.filter(|((_, of_postgres), _)| self.has_postgres || !of_postgres);
        let cells: Vec<_> = shown.map(|(_, cell)| cell).collect();
        writeln!(self.out, "| {} |", cells.join(" | "))?;
        Ok(())
    }

    /// Each round has a slice of this server, the ceiling and the floor.
    pub(crate) fn add(
        &mut self,
        operation: Operation,
        connections: u32,
        rounds: &[[Slice; 3]],
    ) -> Outcome<()> {
        let each = |of: &dyn Fn(&Slice) -> f64, decimals: usize| {
            let texts = [0, 1, 2].map(|server| {
                let values = rounds.iter().map(|round| of(&round[server]));
                format!("{:.decimals$}", median(values.collect()))
            });
            texts.join(" · ")
        };
        // Within one round, so that what comes and goes on the machine weighs on both.
        let ratio = |of: &dyn Fn(&Slice) -> f64, other: usize| {
            let ratios: Vec<_> = rounds
                .iter()
                .map(|round| of(&round[0]) / of(&round[other]))
                .collect();
            let [low, high] =
                [f64::min, f64::max].map(|pick| ratios.iter().copied().fold(f64::NAN, pick));
            format!("**{:.2}** ({low:.2}–{high:.2})", median(ratios))
        };
        let rate = |slice: &Slice| slice.requests_per_second;
        let p99 = |slice: &Slice| milliseconds(slice.p99);
        let database = |slice: &Slice| 1e3 * milliseconds(slice.database_cpu);
        self.row([
            operation.title().to_owned(),
            connections.to_string(),
            each(&rate, 0),
            each(&|slice| milliseconds(slice.p50), 2),
            each(&p99, 2),
            each(&|slice| 1e3 * milliseconds(slice.cpu), 0),
            each(&database, 0),
            ratio(&rate, 1),
            ratio(&p99, 1),
            ratio(&database, 1),
            ratio(&rate, 2),
        ])
    }

    /// What is left to say of this server: the time to its first answer, and its memory.
    pub(crate) fn end(mut self, start: Duration, idle: u64, after: u64, peak: u64) -> Outcome<()> {
        let [idle, after, peak] =
            [idle, after, peak].map(|bytes| bytes as f64 / f64::from(1 << 20));
        writeln!(
            self.out,
            "\nFirst answer after {:.0} ms. Memory: {idle:.1} MiB idle, {after:.1} after the run, {peak:.1} at most.",
            milliseconds(start)
        )?;
        Ok(())
    }
}

fn milliseconds(time: Duration) -> f64 {
    1e3 * time.as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        (values[middle - 1] + values[middle]) / 2.0
    }
}
