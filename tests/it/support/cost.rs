//! What a process spends, as Linux tells it.

use std::{collections::HashMap, fs, thread, time::Duration};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// Of all threads together.
    pub(crate) cpu: Duration,
    /// The most at one time beyond what there was before, in bytes.
    pub(crate) memory: u64,
}

/// Counts from when it was started.
pub(crate) struct Meter {
    process: u32,
    threads: HashMap<String, Thread>,
    resident: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Thread {
    nanoseconds: u64,
    is_idle: bool,
}

impl Meter {
    /// Where nothing is told about the process, the reason.
    pub(crate) fn start(process: u32) -> Result<Self, String> {
        let threads = idle(process)?;
        // The peak starts again from what there is.
        fs::write(format!("/proc/{process}/clear_refs"), "5")
            .map_err(|cause| format!("the system forgets no peak of memory: {cause}"))?;
        let resident =
            memory(process, "VmRSS:").ok_or("the system does not tell what memory there is")?;
        Ok(Self {
            process,
            threads,
            resident,
        })
    }

    /// What was spent until nothing is left to do.
    pub(crate) fn stop(self) -> Cost {
        let threads = idle(self.process).unwrap();
        let spent = threads.iter().map(|(name, thread)| {
            let before = self.threads.get(name);
            thread.nanoseconds - before.map_or(0, |before| before.nanoseconds)
        });
        let peak = memory(self.process, "VmHWM:").unwrap();
        Cost {
            cpu: Duration::from_nanos(spent.sum()),
            memory: peak.saturating_sub(self.resident),
        }
    }
}

/// The threads once none of them has anything to do.
fn idle(process: u32) -> Result<HashMap<String, Thread>, String> {
    let mut before = threads(process)?;
    loop {
        thread::yield_now();
        let now = threads(process)?;
        if now == before && now.values().all(|thread| thread.is_idle) {
            return Ok(now);
        }
        before = now;
    }
}

fn threads(process: u32) -> Result<HashMap<String, Thread>, String> {
    let folder = fs::read_dir(format!("/proc/{process}/task"))
        .map_err(|cause| format!("the system does not tell what a process spends: {cause}"))?;
    // One that has ended in the meantime tells nothing.
    let thread = |folder: fs::DirEntry| {
        let stat = fs::read_to_string(folder.path().join("stat")).ok()?;
        let spent = fs::read_to_string(folder.path().join("schedstat")).ok()?;
        let (_, state) = stat.rsplit_once(") ")?;
        let thread = Thread {
            nanoseconds: spent.split(' ').next()?.parse().ok()?,
            is_idle: state.starts_with('S'),
        };
        Some((folder.file_name().into_string().ok()?, thread))
    };
    let threads: HashMap<_, _> = folder.flatten().filter_map(thread).collect();
    if threads.is_empty() {
        return Err("the system does not tell what threads spend".to_owned());
    }
    Ok(threads)
}

/// A line of the process's status, in bytes.
pub(crate) fn memory(process: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}
