//! What a save means, and that one of several saves at once wins whole.

mod crash;

use std::{collections::BTreeSet, time::Duration};

use chrono::NaiveDate;
use futures_util::{StreamExt, future::join_all, stream::FuturesUnordered};
use linkedin_targets::{
    app::Ids,
    demo::World,
    storage::entity::{
        SecretJson, linked_identity, org_credential, page_assignment, personal_page,
        posting_preference,
    },
};
use reqwest::{Client, Method, header::COOKIE};
use rstest::rstest;
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder,
    Set, TransactionTrait,
};
use serde_json::{Value, json};

use crate::support::{
    app::{Ask, Person, Reply, TestApp, connection_data},
    database::{Backend, CONNECTIONS, Database, take_turn},
    process::Serving,
};

const POSTING: &str = "/api/linkedin/posting-targets";

/// Somebody with a personal target, two pages of an organization and two of their own, in this order.
struct Choices {
    person: Person,
    identity: String,
    credential: String,
    /// The entries of a save that name them.
    entries: [Value; 5],
}

const PERSONAL: usize = 0;
const ORG_PAGE: usize = 1;
const OTHER_ORG_PAGE: usize = 2;
const PAGE: usize = 3;
const OTHER_PAGE: usize = 4;

impl Choices {
    async fn new(world: &World<'_, DatabaseConnection>) -> Self {
        let id = world.user("ada", "Ada").await.unwrap();
        let far = NaiveDate::from_ymd_opt(2999, 1, 1).unwrap();
        let session = world.session(&id, far.into()).await.unwrap();
        let data = Some(connection_data());
        let identity = world.identity(&id, Some("Ada"), data).await.unwrap();
        let credential = world.organization("Acme", &id).await.unwrap();
        let mut entries = vec![json!({ "kind": "personal" })];
        for (number, name) in [("1", "A"), ("2", "B")] {
            let page = world.org_page(&credential, number, name).await.unwrap();
            world.assign(&page, &id).await.unwrap();
            entries.push(json!({ "kind": "orgPage", "pageId": page }));
        }
        for (number, name) in [("3", "C"), ("4", "D")] {
            let page = world.personal_page(&identity, number, name).await.unwrap();
            entries.push(json!({ "kind": "personalPage", "personalPageId": page }));
        }
        Self {
            person: Person { id, session },
            identity,
            credential,
            entries: entries.try_into().unwrap(),
        }
    }

    fn body(&self, set: &[usize]) -> Value {
        let targets: Vec<_> = set.iter().map(|place| &self.entries[*place]).collect();
        json!({ "targets": targets })
    }

    /// The id in an entry of a page.
    fn page(&self, place: usize) -> &str {
        let entry = &self.entries[place];
        let id = entry.get("pageId").or(entry.get("personalPageId"));
        id.unwrap().as_str().unwrap()
    }

    async fn save(&self, app: &TestApp, set: &[usize]) -> Reply {
        app.put(POSTING, &self.person, &self.body(set)).await
    }

    /// The rows that a save of the set leaves, sorted.
    fn rows(&self, set: &[usize]) -> Vec<Row> {
        let text = |entry: &Value, key| entry[key].as_str().map(str::to_owned);
        let row = |place: &usize| {
            let entry = &self.entries[*place];
            let kind = text(entry, "kind").unwrap();
            (kind, text(entry, "pageId"), text(entry, "personalPageId"))
        };
        let rows: BTreeSet<Row> = set.iter().map(row).collect();
        if rows.is_empty() {
            vec![("none".to_owned(), None, None)]
        } else {
            rows.into_iter().collect()
        }
    }
}

/// Kind, page and personal page of a saved preference.
type Row = (String, Option<String>, Option<String>);

/// All of a user's rows, sorted: a duplicate shows.
async fn saved_rows(db: &DatabaseConnection, user_id: &str) -> Vec<Row> {
    let rows = posting_preference::Entity::find()
        .filter(posting_preference::COLUMN.user_id.eq(user_id))
        .all(db)
        .await
        .unwrap();
    let rows = rows.into_iter();
    let mut rows: Vec<_> = rows
        .map(|row| (row.kind, row.page_id, row.personal_page_id))
        .collect();
    rows.sort();
    rows
}

/// By label, which targets an answer shows as enabled.
fn enabled(answer: &Value) -> Vec<(String, bool)> {
    let targets = answer["targets"].as_array().unwrap().iter();
    targets
        .map(|target| {
            let label = target["label"].as_str().unwrap().to_owned();
            (label, target["enabled"].as_bool().unwrap())
        })
        .collect()
}

async fn shown(app: &TestApp, person: &Person) -> Vec<(String, bool)> {
    enabled(&app.get(POSTING, person).await.json())
}

fn choice(labels: &[(&str, bool)]) -> Vec<(String, bool)> {
    let labels = labels.iter();
    labels
        .map(|(label, enabled)| ((*label).to_owned(), *enabled))
        .collect()
}

#[rstest]
#[tokio::test]
async fn who_never_saved_has_everything_enabled_whatever_appears(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;
    let own = app.connect_linkedin(&ada, "Ada").await;
    let before = shown(&app, &ada).await;

    app.world().personal_page(&own, "1", "New").await.unwrap();
    let after = shown(&app, &ada).await;

    assert_eq!(before, choice(&[("Ada", true)]));
    assert_eq!(after, choice(&[("Ada", true), ("New", true)]));
    assert_eq!(saved_rows(&app.db, &ada.id).await, []);
}

#[rstest]
#[tokio::test]
async fn an_empty_save_disables_everything_until_the_next_save(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;
    let own = app.connect_linkedin(&ada, "Ada").await;
    let nothing = json!({ "targets": [] });
    let personal = json!({ "targets": [{ "kind": "personal" }] });

    for _ in 0..2 {
        let reply = app.put(POSTING, &ada, &nothing).await;
        assert_eq!(enabled(&reply.json()), choice(&[("Ada", false)]));
        assert_eq!(shown(&app, &ada).await, choice(&[("Ada", false)]));
        let marker = ("none".to_owned(), None, None);
        assert_eq!(saved_rows(&app.db, &ada.id).await, [marker]);
    }
    app.world().personal_page(&own, "1", "New").await.unwrap();
    let appeared = choice(&[("Ada", false), ("New", false)]);
    assert_eq!(shown(&app, &ada).await, appeared);

    let reply = app.put(POSTING, &ada, &personal).await;

    let saved = choice(&[("Ada", true), ("New", false)]);
    assert_eq!(enabled(&reply.json()), saved);
    let row = ("personal".to_owned(), None, None);
    assert_eq!(saved_rows(&app.db, &ada.id).await, [row]);
}

#[rstest]
#[tokio::test]
async fn what_appears_after_a_save_is_disabled(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = Choices::new(&app.world()).await;
    ada.save(
        &app,
        &[PERSONAL, ORG_PAGE, OTHER_ORG_PAGE, PAGE, OTHER_PAGE],
    )
    .await;
    let world = app.world();
    let org_page = world.org_page(&ada.credential, "8", "E").await.unwrap();
    world.assign(&org_page, &ada.person.id).await.unwrap();
    let page = world.personal_page(&ada.identity, "9", "F");
    page.await.unwrap();

    let shown = shown(&app, &ada.person).await;

    let expected = choice(&[
        ("Ada", true),
        ("A", true),
        ("B", true),
        ("E", false),
        ("C", true),
        ("D", true),
        ("F", false),
    ]);
    assert_eq!(shown, expected);
}

#[rstest]
#[tokio::test]
async fn a_preference_outlives_a_page_that_goes_and_comes_back(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = Choices::new(&app.world()).await;
    ada.save(&app, &[PAGE, ORG_PAGE]).await;
    let saved = shown(&app, &ada.person).await;

    set_reach(&app, &ada, false).await;
    let without = shown(&app, &ada.person).await;
    set_reach(&app, &ada, true).await;
    let back = shown(&app, &ada.person).await;

    assert_eq!(without, choice(&[("Ada", false), ("D", false)]));
    let with = [
        ("Ada", false),
        ("A", true),
        ("B", false),
        ("C", true),
        ("D", false),
    ];
    assert_eq!(saved, choice(&with));
    assert_eq!(back, saved);
}

/// Takes away, or gives back, one personal page and the organization's connection.
async fn set_reach(app: &TestApp, ada: &Choices, is_there: bool) {
    let at = (!is_there).then(|| app.clock.now());
    let page = personal_page::ActiveModel {
        id: Set(ada.page(PAGE).to_owned()),
        removed_at: Set(at),
        ..Default::default()
    };
    page.update(&app.db).await.unwrap();
    let credential = org_credential::ActiveModel {
        id: Set(ada.credential.clone()),
        disconnected_at: Set(at),
        ..Default::default()
    };
    credential.update(&app.db).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn rows_that_nobody_understands_enable_nothing(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = Choices::new(&app.world()).await;
    let (org_page, page) = (Some(ada.page(ORG_PAGE)), Some(ada.page(PAGE)));
    for (kind, org_page, page) in [
        ("mastodon", None, None),
        ("", None, None),
        ("Personal", None, None),
        ("ORGPAGE", org_page, None),
        ("other", org_page, page),
        // Understood, but without the id that it needs.
        ("orgPage", None, page),
        ("personalPage", org_page, None),
    ] {
        let made = app.world();
        let made = made.preference(&ada.person.id, kind, org_page, page);
        made.await.unwrap();
    }

    let before = shown(&app, &ada.person).await;
    ada.save(&app, &[OTHER_PAGE]).await;
    let after = saved_rows(&app.db, &ada.person.id).await;

    let nothing = [
        ("Ada", false),
        ("A", false),
        ("B", false),
        ("C", false),
        ("D", false),
    ];
    assert_eq!(before, choice(&nothing));
    assert_eq!(after, ada.rows(&[OTHER_PAGE]));
}

#[rstest]
#[tokio::test]
async fn a_save_takes_few_statements_and_leaves_one_row_for_each_target(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
    #[values(&[], &[PERSONAL], &[PAGE, PERSONAL, PAGE, ORG_PAGE, PERSONAL, OTHER_ORG_PAGE, ORG_PAGE])]
    set: &[usize],
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = Choices::new(&app.world()).await;
    ada.save(&app, &[PERSONAL, OTHER_PAGE]).await;
    app.take_statements();

    let reply = ada.save(&app, set).await;

    assert_eq!(reply.status, 200, "{reply:?}");
    let statements = app.take_statements();
    assert!(statements.len() <= 5, "{statements:#?}");
    assert!(statements.iter().any(|sql| sql.starts_with("INSERT")));
    assert_eq!(saved_rows(&app.db, &ada.person.id).await, ada.rows(set));
}

#[rstest]
#[tokio::test]
async fn a_save_is_the_savers_alone(#[values(Backend::Sqlite, Backend::Postgres)] on: Backend) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let (ada, ben) = (Choices::new(&app.world()).await, app.person("ben").await);
    app.connect_linkedin(&ben, "Ben").await;
    let personal = json!({ "targets": [{ "kind": "personal" }] });
    app.put(POSTING, &ben, &personal).await;

    ada.save(&app, &[]).await;

    assert_eq!(shown(&app, &ben).await, choice(&[("Ben", true)]));
}

#[rstest]
#[tokio::test]
async fn a_refused_save_names_every_target_in_the_way_and_changes_nothing(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = Choices::new(&app.world()).await;
    ada.save(&app, &[ORG_PAGE]).await;
    let before = all_preferences(&app).await;
    let expired = json!({ "access_token": "x", "expires_at": 1 });
    let update = linked_identity::ActiveModel {
        id: Set(ada.identity.clone()),
        provider_data: Set(Some(SecretJson(expired))),
        ..Default::default()
    };
    update.update(&app.db).await.unwrap();
    let mutation = "mutation ($targets: [LinkedInTargetInput!]!) {
        setLinkedInPostingPreferences(input: { targets: $targets }) {
            __typename
            ... on LinkedInTargetsUnavailable { code message refusals { index reason message } }
        }
    }";
    let targets = json!({ "targets": [
        { "orgPageId": ada.page(OTHER_ORG_PAGE) },
        { "personalPageId": ada.page(PAGE) },
        { "personal": "VIEWER" },
        { "orgPageId": ada.page(ORG_PAGE) },
        { "orgPageId": ada.page(PAGE) },
        { "orgPageId": "" },
        { "personalPageId": "unknown\0" },
    ]});

    let answer = app.gql_with(&ada.person, mutation, targets).await.data();

    let personal = "Your personal LinkedIn account is not linked";
    let org_page = "One or more LinkedIn pages are not assigned to you";
    let page = "One or more LinkedIn company pages are not available to you";
    let refusal = |index: usize, reason: &str, message: &str| json!({ "index": index, "reason": reason, "message": message });
    let expected = json!({
        "__typename": "LinkedInTargetsUnavailable",
        "code": "TARGETS_UNAVAILABLE",
        "message": page,
        "refusals": [
            refusal(1, "PERSONAL_PAGE_NOT_AVAILABLE", page),
            refusal(2, "PERSONAL_NOT_LINKED", personal),
            refusal(4, "ORG_PAGE_NOT_ASSIGNED", org_page),
            refusal(5, "ORG_PAGE_NOT_ASSIGNED", org_page),
            refusal(6, "PERSONAL_PAGE_NOT_AVAILABLE", page),
        ],
    });
    assert_eq!(answer["setLinkedInPostingPreferences"], expected);
    assert_eq!(all_preferences(&app).await, before);
}

async fn all_preferences(app: &TestApp) -> Vec<posting_preference::Model> {
    let rows = posting_preference::Entity::find();
    let by_id = rows.order_by_asc(posting_preference::COLUMN.id);
    by_id.all(&app.db).await.unwrap()
}

#[rstest]
#[tokio::test]
async fn a_target_that_is_taken_away_before_the_save_has_its_turn_is_refused(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = Choices::new(&app.world()).await;
    ada.save(&app, &[PERSONAL]).await;
    app.take_statements();
    let turn = take_turn(&app.db, &ada.person.id).await;

    let revoke = async {
        // The server has seen who asks, and that the page is assigned.
        until_it_has_run(&app, "SELECT").await;
        page_assignment::Entity::delete_many()
            .filter(page_assignment::COLUMN.page_id.eq(ada.page(ORG_PAGE)))
            .exec(&turn)
            .await
            .unwrap();
        turn.commit().await.unwrap();
    };
    let (reply, ()) = tokio::join!(ada.save(&app, &[PERSONAL, ORG_PAGE]), revoke);

    assert_eq!(reply.status, 400);
    let sentence = "One or more LinkedIn pages are not assigned to you";
    assert_eq!(reply.json(), json!({ "error": sentence }));
    let rows = saved_rows(&app.db, &ada.person.id).await;
    assert_eq!(rows, ada.rows(&[PERSONAL]));
}

/// More than the server has connections wait for another process that writes to the file.
#[tokio::test]
async fn whoever_reads_a_file_does_not_wait_with_those_who_write() {
    let app = TestApp::new(Backend::Sqlite).await.unwrap();
    let ada = Choices::new(&app.world()).await;
    let turn = take_turn(&app.db, &ada.person.id).await;

    let mut saves = FuturesUnordered::new();
    for _ in 0..=CONNECTIONS {
        app.take_statements();
        saves.push(ada.save(&app, &[PERSONAL]));
        tokio::select! {
            reply = saves.next() => panic!("{reply:?}"),
            () = until_it_has_run(&app, "SELECT") => {}
        }
    }
    let reading = async {
        let reply = app.get(POSTING, &ada.person).await;
        turn.rollback().await.unwrap();
        reply
    };
    let (reply, saved) = tokio::join!(reading, saves.collect::<Vec<_>>());

    assert_eq!(reply.status, 200);
    assert!(saved.iter().all(|reply| reply.status == 200));
}

/// Waits for a statement of the server's that holds these words.
async fn until_it_has_run(app: &TestApp, words: &str) {
    let is_it = |sql: &String| sql.contains(words);
    while !app.take_statements().iter().any(is_it) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_page_that_vanishes_while_it_is_saved_is_refused() {
    let Some(app) = TestApp::new(Backend::Postgres).await else {
        return;
    };
    let ada = Choices::new(&app.world()).await;
    ada.save(&app, &[PERSONAL]).await;
    app.take_statements();
    let deletion = app.db.begin().await.unwrap();
    let page = ada.page(ORG_PAGE);
    let delete = format!(r#"DELETE FROM "org_linkedin_pages" WHERE "id" = '{page}'"#);
    deletion.execute_unprepared(&delete).await.unwrap();

    let vanish = async {
        // The server has found the page among the targets, and is writing.
        until_it_has_run(&app, "DELETE").await;
        deletion.commit().await.unwrap();
    };
    let (reply, ()) = tokio::join!(ada.save(&app, &[PERSONAL, ORG_PAGE]), vanish);

    let sentence = "One or more LinkedIn pages are not assigned to you";
    assert_eq!(reply.json(), json!({ "error": sentence }));
    let rows = saved_rows(&app.db, &ada.person.id).await;
    assert_eq!(rows, ada.rows(&[PERSONAL]));
}

/// How often several saves are sent at once, for each kind of them.
const ROUNDS: usize = 40;

type Sets = &'static [&'static [usize]];

const DISJOINT: Sets = &[&[PERSONAL, ORG_PAGE], &[OTHER_ORG_PAGE, PAGE]];
const OVERLAPPING: Sets = &[&[PERSONAL, ORG_PAGE, PAGE], &[ORG_PAGE, PAGE, OTHER_PAGE]];
const ONE_EMPTY: Sets = &[&[], &[PERSONAL, ORG_PAGE, OTHER_ORG_PAGE, PAGE, OTHER_PAGE]];
const SAME: Sets = &[&[PERSONAL, ORG_PAGE], &[PERSONAL, ORG_PAGE]];
const THREE: Sets = &[
    &[PERSONAL],
    &[ORG_PAGE, PAGE],
    &[OTHER_PAGE, OTHER_ORG_PAGE, PERSONAL],
];

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_saves_at_once_one_wins_whole(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
    #[values(DISJOINT, OVERLAPPING, ONE_EMPTY, SAME, THREE)] sets: Sets,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = Choices::new(&app.world()).await;

    one_wins_whole(&app.db, &ada, sets, &[app.url(POSTING)]).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_saves_at_once_through_several_servers_one_wins_whole(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(database) = Database::migrated(on).await else {
        return;
    };
    let db = database.connect().await;
    let world = World {
        db: &db,
        ids: &Ids::random(),
        now: NaiveDate::from_ymd_opt(2026, 6, 12).unwrap().into(),
    };
    let ada = Choices::new(&world).await;
    // A line for each request would fill the log, which nobody reads here.
    let quiet = ("RUST_LOG", "info,linkedin_targets::telemetry=warn");
    let servers = [(); 2].map(|()| Serving::start(&database.url, &[quiet]));
    let urls = servers.each_ref().map(|server| server.url(POSTING));

    for sets in [DISJOINT, OVERLAPPING, ONE_EMPTY, SAME, THREE] {
        one_wins_whole(&db, &ada, sets, &urls).await;
    }
}

/// Sends all sets at once, to the addresses in turn, again and again.
async fn one_wins_whole(db: &DatabaseConnection, ada: &Choices, sets: Sets, urls: &[String]) {
    let client = Client::builder()
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap();
    let possible: Vec<_> = sets.iter().map(|set| ada.rows(set)).collect();
    for round in 0..ROUNDS {
        // Half of the rounds begin as for somebody who never saved.
        if round % 2 == 0 {
            let rows = posting_preference::Entity::delete_many();
            rows.exec(db).await.unwrap();
        }

        let saves = sets.iter().zip(urls.iter().cycle()).map(|(set, url)| {
            client
                .request(Method::PUT, url)
                .header(COOKIE, format!("session={}", ada.person.session))
                .json(&ada.body(set))
                .reply()
        });
        let replies = join_all(saves).await;

        for (reply, set) in replies.iter().zip(sets) {
            assert_eq!(reply.status, 200, "round {round}: {reply:?}");
            // The answer is the set that was saved, whichever wins in the end.
            let answer = enabled(&reply.json())
                .into_iter()
                .map(|(_, enabled)| enabled);
            let expected = (0..ada.entries.len()).map(|place| set.contains(&place));
            assert!(answer.eq(expected), "round {round}: {reply:?}");
        }
        let rows = saved_rows(db, &ada.person.id).await;
        assert!(possible.contains(&rows), "round {round}: {rows:#?}");
    }
}
