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
}

const HEAD: &str = "\
| operation | connections | requests/s | p50 ms | p99 ms | CPU µs | PostgreSQL µs | requests/s ÷ ceiling | p99 ÷ | PostgreSQL ÷ | requests/s ÷ floor |
|---|---|---|---|---|---|---|---|---|---|---|";

impl Table {
    pub(crate) fn new() -> Outcome<Self> {
        let mut out = io::stdout();
        writeln!(
            out,
            "this server · ceiling · floor; medians, ratios with their spread\n\n{HEAD}"
        )?;
        Ok(Self { out })
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
        writeln!(
            self.out,
            "| {} | {connections} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            operation.title(),
            each(&rate, 0),
            each(&|slice| milliseconds(slice.p50), 2),
            each(&p99, 2),
            each(&|slice| 1e3 * milliseconds(slice.cpu), 0),
            each(&database, 0),
            ratio(&rate, 1),
            ratio(&p99, 1),
            ratio(&database, 1),
            ratio(&rate, 2),
        )?;
        Ok(())
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
