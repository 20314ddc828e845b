//! Time, so that a test can set it.

use std::{fmt, time::Duration};

use chrono::{NaiveDateTime, Utc};
use tokio::{sync::watch, time::sleep};

/// Tells the time, in UTC, to the millisecond: as exactly as the database keeps it.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    Machine,
    Set(watch::Receiver<NaiveDateTime>),
}

/// The longest sleep: a machine that was suspended, or whose clock was set, is not behind for longer.
const NAP: Duration = Duration::from_secs(30);

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::Machine)
    }

    /// A clock that shows what was sent last.
    #[must_use]
    pub fn set_by(times: watch::Receiver<NaiveDateTime>) -> Self {
        Self(Source::Set(times))
    }

    pub(crate) fn now(&self) -> NaiveDateTime {
        let now = match &self.0 {
            #[expect(
                clippy::disallowed_methods,
                reason = "the one place that asks the machine for the time"
            )]
            Source::Machine => Utc::now().naive_utc(),
            Source::Set(times) => *times.borrow(),
        };
        chrono::SubsecRound::trunc_subsecs(now, 3)
    }

    /// Returns when the clock shows `time` or a later one.
    pub(crate) async fn until(&self, time: NaiveDateTime) {
        match &self.0 {
            Source::Machine => {
                while let Ok(rest) = (time - self.now()).to_std()
                    && !rest.is_zero()
                {
                    sleep(rest.min(NAP)).await;
                }
            }
            Source::Set(times) => {
                let mut times = times.clone();
                if times.wait_for(|now| *now >= time).await.is_err() {
                    // Nobody is left to set it.
                    std::future::pending().await
                }
            }
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Clock")
    }
}
