//! Requests that wait at the same time share a statement, and nothing else.

use std::time::Duration;

use futures_util::future::join_all;
use linkedin_targets::storage::entity::{Secret, session};
use reqwest::{
    Method, RequestBuilder,
    header::{AUTHORIZATION, COOKIE},
};
use rstest::rstest;
use sea_orm::{ConnectionTrait, EntityTrait, TransactionTrait};
use serde_json::{Value, json};

use crate::support::{
    app::{Ask, Person, Reply, TestApp},
    database::Backend,
    dump::strings,
    eventually::eventually,
    queue::Queue,
};

const TARGETS: &str = "/api/linkedin/targets";

#[rstest]
#[tokio::test]
async fn those_who_wait_share_a_statement_and_each_gets_their_own(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let crowd = crowd(&app, 20).await;
    let mut queue = Queue::form(&app).await;
    for person in &crowd {
        queue.join(&app, by(&app, person)).await;
    }
    app.take_statements();

    let replies = queue.serve().await;

    let labels: Vec<_> = replies.iter().map(labels).collect();
    let own: Vec<_> = (0..20).map(own_labels).collect();
    assert_eq!(labels, own);
    // One went ahead, another followed with whoever had come by then, and the third took all others.
    assert!(selects(&app) <= 3);
}

#[rstest]
#[tokio::test]
async fn whoever_comes_alone_does_not_wait_for_others(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let [ada, ben] = &crowd(&app, 2).await[..] else {
        panic!("two");
    };
    app.take_statements();

    let replies = [app.get(TARGETS, ada).await, app.get(TARGETS, ben).await];

    assert_eq!(
        replies.each_ref().map(labels),
        [own_labels(0), own_labels(1)]
    );
    assert_eq!(selects(&app), 2);
}

/// On PostgreSQL: nothing holds up who reads from SQLite.
#[tokio::test]
async fn whoever_comes_beside_one_alone_does_not_wait_for_their_statement() {
    let Some(app) = TestApp::new(Backend::Postgres).await else {
        return;
    };
    let crowd = crowd(&app, 2).await;
    let sessions = app.db.begin().await.unwrap();
    let lock = r#"LOCK TABLE "sessions" IN ACCESS EXCLUSIVE MODE"#;
    sessions.execute_unprepared(lock).await.unwrap();
    let asked = crowd
        .iter()
        .map(|person| tokio::spawn(by(&app, person).reply()));
    let asked: Vec<_> = asked.collect();

    let blocked =
        r#"SELECT pid::text FROM pg_locks WHERE relation = '"sessions"'::regclass AND NOT granted"#;
    eventually("both statements have come to the table", async || {
        strings(&app.db, blocked).await.len() == 2
    })
    .await;

    sessions.rollback().await.unwrap();
    let replies = join_all(asked).await;
    let labels: Vec<_> = replies
        .into_iter()
        .map(|reply| labels(&reply.unwrap()))
        .collect();
    assert_eq!(labels, [own_labels(0), own_labels(1)]);
}

#[rstest]
#[tokio::test]
async fn what_somebody_presents_proves_the_same_in_company_as_alone(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let crowd = crowd(&app, 4).await;
    let world = app.world();
    let expired = world.session(&crowd[2].id, world.now).await.unwrap();
    world.token(&crowd[3].id, "live token").await.unwrap();
    let sessions = [
        &crowd[0].session,
        &crowd[1].session,
        &expired,
        "of nobody",
        "with a%00NUL",
    ];
    let mut cookies = vec![String::new()];
    cookies.extend(sessions.map(str::to_owned));
    for first in sessions {
        cookies.extend(sessions.map(|second| format!("{first},{second}")));
    }
    let tokens = [None, Some("live token"), Some("unknown token")];
    let presented: Vec<_> = tokens
        .into_iter()
        .flat_map(|token| cookies.iter().map(move |cookie| (token, cookie)))
        .collect();
    let request = |(token, cookie): &(Option<&str>, &String)| {
        let request = app.request(Method::GET, TARGETS);
        let request = request.header(COOKIE, format!("session={cookie}"));
        match token {
            Some(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
            None => request,
        }
    };
    let mut alone = Vec::new();
    for presented in &presented {
        alone.push(request(presented).reply().await);
    }

    let mut queue = Queue::form(&app).await;
    for presented in &presented {
        queue.join(&app, request(presented)).await;
    }
    let together = queue.serve().await;

    let told = |reply: &Reply| (reply.status, reply.json());
    let differing: Vec<_> = presented
        .iter()
        .zip(alone.iter().map(told).zip(together.iter().map(told)))
        .filter(|(_, (alone, together))| alone != together)
        .collect();
    assert!(differing.is_empty(), "{differing:#?}");
    let of_somebody = together.iter().filter(|reply| reply.status == 200).count();
    assert!((1..presented.len()).contains(&of_somebody));
}

#[rstest]
#[tokio::test]
async fn a_session_that_ends_while_its_owner_waits_proves_nobody(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let crowd = crowd(&app, 5).await;
    let mut queue = Queue::form(&app).await;
    for person in &crowd {
        queue.join(&app, by(&app, person)).await;
    }

    let ended = session::Entity::delete_by_id(Secret(crowd[3].session.clone()));
    ended.exec(&app.db).await.unwrap();
    let replies = queue.serve().await;

    let statuses: Vec<_> = replies.iter().map(|reply| reply.status.as_u16()).collect();
    assert_eq!(statuses, [200, 200, 200, 401, 200]);
}

#[rstest]
#[tokio::test]
async fn rows_that_cannot_be_read_fail_their_owner_alone(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let crowd = crowd(&app, 6).await;
    let poison = match on {
        Backend::Sqlite => {
            r#"UPDATE "linkedin_personal_pages" SET "pageName" = X'FF' WHERE "pageName" = 'Page 4'"#
        }
        Backend::Postgres => {
            r#"ALTER TABLE "linkedin_personal_pages" RENAME TO "pages";
            CREATE VIEW "linkedin_personal_pages" AS SELECT "id", "identityId", "linkedInPageId", "pageLogoUrl",
                "discoveredAt", "lastSyncedAt", "removedAt",
                CASE "pageName" WHEN 'Page 4' THEN (1 / (length("pageName") - 6))::text ELSE "pageName" END AS "pageName"
            FROM "pages""#
        }
    };
    app.db.execute_unprepared(poison).await.unwrap();
    let mut queue = Queue::form(&app).await;
    for person in &crowd {
        queue.join(&app, by(&app, person)).await;
    }

    let replies = queue.serve().await;

    let statuses: Vec<_> = replies.iter().map(|reply| reply.status.as_u16()).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 500, 200]);
    assert_eq!(labels(&replies[5]), own_labels(5));
}

#[rstest]
#[tokio::test]
async fn whoever_goes_away_takes_nothing_from_the_others(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let crowd = crowd(&app, 6).await;
    let mut queue = Queue::form(&app).await;
    for person in &crowd {
        queue.join(&app, by(&app, person)).await;
    }

    // One who would have been served first, and one from the middle of the batch.
    for place in [3, 0] {
        queue.leave(place).await;
    }
    let replies = queue.serve().await;

    let labels: Vec<_> = replies.iter().map(labels).collect();
    assert_eq!(labels, [1, 2, 4, 5].map(own_labels));
}

#[rstest]
#[tokio::test]
async fn a_database_that_does_not_answer_holds_nobody_beyond_their_deadline(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let soon = Duration::from_millis(200);
    let Some(app) = TestApp::with(on, |settings| settings.request_timeout = soon).await else {
        return;
    };
    let crowd = crowd(&app, 5).await;
    let queue = Queue::form(&app).await;

    let late = join_all(crowd.iter().map(|person| app.get(TARGETS, person))).await;

    let statuses: Vec<_> = late.iter().map(|reply| reply.status.as_u16()).collect();
    assert_eq!(statuses, [503; 5]);
    queue.serve().await;
    eventually("it answers again", async || {
        app.get(TARGETS, &crowd[0]).await.status == 200
    })
    .await;
}

/// People whose labels tell them apart.
async fn crowd(app: &TestApp, size: usize) -> Vec<Person> {
    let mut crowd = Vec::new();
    for number in 0..size {
        let person = app.person(&format!("person{number}")).await;
        let identity = app
            .connect_linkedin(&person, &format!("Person {number}"))
            .await;
        let page = format!("Page {number}");
        let world = app.world();
        world.personal_page(&identity, "1", &page).await.unwrap();
        crowd.push(person);
    }
    crowd
}

fn own_labels(number: usize) -> Vec<Value> {
    vec![
        json!(format!("Person {number}")),
        json!(format!("Page {number}")),
    ]
}

fn labels(reply: &Reply) -> Vec<Value> {
    let targets = reply.json()["targets"].take();
    let targets = targets.as_array().unwrap_or_else(|| panic!("{reply:?}"));
    targets
        .iter()
        .map(|target| target["label"].clone())
        .collect()
}

fn by(app: &TestApp, person: &Person) -> RequestBuilder {
    app.request(Method::GET, TARGETS).by(person)
}

/// How many statements the server has read with since this was last asked.
fn selects(app: &TestApp) -> usize {
    let statements = app.take_statements();
    let is_select = |sql: &&String| sql.contains("SELECT");
    statements.iter().filter(is_select).count()
}
