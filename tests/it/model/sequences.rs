//! Any sequence of what people, LinkedIn, organizations and time do.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use proptest::{collection::vec, prelude::*, test_runner::TestCaseError};
use rstest::rstest;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use stand_in_linkedin::{Organization, Role, RoleState};
use tokio::runtime::Runtime;

use super::{
    Connection, Model, Page, Target,
    arbitrary::{Choice, choice, label, plan},
    runner,
};
use crate::support::{
    app::{Person, TestApp},
    database::Backend,
    member::{granted, join, rest},
};

#[derive(Clone, Debug)]
pub(super) enum Action {
    Save(Vec<Choice>),
    Sync,
    /// LinkedIn gives a page of this number and name, or takes it.
    Administers(u64, Option<String>),
    /// Connects LinkedIn anew, until so many hours from now or for ever, with the organization scope or without.
    Link(Option<i64>, bool),
    /// The web application unlinks LinkedIn.
    Unlink,
    Later(i64),
    Assign(prop::sample::Index, bool),
    Disconnect(prop::sample::Index, bool),
}

fn action() -> impl Strategy<Value = Action> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        4 => vec(choice(), 0..4).prop_map(Action::Save),
        4 => Just(Action::Sync),
        3 => (1..5_u64, proptest::option::weighted(0.7, label()))
            .prop_map(|(number, name)| Action::Administers(number, name)),
        2 => (proptest::option::of(1..200_i64), prop::bool::weighted(0.8))
            .prop_map(|(hours, scope)| Action::Link(hours, scope)),
        1 => Just(Action::Unlink),
        2 => (1..100_i64).prop_map(Action::Later),
        1 => (index(), any::<bool>()).prop_map(|(page, is)| Action::Assign(page, is)),
        1 => (index(), any::<bool>()).prop_map(|(page, is)| Action::Disconnect(page, is)),
    ]
}

/// What LinkedIn knows of one member.
pub(super) struct Member {
    pub(super) sub: String,
    pages: BTreeMap<String, String>,
}

impl Member {
    pub(super) fn join(app: &TestApp, sub: &str) -> Self {
        app.linkedin.world(|world| join(world, sub));
        Self {
            sub: sub.to_owned(),
            pages: BTreeMap::new(),
        }
    }

    /// Pages belong to one member alone here: others have their own numbers.
    fn number(&self, app: &TestApp, number: u64) -> u64 {
        let place = app.linkedin.world(|world| {
            let place = world
                .members
                .iter()
                .position(|member| member.sub == self.sub);
            place.unwrap()
        });
        u64::try_from(place).unwrap() * 100 + number
    }

    pub(super) fn administers(&mut self, app: &TestApp, number: u64, name: Option<&str>) {
        let number = self.number(app, number);
        app.linkedin.world(|world| {
            let is_known = world.organizations.iter().any(|page| page.number == number);
            match name {
                Some(name) if !is_known => {
                    world.organizations.push(Organization::new(number, name));
                    world.assign(&self.sub, number, Role::Administrator);
                }
                Some(name) => {
                    world.rename(number, name);
                    world.set_state(&self.sub, number, RoleState::Approved);
                }
                None if is_known => world.set_state(&self.sub, number, RoleState::Revoked),
                None => {}
            }
        });
        match name {
            Some(name) => self.pages.insert(number.to_string(), name.to_owned()),
            None => self.pages.remove(&number.to_string()),
        };
    }
}

impl Model {
    /// What a sync does, and its status. New pages have no id until the server has told it.
    pub(super) fn sync(&mut self, member: &Member, now: chrono::NaiveDateTime) -> u16 {
        let can = self
            .connection
            .as_ref()
            .is_some_and(|connection| connection.is_active(now) && connection.has_scope);
        if !can {
            return 400;
        }
        for page in &mut self.pages {
            page.is_removed = !member.pages.contains_key(&page.number);
        }
        for (number, name) in &member.pages {
            match self.pages.iter_mut().find(|page| page.number == *number) {
                Some(page) => page.label.clone_from(name),
                None => self.pages.push(Page {
                    id: String::new(),
                    number: number.clone(),
                    label: name.clone(),
                    is_removed: false,
                }),
            }
        }
        200
    }

    /// LinkedIn is linked, with all scopes and no end.
    pub(super) fn connect(&mut self, name: &str) {
        self.connection = Some(Connection {
            name: Some(name.to_owned()),
            has_data: true,
            has_token: true,
            has_scope: true,
            ends: None,
        });
    }

    /// Takes the ids of pages that were new.
    pub(super) fn learn(&mut self, answer: &Value) {
        for told in answer["pages"].as_array().into_iter().flatten() {
            let page = self
                .pages
                .iter_mut()
                .find(|page| told["linkedInPageId"] == page.number.as_str());
            if let Some(page) = page
                && page.id.is_empty()
            {
                page.id = told["id"].as_str().unwrap().to_owned();
            }
        }
    }
}

async fn run(app: &TestApp, sql: String) {
    app.db.execute_unprepared(&sql).await.unwrap();
}

/// Does it in the world and in the model, and compares what is answered.
async fn act(
    app: &TestApp,
    person: &Person,
    member: &mut Member,
    model: &mut Model,
    action: &Action,
) -> Result<(), TestCaseError> {
    let now = app.clock.now();
    match action {
        Action::Save(choices) => {
            let wanted: Vec<_> = choices.iter().map(|choice| choice.of(model)).collect();
            let body = json!({ "targets": wanted.iter().map(Target::json).collect::<Vec<_>>() });
            let saved = app
                .put("/api/linkedin/posting-targets", person, &body)
                .await;
            let expected = model.save(&wanted, now);
            prop_assert_eq!((saved.status.as_u16(), saved.text), expected);
        }
        Action::Sync => {
            let reply = rest(app, person).await;
            let status = model.sync(member, now);
            prop_assert_eq!(reply.status.as_u16(), status, "{:?}", reply);
            if status == 200 {
                model.learn(&reply.json());
            }
        }
        Action::Administers(number, name) => {
            // LinkedIn's pages all have a name.
            let name = name.as_deref().map(|name| format!("Page {name}"));
            member.administers(app, *number, name.as_deref());
        }
        Action::Link(hours, has_scope) => {
            let mut data = granted(app, &member.sub);
            if !has_scope {
                data["scope"] = json!("openid,profile");
            }
            let ends = hours.map(|hours| now + TimeDelta::hours(hours));
            if let Some(end) = ends {
                data["expires_at"] = json!(end.format("%FT%T%.3fZ").to_string());
            }
            let user = &person.id;
            if model.connection.is_some() {
                let sql = format!(
                    r#"UPDATE "linked_identities" SET "providerData" = '{data}' WHERE "userId" = '{user}'"#
                );
                run(app, sql).await;
            } else {
                let world = app.world();
                let made = world.identity(user, Some(&member.sub), Some(data));
                made.await.unwrap();
            }
            let name = match &model.connection {
                Some(connection) => connection.name.clone(),
                None => Some(member.sub.clone()),
            };
            model.connection = Some(Connection {
                name,
                has_data: true,
                has_token: true,
                has_scope: *has_scope,
                ends,
            });
        }
        Action::Unlink => {
            let user = &person.id;
            let sql = format!(r#"DELETE FROM "linked_identities" WHERE "userId" = '{user}'"#);
            run(app, sql).await;
            model.connection = None;
            let gone: Vec<_> = model.pages.drain(..).map(|page| page.id).collect();
            // What refers to them goes with them; when nothing is left, it is as if nothing was ever saved.
            if let Some(saved) = &mut model.saved {
                let was_empty = saved.is_empty();
                saved.retain(|target| match target {
                    Target::PersonalPage(id) => !gone.contains(id),
                    Target::Personal | Target::OrgPage(_) => true,
                });
                if saved.is_empty() && !was_empty {
                    model.saved = None;
                }
            }
        }
        Action::Later(hours) => app.clock.advance(TimeDelta::hours(*hours)),
        Action::Assign(index, is_assigned) if !model.org_pages.is_empty() => {
            let page = index.index(model.org_pages.len());
            let page = &mut model.org_pages[page];
            if page.is_assigned && !is_assigned {
                let id = &page.id;
                let sql = format!(
                    r#"DELETE FROM "org_linkedin_page_assignments" WHERE "pageId" = '{id}'"#
                );
                run(app, sql).await;
            } else if !page.is_assigned && *is_assigned {
                app.world().assign(&page.id, &person.id).await.unwrap();
            }
            page.is_assigned = *is_assigned;
        }
        Action::Disconnect(index, is_disconnected) if !model.org_pages.is_empty() => {
            let page = index.index(model.org_pages.len());
            let page = &mut model.org_pages[page];
            let at = if *is_disconnected {
                "'2026-06-12 12:00:00'"
            } else {
                "NULL"
            };
            let credential = &page.credential;
            let sql = format!(
                r#"UPDATE "org_linkedin_credentials" SET "disconnectedAt" = {at} WHERE "id" = '{credential}'"#
            );
            run(app, sql).await;
            page.is_disconnected = *is_disconnected;
        }
        Action::Assign(..) | Action::Disconnect(..) => {}
    }
    Ok(())
}

#[rstest]
fn after_everything_that_happens_the_answer_is_that_of_the_model(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let runtime = Runtime::new().unwrap();
    let app = TestApp::with(on, |settings| {
        settings.sync_interval = std::time::Duration::ZERO
    });
    let Some(app) = runtime.block_on(app) else {
        return;
    };

    let outcome = runner(40).run(&(plan(), vec(action(), 1..14)), |(plan, actions)| {
        runtime.block_on(async {
            let (person, mut model) = plan.without_connection().settle(&app).await;
            // Sessions last for a month of a clock that all cases share.
            let world = app.world();
            let session = world.session(&person.id, world.now + TimeDelta::days(365));
            let person = Person {
                session: session.await.unwrap(),
                ..person
            };
            let mut member = Member::join(&app, &person.id);
            for action in &actions {
                act(&app, &person, &mut member, &mut model, action).await?;

                let now = app.clock.now();
                let targets = app.get("/api/linkedin/targets", &person).await;
                prop_assert_eq!(targets.text, model.answer(now));
                let preferences = app.get("/api/linkedin/posting-targets", &person).await;
                prop_assert_eq!(preferences.text, model.preferences(now));
            }
            Ok(())
        })
    });

    if let Err(cause) = outcome {
        panic!("{cause}");
    }
}
