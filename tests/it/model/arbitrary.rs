//! Worlds, as the database may hold them.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{NaiveDateTime, TimeDelta};
use linkedin_targets::storage::entity::{org_credential, personal_page};
use proptest::{collection::vec, option, prelude::*, sample::select};
use sea_orm::{ActiveModelTrait, Set};
use serde_json::{Value, json};

use super::{Connection, Model, OrgPage, Page, Target};
use crate::support::app::{Person, TestApp};

/// A world without ids.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    connection: Option<ConnectionPlan>,
    org_pages: Vec<OrgPagePlan>,
    pages: Vec<PagePlan>,
    saved: Option<Vec<Choice>>,
}

#[derive(Clone, Debug)]
struct ConnectionPlan {
    name: Option<String>,
    token: Option<Value>,
    scope: Option<(Value, bool)>,
    ends: End,
    /// Instead of an object with all these.
    other: Option<Option<(Value, bool)>>,
}

/// When something ends, and how that is written.
#[derive(Clone, Debug)]
enum End {
    /// Not known, as this is no time.
    Never(Option<Value>),
    At(TimeDelta, Notation),
}

#[derive(Clone, Copy, Debug)]
enum Notation {
    Iso,
    IsoWithBlank,
    Milliseconds,
}

#[derive(Clone, Debug)]
struct OrgPagePlan {
    number: u8,
    label: String,
    is_assigned: bool,
    is_disconnected: bool,
    ends: Option<TimeDelta>,
}

#[derive(Clone, Debug)]
struct PagePlan {
    number: u8,
    label: String,
    is_removed: bool,
}

/// What is enabled, by its place in the world.
#[derive(Clone, Debug)]
pub(super) enum Choice {
    Personal,
    OrgPage(prop::sample::Index),
    PersonalPage(prop::sample::Index),
    /// Of no record, or of another kind.
    Unknown,
}

impl Choice {
    pub(super) fn of(&self, model: &Model) -> Target {
        let nobody = || "00000000-0000-4000-8000-fffffffffff0".to_owned();
        match self {
            Self::Personal => Target::Personal,
            Self::OrgPage(index) if !model.org_pages.is_empty() => {
                Target::OrgPage(index.get(&model.org_pages).id.clone())
            }
            Self::PersonalPage(index) if !model.pages.is_empty() => {
                Target::PersonalPage(index.get(&model.pages).id.clone())
            }
            Self::OrgPage(_) => Target::OrgPage(nobody()),
            Self::PersonalPage(_) | Self::Unknown => Target::PersonalPage(nobody()),
        }
    }
}

/// Of somebody or something that is not there yet.
fn new_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("n{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Few, so that pages meet.
fn number() -> impl Strategy<Value = u8> {
    1..6_u8
}

pub(super) fn label() -> impl Strategy<Value = String> {
    let chosen = select(vec![
        "Acme", "acme", "ACME", "Ärzte", "ärzte", "Zoë", "ß", "ss", "İ", "i", "Σ", "ς", "日本",
        "😀", "", " Acme", "a\"b\\c", "<&>", "\u{7f}",
    ]);
    prop_oneof![chosen.prop_map(str::to_owned), "\\PC{0,6}"]
}

/// Around this very moment, and far from it.
fn moment() -> impl Strategy<Value = TimeDelta> {
    let hours = 24 * 400_i64;
    prop_oneof![
        select(vec![-1_i64, 0, 1]).prop_map(TimeDelta::milliseconds),
        (-hours..hours).prop_map(TimeDelta::hours),
    ]
}

fn end() -> impl Strategy<Value = End> {
    let no_times = vec![
        None,
        Some(json!(null)),
        Some(json!("")),
        Some(json!(0)),
        Some(json!(false)),
        Some(json!("soon")),
        Some(json!([1])),
        Some(json!({})),
    ];
    let notation = select(vec![
        Notation::Iso,
        Notation::IsoWithBlank,
        Notation::Milliseconds,
    ]);
    prop_oneof![
        select(no_times).prop_map(End::Never),
        (moment(), notation).prop_map(|(at, notation)| End::At(at, notation)),
    ]
}

fn connection() -> impl Strategy<Value = ConnectionPlan> {
    let token = select(vec![
        Some(json!("secret-token")),
        Some(json!("secret-token")),
        Some(json!("secret-token")),
        Some(json!("")),
        Some(json!(7)),
        None,
    ]);
    let scope = select(vec![
        Some((json!("openid,rw_organization_admin,profile"), true)),
        Some((json!("openid rw_organization_admin"), true)),
        Some((json!("rw_organization_admin"), true)),
        Some((json!("openid, r_organization_admin"), false)),
        Some((json!("rw_organization_administrator"), false)),
        Some((json!(""), false)),
        Some((json!(["rw_organization_admin"]), false)),
        None,
    ]);
    // Whether there is something in it.
    let other = select(vec![
        None,
        Some((json!(null), false)),
        Some((json!(false), false)),
        Some((json!(0), false)),
        Some((json!(""), false)),
        Some((json!({}), true)),
        Some((json!([]), true)),
        Some((json!("text"), true)),
    ]);
    let other = prop_oneof![4 => Just(None), 1 => other.prop_map(Some)];
    (option::of(label()), token, scope, end(), other).prop_map(
        |(name, token, scope, ends, other)| ConnectionPlan {
            name,
            token,
            scope,
            ends,
            other,
        },
    )
}

pub(super) fn choice() -> impl Strategy<Value = Choice> {
    prop_oneof![
        2 => Just(Choice::Personal),
        3 => any::<prop::sample::Index>().prop_map(Choice::OrgPage),
        3 => any::<prop::sample::Index>().prop_map(Choice::PersonalPage),
        1 => Just(Choice::Unknown),
    ]
}

pub(super) fn plan() -> impl Strategy<Value = Plan> {
    let org_page = (
        number(),
        label(),
        prop::bool::weighted(0.8),
        prop::bool::weighted(0.2),
        option::of(moment()),
    )
        .prop_map(
            |(number, label, is_assigned, is_disconnected, ends)| OrgPagePlan {
                number,
                label,
                is_assigned,
                is_disconnected,
                ends,
            },
        );
    let page =
        (number(), label(), prop::bool::weighted(0.2)).prop_map(|(number, label, is_removed)| {
            PagePlan {
                number,
                label,
                is_removed,
            }
        });
    (
        option::weighted(0.9, connection()),
        vec(org_page, 0..4),
        vec(page, 0..5),
        option::of(vec(choice(), 0..5)),
    )
        .prop_map(|(connection, org_pages, mut pages, saved)| {
            // One row for each number.
            pages.sort_by_key(|page| page.number);
            pages.dedup_by_key(|page| page.number);
            Plan {
                connection,
                org_pages,
                pages,
                saved,
            }
        })
}

impl End {
    fn json(&self, now: NaiveDateTime) -> Option<Value> {
        match self {
            Self::Never(value) => value.clone(),
            Self::At(delta, notation) => {
                let at = now + *delta;
                Some(match notation {
                    Notation::Iso => json!(at.format("%FT%T%.3fZ").to_string()),
                    Notation::IsoWithBlank => json!(at.format("%F %T%.3f").to_string()),
                    Notation::Milliseconds => json!(at.and_utc().timestamp_millis()),
                })
            }
        }
    }
}

impl ConnectionPlan {
    fn data(&self, now: NaiveDateTime) -> Option<Value> {
        if let Some(other) = &self.other {
            return other.as_ref().map(|(value, _)| value.clone());
        }
        let members = [
            ("access_token", self.token.clone()),
            ("scope", self.scope.as_ref().map(|(scope, _)| scope.clone())),
            ("expires_at", self.ends.json(now)),
        ];
        let present = members
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Some(Value::Object(present.collect()))
    }

    fn model(&self, now: NaiveDateTime) -> Connection {
        let name = self.name.clone();
        if let Some(other) = &self.other {
            return Connection {
                name,
                has_data: other
                    .as_ref()
                    .is_some_and(|(_, is_something)| *is_something),
                has_token: false,
                has_scope: false,
                ends: None,
            };
        }
        Connection {
            name,
            has_data: true,
            has_token: self.token == Some(json!("secret-token")),
            has_scope: self.scope.as_ref().is_some_and(|(_, has_it)| *has_it),
            ends: match &self.ends {
                End::Never(_) => None,
                End::At(delta, _) => Some(now + *delta),
            },
        }
    }
}

impl Plan {
    pub(super) fn without_connection(&self) -> Self {
        Self {
            connection: None,
            ..self.clone()
        }
    }

    /// Makes the rows, for a new person.
    pub(super) async fn settle(&self, app: &TestApp) -> (Person, Model) {
        let world = app.world();
        let now = world.now;
        let name = new_name();
        let person = app.person(&name).await;
        let mut model = Model {
            connection: None,
            org_pages: Vec::new(),
            pages: Vec::new(),
            saved: None,
        };
        for plan in &self.org_pages {
            let organization = format!("{name} {}", new_name());
            let credential = world.organization(&organization, &person.id).await.unwrap();
            let number = plan.number.to_string();
            let id = world.org_page(&credential, &number, &plan.label).await;
            let id = id.unwrap();
            if plan.is_assigned {
                world.assign(&id, &person.id).await.unwrap();
            }
            let ends = plan.ends.map(|delta| now + delta);
            let changes = org_credential::ActiveModel {
                id: Set(credential.clone()),
                expires_at: Set(ends),
                disconnected_at: Set(plan.is_disconnected.then_some(now)),
                ..Default::default()
            };
            changes.update(&app.db).await.unwrap();
            model.org_pages.push(OrgPage {
                id,
                credential,
                number,
                label: plan.label.clone(),
                is_assigned: plan.is_assigned,
                is_disconnected: plan.is_disconnected,
                ends,
            });
        }
        if let Some(plan) = &self.connection {
            let data = plan.data(now);
            let made = world.identity(&person.id, plan.name.as_deref(), data);
            let identity = made.await.unwrap();
            model.connection = Some(plan.model(now));
            for page in &self.pages {
                let number = page.number.to_string();
                let made = world.personal_page(&identity, &number, &page.label);
                let id = made.await.unwrap();
                let changes = personal_page::ActiveModel {
                    id: Set(id.clone()),
                    removed_at: Set(page.is_removed.then_some(now)),
                    ..Default::default()
                };
                changes.update(&app.db).await.unwrap();
                model.pages.push(Page {
                    id,
                    number,
                    label: page.label.clone(),
                    is_removed: page.is_removed,
                });
            }
        }
        if let Some(saved) = &self.saved {
            // Saved when all of it was there.
            let saved = saved
                .iter()
                .filter(|choice| !matches!(choice, Choice::Unknown));
            let targets: std::collections::BTreeSet<_> = saved
                .map(|choice| choice.of(&model))
                .filter(|target| !format!("{target:?}").contains("fffffffffff0"))
                .collect();
            for target in &targets {
                let (kind, page, own) = match target {
                    Target::Personal => ("personal", None, None),
                    Target::OrgPage(id) => ("orgPage", Some(id.as_str()), None),
                    Target::PersonalPage(id) => ("personalPage", None, Some(id.as_str())),
                };
                let made = world.preference(&person.id, kind, page, own);
                made.await.unwrap();
            }
            if targets.is_empty() {
                let made = world.preference(&person.id, "none", None, None);
                made.await.unwrap();
            }
            model.saved = Some(targets);
        }
        (person, model)
    }
}
