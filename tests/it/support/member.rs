//! Somebody at LinkedIn, connected, with pages; and the sync as both faces offer it.

use chrono::TimeDelta;
use reqwest::Method;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, Set};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use stand_in_linkedin::{
    Application, Assignment, Listing, Member, Organization, Role, RoleState, World,
};

use linkedin_targets::{
    linkedin::SCOPES,
    storage::entity::{SecretJson, linked_identity, personal_page, posting_preference},
};

use super::{
    app::{Ask, Person, Reply, TestApp},
    process::Serving,
};

pub(crate) const SYNC: &str = "mutation {
  syncLinkedInPages {
    __typename
    ... on SyncLinkedInPagesSuccess {
      report {
        complete
        pages { label }
        added { label }
        restored { label }
        renamed { previousLabel page { label } }
        removed { label }
        skipped { linkedInPageId label reason }
      }
      preferences { targets { enabled target { ... on LinkedInDestination { label } } } }
    }
    ... on MutationError { code message }
    ... on LinkedInReconnectRequired { reconnectUrl }
    ... on LinkedInUnavailable { retryAt }
  }
}";

/// `syncLinkedInPages`, answered without errors.
pub(crate) async fn sync(app: &TestApp, person: &Person) -> Value {
    app.gql(person, SYNC).await.data()["syncLinkedInPages"].take()
}

/// `POST /api/linkedin/sync-pages`
pub(crate) async fn rest(app: &TestApp, person: &Person) -> Reply {
    app.request(Method::POST, "/api/linkedin/sync-pages")
        .by(person)
        .reply()
        .await
}

/// Makes a member of LinkedIn, and our application if there is none yet.
pub(crate) fn join(world: &mut World, sub: &str) {
    if world.applications.is_empty() {
        let secret = SecretString::from("client-secret");
        let nowhere = "http://localhost/callback";
        world
            .applications
            .push(Application::new("app", secret, nowhere));
    }
    world.members.push(Member::new(sub, sub));
}

/// Gives the member a page of this number and name.
pub(crate) fn administers(world: &mut World, sub: &str, number: u64, name: &str) {
    world.organizations.push(Organization::new(number, name));
    world.assignments.push(Assignment {
        member: sub.to_owned(),
        organization: number,
        role: Role::Administrator,
        state: RoleState::Approved,
    });
}

/// What linking leaves in the database for a new token of the member's.
pub(crate) fn granted(app: &TestApp, sub: &str) -> Value {
    let token = app.linkedin.grant_token("app", sub, SCOPES);
    json!({ "access_token": token.expose_secret(), "scope": SCOPES.join(",") })
}

/// Connects the person with the member. Returns the identity's id.
pub(crate) async fn connect(app: &TestApp, person: &Person, sub: &str) -> String {
    let data = granted(app, sub);
    let world = app.world();
    let made = world.identity(&person.id, Some(sub), Some(data));
    made.await.unwrap()
}

/// Connects an identity again, as linking does: with another token, and nothing else.
pub(crate) async fn reconnect(app: &TestApp, identity: &str, sub: &str) {
    let row = linked_identity::Entity::find_by_id(identity);
    let row = row.one(&app.db).await.unwrap().unwrap();
    let mut row = row.into_active_model();
    row.provider_data = Set(Some(SecretJson(granted(app, sub))));
    row.update(&app.db).await.unwrap();
}

/// Connects the person with the new member `ada`, who administered Acme and the Bakery when she last synced, and had
/// lost Closed. Of the pages she prefers the Bakery. Returns the identity's id.
pub(crate) async fn settled(app: &TestApp, person: &Person) -> String {
    app.linkedin.world(|world| join(world, "ada"));
    let identity = connect(app, person, "ada").await;
    let world = app.world();
    let mut ids = Vec::new();
    for (number, name) in [("1", "Acme"), ("2", "Bakery"), ("3", "Closed")] {
        ids.push(world.personal_page(&identity, number, name).await.unwrap());
    }
    let closed = personal_page::ActiveModel {
        id: Set(ids[2].clone()),
        removed_at: Set(Some(world.now)),
        ..Default::default()
    };
    closed.update(&app.db).await.unwrap();
    let bakery = json!({ "targets": [{ "kind": "personalPage", "personalPageId": ids[1] }] });
    let saved = app.put("/api/linkedin/posting-targets", person, &bakery);
    assert_eq!(saved.await.status, 200);
    identity
}

/// Since then Acme got another name, the Bakery was taken away, and Fresh was given.
pub(crate) fn meanwhile(world: &mut World) {
    world.organizations.clear();
    world.assignments.clear();
    world.listing = Listing::default();
    administers(world, "ada", 1, "Acme Corp");
    administers(world, "ada", 4, "Fresh");
}

/// Somebody with a session that lives at the time of this machine too, for servers that go by it.
pub(crate) async fn long_lived(app: &TestApp, name: &str) -> Person {
    let world = app.world();
    let id = world.user(name, name).await.unwrap();
    let century = world.now + TimeDelta::days(36_500);
    let session = world.session(&id, century).await.unwrap();
    Person { id, session }
}

/// A server of its own, as an operator starts it, on the database and with the LinkedIn of `app`.
pub(crate) fn serve(app: &TestApp, settings: &[(&str, &str)]) -> Serving {
    let linkedin = app.linkedin.base_url().as_str();
    let settings = [&[("LINKEDIN_API_URL", linkedin)], settings].concat();
    Serving::start(&app.database.url, &settings)
}

/// Everything stored that a sync could harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) identity: linked_identity::Model,
    pub(crate) pages: Vec<personal_page::Model>,
    pub(crate) preferences: Vec<posting_preference::Model>,
}

impl Stored {
    pub(crate) async fn of(app: &TestApp, identity: &str) -> Self {
        let row = linked_identity::Entity::find_by_id(identity);
        let row = row.one(&app.db).await.unwrap().unwrap();
        let pages = personal_page::Entity::find()
            .filter(personal_page::COLUMN.identity_id.eq(identity))
            .order_by_asc(personal_page::Column::Id);
        let preferences = posting_preference::Entity::find()
            .filter(posting_preference::COLUMN.user_id.eq(row.user_id.as_str()))
            .order_by_asc(posting_preference::Column::Id);
        Self {
            pages: pages.all(&app.db).await.unwrap(),
            preferences: preferences.all(&app.db).await.unwrap(),
            identity: row,
        }
    }

    /// Names of the pages that are not removed, in alphabetical order.
    pub(crate) fn labels(&self) -> Vec<&str> {
        let live = self.pages.iter().filter(|page| page.removed_at.is_none());
        let mut labels: Vec<_> = live.map(|page| page.page_name.as_str()).collect();
        labels.sort_unstable();
        labels
    }

    /// What REST answers when these are the pages, to the letter.
    pub(crate) fn rest(&self) -> String {
        let live = self.pages.iter().filter(|page| page.removed_at.is_none());
        let mut live: Vec<_> = live.collect();
        live.sort_by_key(|page| (page.page_name.to_lowercase(), page.id.clone()));
        let page = |page: &&personal_page::Model| {
            format!(
                r#"{{"id":{},"linkedInPageId":{},"pageName":{},"pageLogoUrl":{},"lastSyncedAt":"{}"}}"#,
                json!(page.id),
                json!(page.linked_in_page_id),
                json!(page.page_name),
                json!(page.page_logo_url),
                page.last_synced_at.unwrap().format("%FT%T%.3fZ"),
            )
        };
        let pages: Vec<_> = live.iter().map(page).collect();
        format!(r#"{{"pages":[{}]}}"#, pages.join(","))
    }
}
