//! Whatever the world is like and whatever happens in it, the server answers as a small model of the contract does.

mod arbitrary;
mod sequences;
mod together;
mod worlds;

use std::collections::BTreeSet;

use chrono::NaiveDateTime;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

/// All about one user that decides what they can post to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Model {
    connection: Option<Connection>,
    org_pages: Vec<OrgPage>,
    pages: Vec<Page>,
    /// `None` until something was saved.
    saved: Option<BTreeSet<Target>>,
}

/// The user's own.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Connection {
    name: Option<String>,
    /// Whether there is something in it at all.
    has_data: bool,
    has_token: bool,
    has_scope: bool,
    ends: Option<NaiveDateTime>,
}

/// Each of an organization of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
struct OrgPage {
    id: String,
    credential: String,
    number: String,
    label: String,
    is_assigned: bool,
    is_disconnected: bool,
    ends: Option<NaiveDateTime>,
}

/// Of the user's own connection.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Page {
    id: String,
    number: String,
    label: String,
    is_removed: bool,
}

/// What is enabled, or asked to be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Personal,
    OrgPage(String),
    PersonalPage(String),
}

impl Target {
    /// An entry of a body.
    fn json(&self) -> Value {
        match self {
            Self::Personal => json!({ "kind": "personal" }),
            Self::OrgPage(id) => json!({ "kind": "orgPage", "pageId": id }),
            Self::PersonalPage(id) => json!({ "kind": "personalPage", "personalPageId": id }),
        }
    }

    fn refusal(&self) -> &'static str {
        match self {
            Self::Personal => "Your personal LinkedIn account is not linked",
            Self::OrgPage(_) => "One or more LinkedIn pages are not assigned to you",
            Self::PersonalPage(_) => "One or more LinkedIn company pages are not available to you",
        }
    }
}

impl Connection {
    fn is_active(&self, now: NaiveDateTime) -> bool {
        self.has_token && self.ends.is_none_or(|end| end > now)
    }
}

impl OrgPage {
    fn is_offered(&self, now: NaiveDateTime) -> bool {
        self.is_assigned && !self.is_disconnected && self.ends.is_none_or(|end| end > now)
    }
}

impl Model {
    fn is_connected(&self, now: NaiveDateTime) -> bool {
        let connection = self.connection.as_ref();
        connection.is_some_and(|connection| connection.is_active(now))
    }

    /// Every target in order, with the beginning of its JSON.
    fn targets(&self, now: NaiveDateTime) -> Vec<(Target, String)> {
        let text = |text: &str| json!(text).to_string();
        let mut targets = Vec::new();
        if let Some(connection) = &self.connection
            && connection.is_active(now)
        {
            let label = text(connection.name.as_deref().unwrap_or("LinkedIn"));
            let json = format!(r#"{{"kind":"personal","label":{label},"avatarUrl":null"#);
            targets.push((Target::Personal, json));
        }
        let mut shared: Vec<_> = self.org_pages.iter().collect();
        shared.retain(|page| page.is_offered(now));
        shared.sort_by_key(|page| (page.label.to_lowercase(), &page.id));
        let mut own: Vec<_> = self.pages.iter().collect();
        own.retain(|page| {
            let is_shared = shared.iter().any(|shared| shared.number == page.number);
            self.is_connected(now) && !page.is_removed && !is_shared
        });
        own.sort_by_key(|page| (page.label.to_lowercase(), &page.id));
        for OrgPage {
            id, number, label, ..
        } in shared
        {
            let json = format!(
                r#"{{"kind":"orgPage","pageId":{},"linkedInPageId":{},"label":{},"logoUrl":null"#,
                text(id),
                text(number),
                text(label)
            );
            targets.push((Target::OrgPage(id.clone()), json));
        }
        for Page {
            id, number, label, ..
        } in own
        {
            let json = format!(
                r#"{{"kind":"personalPage","personalPageId":{},"linkedInPageId":{},"label":{},"logoUrl":null"#,
                text(id),
                text(number),
                text(label)
            );
            targets.push((Target::PersonalPage(id.clone()), json));
        }
        targets
    }

    /// `GET /api/linkedin/targets`
    fn answer(&self, now: NaiveDateTime) -> String {
        let targets = self.targets(now).into_iter();
        let targets: Vec<_> = targets.map(|(_, json)| json + "}").collect();
        format!(r#"{{"targets":[{}]}}"#, targets.join(","))
    }

    fn with_enabled(&self, now: NaiveDateTime) -> String {
        let targets = self.targets(now).into_iter().map(|(target, json)| {
            let saved = self.saved.as_ref();
            let enabled = saved.is_none_or(|saved| saved.contains(&target));
            format!(r#"{json},"enabled":{enabled}}}"#)
        });
        targets.collect::<Vec<_>>().join(",")
    }

    /// `GET /api/linkedin/posting-targets`
    fn preferences(&self, now: NaiveDateTime) -> String {
        let missing = self
            .connection
            .as_ref()
            .is_some_and(|connection| connection.has_data && !connection.has_scope);
        format!(
            r#"{{"targets":[{}],"orgScopeMissing":{missing}}}"#,
            self.with_enabled(now)
        )
    }

    /// `PUT /api/linkedin/posting-targets`: the status and the body.
    fn save(&mut self, targets: &[Target], now: NaiveDateTime) -> (u16, String) {
        let available: Vec<_> = self.targets(now).into_iter().map(|(it, _)| it).collect();
        let missing = targets.iter().find(|target| !available.contains(target));
        if let Some(missing) = missing {
            return (400, json!({ "error": missing.refusal() }).to_string());
        }
        self.saved = Some(targets.iter().cloned().collect());
        (
            200,
            format!(r#"{{"targets":[{}]}}"#, self.with_enabled(now)),
        )
    }
}

/// As many cases as `PROPTEST_CASES` says, by default these; the same ones each time.
fn runner(cases: u32) -> TestRunner {
    let mut config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    if config.cases == Config::with_cases(256).cases {
        config.cases = cases;
    }
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}
