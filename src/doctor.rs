//! Looks at everything that a server depends on, one thing after the other, and says what to do.

use std::{
    fmt::Display,
    io::{self, Write},
    time::{Duration, Instant},
};

use chrono::{NaiveDateTime, TimeDelta};
use sea_orm::DatabaseConnection;
use tokio::time::timeout;
use url::Url;

use crate::{
    clock::Clock,
    config::Serve,
    domain::ready,
    graphql,
    linkedin::{self, Client},
    manifest::Manifest,
    storage::{self, Database},
};

/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How far a clock may be off: sessions and connections end by it.
const TOLERANCE: TimeDelta = TimeDelta::seconds(5);

/// What a look has found.
enum Finding {
    Well(String),
    /// What is wrong, and what to do.
    Wrong(String),
}

use Finding::{Well, Wrong};

/// Writes a line for each thing that a server with these settings depends on. Whether all is well.
///
/// # Errors
/// When `out` cannot be written to.
pub async fn examine(serve: &Serve, clock: &Clock, out: &mut impl Write) -> io::Result<bool> {
    let mut report = Report { out, is_well: true };
    report.tell("configuration", configuration(serve))?;
    let pool = serve.database.pool(false);
    match storage::connect(&serve.database.database_url, &pool).await {
        Ok(db) => {
            let db = Database::new(db, |_| {});
            report.tell(
                "database",
                look("the database does not answer", database(&db)).await,
            )?;
            let compared = look("the database does not answer", database_clock(&db, clock));
            report.tell("clock", compared.await)?;
        }
        Err(cause) => {
            let wrong = format!("{cause}: is it running, and is DATABASE_URL right?");
            report.tell("database", Wrong(wrong))?;
        }
    }
    let client = client(serve);
    match client {
        Ok(client) => {
            let probed = client.probe().await;
            report.tell("LinkedIn", reached(&probed, serve))?;
            if let Some(time) = probed.ok().and_then(|probe| probe.time) {
                report.tell("clock", compare(clock.now(), time, "LinkedIn's"))?;
            }
        }
        Err(cause) => report.tell("LinkedIn", Wrong(cause))?,
    }
    Ok(report.is_well)
}

struct Report<'a, W> {
    out: &'a mut W,
    is_well: bool,
}

impl<W: Write> Report<'_, W> {
    fn tell(&mut self, subject: &str, finding: Finding) -> io::Result<()> {
        match finding {
            Well(text) => writeln!(self.out, "ok     {subject}: {text}"),
            Wrong(text) => {
                self.is_well = false;
                writeln!(self.out, "WRONG  {subject}: {text}")
            }
        }
    }
}

async fn look(overdue: &str, looking: impl Future<Output = Finding>) -> Finding {
    timeout(PATIENCE, looking)
        .await
        .unwrap_or_else(|_| Wrong(overdue.to_owned()))
}

fn configuration(serve: &Serve) -> Finding {
    let runnable = |manifest: Option<Manifest>| {
        graphql::check_trusted(manifest.as_ref(), &serve.limits, serve.introspection)
    };
    match serve
        .check()
        .and_then(|()| serve.manifest())
        .and_then(runnable)
    {
        Ok(()) => Well("nothing contradicts itself".to_owned()),
        Err(sentence) => Wrong(sentence),
    }
}

async fn database(db: &Database) -> Finding {
    let began = Instant::now();
    match ready::obstacle(db).await {
        Ok(None) => Well(format!(
            "it has all that the server needs, and answered in {} ms",
            began.elapsed().as_millis()
        )),
        Ok(Some(sentence)) => Wrong(sentence),
        Err(cause) => unreachable_database(&cause),
    }
}

fn unreachable_database(cause: &dyn Display) -> Finding {
    Wrong(format!(
        "{cause}: may the role read the tables, and is the disk full?"
    ))
}

async fn database_clock(db: &DatabaseConnection, clock: &Clock) -> Finding {
    match storage::current_time(db).await {
        Ok(time) => compare(clock.now(), time, "the database's"),
        Err(cause) => unreachable_database(&cause),
    }
}

fn compare(ours: NaiveDateTime, theirs: NaiveDateTime, whose: &str) -> Finding {
    let difference = ours - theirs;
    if difference.abs() <= TOLERANCE {
        return Well(format!("it agrees with {whose}"));
    }
    let direction = if difference > TimeDelta::zero() {
        "ahead of"
    } else {
        "behind"
    };
    Wrong(format!(
        "it is {} seconds {direction} {whose}: let both machines take the time from the network (NTP)",
        difference.abs().num_seconds()
    ))
}

fn client(serve: &Serve) -> Result<Client, String> {
    let public_url = match &serve.public_url {
        Some(url) => url.clone(),
        None => Url::parse("http://localhost").map_err(|cause| cause.to_string())?,
    };
    let settings = serve.linkedin.settings(&public_url);
    let settings = settings.map_err(|cause| cause.to_string())?;
    Client::new(settings).map_err(|cause| cause.to_string())
}

fn reached(probed: &Result<linkedin::Probe, linkedin::Error>, serve: &Serve) -> Finding {
    let version = &serve.linkedin.linkedin_version;
    match probed {
        Ok(_) => Well(format!("it answers, and does not refuse version {version}")),
        Err(linkedin::Error::VersionSunset { .. }) => Wrong(format!(
            "it no longer serves version {version}: set LINKEDIN_VERSION to a newer month"
        )),
        Err(cause) => Wrong(format!(
            "{cause}: can this machine reach {}, by name and through its firewall?",
            serve.linkedin.linkedin_api_url
        )),
    }
}
