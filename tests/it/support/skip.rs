//! Tests of what a machine may not have, and how they say that they did not run.

use std::{
    env,
    io::{self, Write},
};

/// Says on one line what is skipped, why, and how to get what is missing.
///
/// Panics where nothing may be skipped.
pub(crate) fn skip(what: &str, reason: &str) {
    assert!(
        !nothing_may_be_skipped(),
        "{what}: this may not be skipped, but {reason}"
    );
    say(&format!("Skipped: {what}, as {reason}."));
}

pub(crate) fn nothing_may_be_skipped() -> bool {
    variable("CI").is_some() || variable("TEST_NOTHING_SKIPPED").is_some_and(|value| value == "1")
}

#[expect(
    clippy::disallowed_methods,
    reason = "what tests run on is no part of the server's configuration"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Written past the test harness, which shows nothing of a test that passes.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
