//! Syncs that meet: other syncs of the same member, on one server or several, and whatever else writes meanwhile.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::{join_all, join3};
use reqwest::{
    Client, Method, StatusCode,
    header::{COOKIE, HeaderMap},
};
use rstest::rstest;
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Statement};
use serde_json::{Value, json};
use stand_in_linkedin::{Endpoint, Fault, RoleState, When, World};

use linkedin_targets::storage::entity::{linked_identity, page_sync};

use crate::support::{
    app::{Ask, Person, Reply, TestApp},
    database::{Backend, take_turn},
    eventually::eventually,
    member::{
        Stored, administers, connect, join, long_lived, meanwhile, reconnect, rest, serve, settled,
        sync,
    },
};

/// Two processes, as they run behind a load balancer.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_at_once_on_two_processes_share_one_discovery(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = long_lived(&app, "ada").await;
    let identity = settled(&app, &ada).await;
    app.linkedin.world(meanwhile);
    let processes = [serve(&app, &[]), serve(&app, &[])];
    let (client, cookie) = (Client::new(), format!("session={}", ada.session));

    let asked = (0..100).map(|turn| {
        let url = processes[turn % 2].url("/api/linkedin/sync-pages");
        client.post(url).header(COOKIE, &cookie).reply()
    });
    let replies = join_all(asked).await;

    let stored = Stored::of(&app, &identity).await;
    assert_eq!(stored.labels(), ["Acme Corp", "Fresh"]);
    for reply in replies {
        assert_eq!((reply.status.as_u16(), reply.text), (200, stored.rest()));
    }
    assert_eq!(app.linkedin.calls_to(Endpoint::OrganizationAcls), 1);
    assert_eq!(app.linkedin.calls_to(Endpoint::Organizations), 1);
}

/// Thirty members at once, and LinkedIn sends each of them as much as it can.
#[tokio::test(flavor = "multi_thread")]
async fn answers_of_any_size_take_little_memory() {
    const MEGABYTE: u64 = 1 << 20;
    let app = TestApp::new(Backend::Sqlite).await.unwrap();
    let long = |text: &str| vec![text; (900 << 10) / text.len()].concat();
    let json = |text: String| Fault::Answer(StatusCode::OK, HeaderMap::new(), text.into());
    let role = r#"{"organization":"urn:li:organization:1","role":"A","state":"APPROVED"},"#;
    let faults = [
        Fault::Endless,
        json(" ".repeat(64 << 20)),
        json(format!(r#"{{"elements":[{}"#, long(role))),
        json(format!(r#"{{"future":{}"#, long("["))),
        json(format!(r#"{{"elements":[{{"organization":"{}"#, long("u"))),
    ];
    let mut people = Vec::new();
    for number in 0..30 {
        let name = format!("ada-{number}");
        let person = long_lived(&app, &name).await;
        app.linkedin.world(|world| {
            join(world, &name);
            let fault = faults[number % faults.len()].clone();
            world.fail(fault, When::always().by(&name));
        });
        connect(&app, &person, &name).await;
        people.push(person);
    }
    let server = serve(&app, &[]);
    let (client, url) = (Client::new(), server.url("/api/linkedin/sync-pages"));
    let ask = |person: &Person| {
        let cookie = format!("session={}", person.session);
        client.post(&url).header(COOKIE, cookie).reply()
    };
    let asked = people.iter().map(ask);
    let before = server.peak_memory();

    let replies = join_all(asked).await;

    for reply in replies {
        assert_eq!(reply.status, 502, "{}", reply.text);
    }
    if let (Some(before), Some(after)) = (before, server.peak_memory()) {
        let grown = (after - before) / MEGABYTE;
        assert!(grown < 128, "{grown} MB more");
    }
}

#[rstest]
#[tokio::test]
async fn a_sync_that_takes_long_is_not_taken_for_dead(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let other = app.another().await;
    let ada = app.person("ada").await;
    settled(&app, &ada).await;
    app.linkedin.world(meanwhile);
    hold(&app, Endpoint::OrganizationAcls);

    let slow = rest(&app, &ada);
    let waiting = async {
        app.linkedin.called(Endpoint::OrganizationAcls, 1).await;
        for _ in 0..2 {
            // Within the lease, and together beyond it.
            let lease = lease(&app).await;
            app.clock.advance(TimeDelta::seconds(2));
            let is_renewed = async || self::lease(&app).await != lease;
            eventually("the lease is renewed", is_renewed).await;
        }
        rest(&other, &ada).await
    };
    let release = async {
        // The other server has looked, and found somebody at it.
        let has_looked = async || other.take_statements().iter().any(|sql| is_claim(sql));
        eventually("the other server looks", has_looked).await;
        let_go(&app);
    };
    let (slow, waiting, ()) = join3(slow, waiting, release).await;

    assert_eq!(slow.status, 200);
    assert_eq!(waiting.text, slow.text);
    assert_eq!(app.linkedin.calls_to(Endpoint::OrganizationAcls), 1);
}

#[rstest]
#[tokio::test]
async fn a_reconnected_member_need_not_wait_for_the_sync_with_the_old_token(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let other = app.another().await;
    let ada = app.person("ada").await;
    let identity = settled(&app, &ada).await;
    app.linkedin.world(meanwhile);
    hold(&app, Endpoint::OrganizationAcls);

    let old = sync(&app, &ada);
    let new = async {
        app.linkedin.called(Endpoint::OrganizationAcls, 1).await;
        reconnect(&app, &identity, "ada").await;
        sync(&other, &ada).await
    };
    let release = async {
        app.linkedin.called(Endpoint::OrganizationAcls, 2).await;
        let_go(&app);
    };
    let (old, new, ()) = join3(old, new, release).await;

    assert_eq!(new["__typename"], "SyncLinkedInPagesSuccess");
    assert_eq!(old["report"], new["report"]);
    assert_eq!(app.linkedin.calls_to(Endpoint::OrganizationAcls), 2);
}

#[rstest]
#[tokio::test]
async fn a_member_who_unlinks_meanwhile_is_told_that_nothing_is_linked(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
    #[values(Endpoint::OrganizationAcls, Endpoint::Organizations)] endpoint: Endpoint,
) {
    const NOT_LINKED: &str =
        r#"{"error":"Your LinkedIn account is not linked","code":"not_linked"}"#;
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let other = app.another().await;
    let ada = app.person("ada").await;
    let identity = settled(&app, &ada).await;
    app.linkedin.world(meanwhile);
    hold(&app, endpoint);

    let unlink = async {
        app.linkedin.called(endpoint, 1).await;
        unlink(&app, &identity).await;
        let_go(&app);
    };
    let (graphql, rest, ()) = join3(sync(&app, &ada), rest(&other, &ada), unlink).await;

    assert_eq!(graphql["__typename"], "LinkedInReconnectRequired");
    assert_eq!(graphql["code"], "NOT_LINKED");
    assert_eq!((rest.status.as_u16(), &*rest.text), (400, NOT_LINKED));
}

/// A save has looked at the pages of before: so long, nobody shall see those of after.
#[tokio::test]
async fn what_a_sync_has_found_waits_for_a_save_that_has_begun() {
    let Some(app) = TestApp::new(Backend::Postgres).await else {
        return;
    };
    let ada = long_lived(&app, "ada").await;
    let identity = settled(&app, &ada).await;
    app.linkedin.world(meanwhile);
    let save = take_turn(&app.db, &ada.id).await;

    let end_the_save = async {
        let is_waiting = format!(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
            AND objid = (hashtext('{}')::bigint & 4294967295)::oid",
            ada.id
        );
        let is_waiting = Statement::from_string(DbBackend::Postgres, is_waiting);
        eventually("the sync waits", async || {
            app.db
                .query_one_raw(is_waiting.clone())
                .await
                .unwrap()
                .is_some()
        })
        .await;
        let before = Stored::of(&app, &identity).await;
        save.commit().await.unwrap();
        before
    };
    let (reply, before) = tokio::join!(rest(&app, &ada), end_the_save);

    let after = Stored::of(&app, &identity).await;
    assert_ne!(before.labels(), ["Acme Corp", "Fresh"]);
    assert_eq!(after.labels(), ["Acme Corp", "Fresh"]);
    assert_eq!(reply.text, after.rest());
}

/// The member loses the Bakery and gets it back, while both are chosen, on two servers.
#[rstest]
#[tokio::test]
async fn saves_and_syncs_at_once_leave_one_of_the_sets(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(stage) = Stage::new(on).await else {
        return;
    };
    for round in 0..12 {
        let state = [RoleState::Revoked, RoleState::Approved][round % 2];
        let app = &stage.app;
        app.linkedin.world(|world| world.set_state("ada", 2, state));
        app.clock.advance(TimeDelta::seconds(1));
        let before = stage.preferred().await;

        let (syncs, saves) = stage.syncs_and_saves().await;

        for reply in &syncs {
            assert_eq!(reply.status, 200, "{round}: {reply:?}");
        }
        let mut allowed = vec![before];
        for (set, reply) in saves {
            if reply.status == 200 {
                allowed.push(set);
            } else {
                const GONE: &str =
                    r#"{"error":"One or more LinkedIn company pages are not available to you"}"#;
                assert_eq!(
                    (reply.status.as_u16(), &*reply.text),
                    (400, GONE),
                    "{round}"
                );
            }
        }
        let preferred = stage.preferred().await;
        assert!(
            allowed.contains(&preferred),
            "{round}: {preferred:?} {allowed:?}"
        );
        stage.check_keys().await;
    }
}

/// The member unlinks LinkedIn in the middle of it all.
#[rstest]
#[tokio::test]
async fn saves_and_syncs_while_somebody_unlinks_are_answered(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(mut stage) = Stage::new(on).await else {
        return;
    };
    for round in 0..12 {
        let unlinking = unlink(&stage.app, &stage.identity);
        let ((syncs, saves), ()) =
            futures_util::future::join(stage.syncs_and_saves(), unlinking).await;

        for reply in &syncs {
            let status = reply.status.as_u16();
            assert!([200, 400].contains(&status), "{round}: {reply:?}");
        }
        for (_, reply) in saves {
            let status = reply.status.as_u16();
            assert!([200, 400].contains(&status), "{round}: {reply:?}");
        }
        stage.check_keys().await;
        let app = &stage.app;
        app.linkedin.world(|world| *world = World::default());
        stage.identity = settled(app, &stage.ada).await;
        app.linkedin.world(with_bakery);
        stage.pages = stage.pages_now().await;
    }
}

/// Two servers that ask LinkedIn whenever they are asked.
struct Stage {
    app: TestApp,
    other: TestApp,
    ada: Person,
    identity: String,
    /// Acme's and the Bakery's ids.
    pages: [String; 2],
}

type Set = Vec<String>;

impl Stage {
    async fn new(on: Backend) -> Option<Self> {
        let app = TestApp::with(on, |settings| settings.sync_interval = Duration::ZERO).await?;
        let other = app.another_with(|settings| settings.sync_interval = Duration::ZERO);
        let (other, ada) = (other.await, app.person("ada").await);
        let identity = settled(&app, &ada).await;
        app.linkedin.world(with_bakery);
        let mut stage = Self {
            app,
            other,
            ada,
            identity,
            pages: Default::default(),
        };
        stage.pages = stage.pages_now().await;
        Some(stage)
    }

    async fn pages_now(&self) -> [String; 2] {
        let stored = Stored::of(&self.app, &self.identity).await;
        ["1", "2"].map(|number| {
            let page = stored
                .pages
                .iter()
                .find(|page| page.linked_in_page_id == number);
            page.unwrap().id.clone()
        })
    }

    /// Four syncs and six saves, all at once.
    async fn syncs_and_saves(&self) -> (Vec<Reply>, Vec<(Set, Reply)>) {
        let servers = [&self.app, &self.other];
        let syncs = (0..4).map(|turn| rest(servers[turn % 2], &self.ada));
        let [acme, bakery] = &self.pages;
        let sets = [vec![acme], vec![bakery], vec![acme, bakery]];
        let saves = (0..6).map(|turn| {
            let set: Set = sets[turn % 3].iter().copied().cloned().collect();
            async move { (set.clone(), save(servers[turn % 2], &self.ada, &set).await) }
        });
        futures_util::future::join(join_all(syncs), join_all(saves)).await
    }

    /// Ids of the pages that are preferred.
    async fn preferred(&self) -> Set {
        let stored = Stored::of(&self.app, &self.identity).await;
        let ids = stored.preferences.into_iter();
        let mut ids: Vec<_> = ids.map(|row| row.personal_page_id.unwrap()).collect();
        ids.sort_by_key(|id| *id != self.pages[0]);
        ids
    }

    /// No row belongs to one that is gone. PostgreSQL sees to it at every statement.
    async fn check_keys(&self) {
        let db = &self.app.db;
        if db.get_database_backend() == DbBackend::Sqlite {
            let check = Statement::from_string(DbBackend::Sqlite, "PRAGMA foreign_key_check");
            assert_eq!(db.query_all_raw(check).await.unwrap().len(), 0);
        }
    }
}

async fn save(app: &TestApp, ada: &Person, set: &[String]) -> Reply {
    let targets = set.iter();
    let targets = targets.map(|id| json!({ "kind": "personalPage", "personalPageId": id }));
    let body: Value = json!({ "targets": targets.collect::<Vec<_>>() });
    let request = app.request(Method::PUT, "/api/linkedin/posting-targets");
    request.by(ada).json(&body).reply().await
}

/// Acme and the Bakery are the member's.
fn with_bakery(world: &mut World) {
    meanwhile(world);
    administers(world, "ada", 2, "Bakery");
}

/// As InterlinedList's web application does it.
async fn unlink(app: &TestApp, identity: &str) {
    let deleted = linked_identity::Entity::delete_by_id(identity);
    deleted.exec(&app.db).await.unwrap();
}

/// LinkedIn answers nothing more of this kind.
fn hold(app: &TestApp, endpoint: Endpoint) {
    let when = When::always().at(endpoint);
    app.linkedin.world(|world| world.fail(Fault::Hang, when));
}

fn let_go(app: &TestApp) {
    app.linkedin.world(World::heal);
    app.linkedin.release();
}

/// Until when the sync that is under way may not be overtaken.
async fn lease(app: &TestApp) -> Option<chrono::NaiveDateTime> {
    let row = page_sync::Entity::find().one(&app.db).await.unwrap();
    row.unwrap().lease_until
}

fn is_claim(sql: &str) -> bool {
    sql.contains(r#"INSERT INTO "linkedin_page_syncs""#)
}
