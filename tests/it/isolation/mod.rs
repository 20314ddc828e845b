//! Every operation of both faces, asked by those who have no business with it. The operations are what the server itself
//! says it has, so a new one is asked as well, or fails the test until somebody says how.

mod graphql;
mod rest;

use chrono::TimeDelta;
use reqwest::{
    RequestBuilder, StatusCode,
    header::{AUTHORIZATION, COOKIE},
};
use rstest::rstest;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::collections::BTreeSet;

use crate::support::{
    app::TestApp,
    database::Backend,
    dump,
    member::{administers, connect, join},
};

/// What a made-up record is called: of the form of the others, and nobody's.
const NOBODYS: &str = "00000000-0000-4000-8000-fffffffffff0";

/// A request with all that the sender could prove about themselves.
#[derive(Clone, Debug)]
enum Sender {
    Session(String),
    Token(String),
    Both { session: String, token: String },
    Nobody,
}

impl Sender {
    fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        let cookie = |session: &str| format!("session={session}");
        let bearer = |token: &str| format!("Bearer {token}");
        match self {
            Self::Session(session) => request.header(COOKIE, cookie(session)),
            Self::Token(token) => request.header(AUTHORIZATION, bearer(token)),
            Self::Both { session, token } => request
                .header(COOKIE, cookie(session))
                .header(AUTHORIZATION, bearer(token)),
            Self::Nobody => request,
        }
    }
}

/// Somebody with one of everything.
struct Inhabitant {
    user_id: String,
    sender: Sender,
    /// Ids of records that belong to them, and of objects of the API.
    ids: Vec<String>,
}

/// Ada and Bob, who have nothing in common.
struct World {
    on: Backend,
    app: TestApp,
    ada: Inhabitant,
    bob: Inhabitant,
}

impl World {
    async fn new(on: Backend) -> Option<Self> {
        let app = TestApp::with(on, |settings| settings.federation = true).await?;
        let ada = inhabitant(&app, "ada", 1).await;
        let bob = inhabitant(&app, "bob", 2).await;
        Some(Self { on, app, ada, bob })
    }

    /// Those who prove nothing, and how each of them came to that.
    async fn strangers(&self) -> Vec<(&'static str, Sender)> {
        let world = self.app.world();
        let ada = &self.ada.user_id;
        let ended = world.session(ada, world.now).await.unwrap();
        let past = world.now - TimeDelta::days(1);
        let expired = world.session(ada, past).await.unwrap();
        let signed_out = world.session(ada, world.now + TimeDelta::days(1)).await;
        let signed_out = signed_out.unwrap();
        world.token(ada, "a-revoked-token").await.unwrap();
        for taken_away in [
            format!(r#"DELETE FROM "sessions" WHERE "id" = '{signed_out}'"#),
            r#"DELETE FROM "sync_tokens""#.to_owned(),
        ] {
            self.app.db.execute_unprepared(&taken_away).await.unwrap();
        }
        let session = |id: &str| Sender::Session(id.to_owned());
        let token = |token: &str| Sender::Token(token.to_owned());
        vec![
            ("nobody", Sender::Nobody),
            ("a session that never was", session(NOBODYS)),
            ("a session that ends now", session(&ended)),
            ("a session that has ended", session(&expired)),
            ("a session that was signed out", session(&signed_out)),
            ("a user's id as a session", session(ada)),
            ("an empty session", session("")),
            ("a token that never was", token("made-up")),
            ("a token that was revoked", token("a-revoked-token")),
            ("a session's id as a token", token(&signed_out)),
            (
                "two that are dead",
                Sender::Both {
                    session: expired,
                    token: "a-revoked-token".to_owned(),
                },
            ),
        ]
    }

    async fn rows(&self) -> Vec<String> {
        dump::everything(&self.app.db, self.on).await
    }
}

async fn inhabitant(app: &TestApp, name: &str, number: u64) -> Inhabitant {
    let person = app.person(name).await;
    app.linkedin.world(|world| {
        join(world, name);
        administers(world, name, number, &format!("{name}s discovered page"));
    });
    let identity = connect(app, &person, name).await;
    let world = app.world();
    let title = |what: &str| format!("{name}s {what}");
    let (own_number, shared_number) = (format!("55{number}"), format!("66{number}"));
    let (own_page, shared_page) = (title("own page"), title("shared page"));
    let own = world.personal_page(&identity, &own_number, &own_page);
    let own = own.await.unwrap();
    let credential = world.organization(&title("organization"), &person.id).await;
    let credential = credential.unwrap();
    let shared = world.org_page(&credential, &shared_number, &shared_page);
    let shared = shared.await.unwrap();
    world.assign(&shared, &person.id).await.unwrap();
    let preferred = json!({ "targets": [
        { "kind": "orgPage", "pageId": shared },
        { "kind": "personalPage", "personalPageId": own },
    ] });
    let saved = app
        .put("/api/linkedin/posting-targets", &person, &preferred)
        .await;
    assert_eq!(saved.status, StatusCode::OK);
    let mut ids = vec![person.id.clone(), identity, own, credential, shared];
    ids.extend(graphql::object_ids(app, &person).await);
    Inhabitant {
        user_id: person.id,
        sender: Sender::Session(person.session),
        ids,
    }
}

/// All texts in an answer that could be somebody's.
fn texts(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            into.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
        Value::Object(members) => members.values().for_each(|member| texts(member, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[rstest]
#[tokio::test]
async fn strangers_read_nothing_and_change_nothing(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(world) = World::new(on).await else {
        return;
    };
    let strangers = world.strangers().await;
    let before = world.rows().await;

    for (who, sender) in &strangers {
        graphql::refuse(&world, who, sender).await;
        rest::refuse(&world, who, sender).await;
    }

    assert_eq!(world.rows().await, before);
}

#[rstest]
#[tokio::test]
async fn what_is_somebody_elses_is_as_if_it_did_not_exist(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(world) = World::new(on).await else {
        return;
    };
    let adas = |rows: Vec<String>| -> Vec<String> {
        // Bob may change what is his; what names Ada, or one of her records, stays.
        let mut rows = rows;
        rows.retain(|row| world.ada.ids.iter().any(|id| row.contains(id.as_str())));
        rows
    };
    let before = adas(world.rows().await);

    graphql::look_through(&world).await;
    rest::look_through(&world).await;

    assert_eq!(adas(world.rows().await), before);
}
