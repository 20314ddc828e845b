//! What `doctor` finds, and what it says about it.

use std::process::Output;

use rstest::rstest;
use sea_orm::ConnectionTrait;
use stand_in_linkedin::{Fault, StandIn, When};

use crate::support::{
    database::{Backend, Database},
    process::{program, run},
};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn where_all_is_well_it_says_so(#[values(Backend::Sqlite, Backend::Postgres)] on: Backend) {
    let Some(database) = Database::migrated(on).await else {
        return;
    };
    let linkedin = linkedin().await;

    let (output, told) = examine(&database.url, &linkedin, &[]).await;

    assert!(output.status.success(), "{told}");
    let subjects: Vec<_> = told
        .lines()
        .map(|line| line.split(':').next().unwrap())
        .collect();
    let well = ["configuration", "database", "clock", "LinkedIn", "clock"];
    assert_eq!(
        subjects,
        well.map(|subject| format!("ok     {subject}")),
        "{told}"
    );
    assert!(
        told.contains("it answers, and does not refuse version 202607"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_wrong_is_told_at_once_with_what_to_do() {
    let database = Database::migrated(Backend::Sqlite).await.unwrap();
    let db = database.connect().await;
    db.execute_unprepared("DROP TABLE linkedin_page_syncs")
        .await
        .unwrap();
    let linkedin = linkedin().await;
    linkedin.world(|world| world.fail(Fault::VersionSunset, When::always()));
    let wrong = [("LINKEDIN_VERSION", "201901"), ("LINKEDIN_DEADLINE", "1h")];

    let (output, told) = examine(&database.url, &linkedin, &wrong).await;

    assert_eq!(output.status.code(), Some(1));
    let wrong: Vec<_> = told
        .lines()
        .filter_map(|line| line.strip_prefix("WRONG  "))
        .collect();
    assert_eq!(
        wrong,
        [
            "configuration: invalid value for LINKEDIN_DEADLINE: it must be shorter than REQUEST_TIMEOUT",
            "database: the database lacks table \"linkedin_page_syncs\": run `linkedin-targets migrate up`",
            "LinkedIn: it no longer serves version 201901: set LINKEDIN_VERSION to a newer month",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_reached_is_told_without_secrets() {
    let linkedin = linkedin().await;
    let url = "postgres://ann:hunter2@127.0.0.1:9/app";
    let nowhere = [
        ("LINKEDIN_API_URL", "http://127.0.0.1:9"),
        ("DATABASE_ACQUIRE_TIMEOUT", "1s"),
    ];

    let (output, told) = examine(url, &linkedin, &nowhere).await;

    assert_eq!(output.status.code(), Some(1));
    assert!(told.contains("WRONG  database: "), "{told}");
    assert!(
        told.contains("is it running, and is DATABASE_URL right?"),
        "{told}"
    );
    assert!(told.contains("WRONG  LinkedIn: "), "{told}");
    assert!(
        told.contains("can this machine reach http://127.0.0.1:9/"),
        "{told}"
    );
    assert!(!told.contains("hunter2"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off_is_told() {
    let database = Database::migrated(Backend::Sqlite).await.unwrap();
    let long_ago = crate::support::wire::Wire::start().await;
    let answer = "HTTP/1.1 401 Unauthorized\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\ncontent-length: 0\r\n\r\n";
    long_ago.follow(crate::support::wire::Script::Says(answer));
    let linkedin = linkedin().await;
    let elsewhere = [("LINKEDIN_API_URL", long_ago.address.as_str())];

    let (output, told) = examine(&database.url, &linkedin, &elsewhere).await;

    assert_eq!(output.status.code(), Some(1));
    assert!(told.contains("WRONG  clock: it is "), "{told}");
    assert!(
        told.contains(
            "seconds ahead of LinkedIn's: let both machines take the time from the network"
        ),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_whose_clock_is_off_is_told() {
    let Some(database) = Database::migrated(Backend::Postgres).await else {
        return;
    };
    let db = database.connect().await;
    db.execute_unprepared(
        "CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT timestamptz '1994-11-06 08:49:37Z' $$",
    )
    .await
    .unwrap();
    // PostgreSQL's own functions come last then.
    let url = format!("{}%2Cpg_catalog", database.url);
    let linkedin = linkedin().await;

    let (output, told) = examine(&url, &linkedin, &[]).await;

    assert_eq!(output.status.code(), Some(1));
    assert!(told.contains("WRONG  clock: it is "), "{told}");
    assert!(told.contains("seconds ahead of the database's"), "{told}");
}

async fn examine(url: &str, linkedin: &StandIn, settings: &[(&str, &str)]) -> (Output, String) {
    let mut doctor = program(&["doctor"]);
    doctor
        .env("DATABASE_URL", url)
        .env("LINKEDIN_API_URL", linkedin.base_url().as_str())
        .envs(settings.iter().copied());
    let (output, out, _) = tokio::task::spawn_blocking(move || run(&mut doctor))
        .await
        .unwrap();
    (output, out)
}

async fn linkedin() -> StandIn {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let now = crate::support::app::TestClock::new();
    StandIn::start(listener, move || now.now(), String::new).unwrap()
}
