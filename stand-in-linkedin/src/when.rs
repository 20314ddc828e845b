//! Which calls go wrong.

use std::fmt;

use crate::{Call, Endpoint, Fault, StandIn};

/// Which calls a fault spoils.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When {
    member: Option<String>,
    endpoint: Option<Endpoint>,
    from_start: usize,
    spared: usize,
    times: Option<usize>,
}

impl When {
    /// Every call, unless narrowed down.
    #[must_use]
    pub fn always() -> Self {
        Self::default()
    }

    /// Only calls for one member, by `sub`.
    #[must_use]
    pub fn by(self, sub: &str) -> Self {
        Self {
            member: Some(sub.to_owned()),
            ..self
        }
    }

    /// Only one kind of call.
    #[must_use]
    pub fn at(self, endpoint: Endpoint) -> Self {
        Self {
            endpoint: Some(endpoint),
            ..self
        }
    }

    /// Only listings that begin at this element or later: 10 spoils all but the first ten.
    #[must_use]
    pub fn from_start(self, start: usize) -> Self {
        Self {
            from_start: start,
            ..self
        }
    }

    /// Not the first so many of these calls.
    #[must_use]
    pub fn after(self, spared: usize) -> Self {
        Self { spared, ..self }
    }

    /// Only so many times.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self {
            times: Some(times),
            ..self
        }
    }

    fn covers(&self, call: &Call) -> bool {
        self.member
            .as_ref()
            .is_none_or(|member| call.member.as_ref() == Some(member))
            && self
                .endpoint
                .is_none_or(|endpoint| call.endpoint == endpoint)
            && call.number("start").unwrap_or(0) >= self.from_start
    }
}

impl fmt::Display for When {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{}",
            self.endpoint.map_or("every call", Endpoint::path)
        )?;
        write!(out, " by {}", self.member.as_deref().unwrap_or("everybody"))?;
        if self.from_start > 0 {
            write!(out, ", from element {} on", self.from_start)?;
        }
        if self.spared > 0 {
            write!(out, ", after {} more", self.spared)?;
        }
        match self.times {
            Some(times) => write!(out, ", {times} times"),
            None => Ok(()),
        }
    }
}

/// A fault that waits for its calls.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) fault: Fault,
    /// What is left of it: the numbers count down.
    pub(crate) when: When,
}

impl Plan {
    pub(crate) fn new(fault: Fault, when: When) -> Self {
        Self { fault, when }
    }

    fn meet(&mut self, call: &Call) -> Option<Fault> {
        if !self.when.covers(call) {
            return None;
        }
        if self.when.spared > 0 {
            self.when.spared -= 1;
            return None;
        }
        match &mut self.when.times {
            Some(0) => return None,
            Some(left) => *left -= 1,
            None => {}
        }
        Some(self.fault.clone())
    }
}

impl StandIn {
    /// The fault that a call meets. Faults that are used up are forgotten.
    pub(crate) fn meet_fault(&self, call: &Call) -> Option<Fault> {
        self.world(|world| {
            let fault = world.faults.iter_mut().find_map(|plan| plan.meet(call));
            world.faults.retain(|plan| plan.when.times != Some(0));
            fault
        })
    }
}
