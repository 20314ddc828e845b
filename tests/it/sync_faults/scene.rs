//! One sync that meets a fault, before and after it.

use std::{panic::AssertUnwindSafe, time::Duration};

use chrono::TimeDelta;
use futures_util::FutureExt;
use serde_json::{Value, json};
use stand_in_linkedin::{StandIn, World};
use tokio::net::{TcpListener, TcpSocket};

use super::rows::{Row, Server, Spoil, Synced, Then};
use crate::support::{
    app::{Person, TestApp},
    database::Backend,
    member::{Stored, meanwhile, reconnect, rest, settled, sync},
    wire::Wire,
};

/// Servers on one database that differ in what they take for LinkedIn, and in their patience. They ask LinkedIn
/// whenever they are asked.
pub(super) struct Stage {
    app: TestApp,
    hasty: TestApp,
    wired: TestApp,
    unlinked: TestApp,
    wire: Wire,
    /// A LinkedIn that nobody may ever call.
    elsewhere: StandIn,
    /// Bound, so that nobody else takes the port, and not listening.
    _nowhere: TcpSocket,
}

/// Which face is asked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Face {
    GraphQl,
    Rest,
}

impl Stage {
    pub(super) async fn new(on: Backend) -> Option<Self> {
        let app = TestApp::with(on, |settings| settings.sync_interval = Duration::ZERO).await?;
        let hurry = |linkedin: &mut linkedin_targets::linkedin::Settings| {
            linkedin.call_timeout = Duration::from_secs(1);
            linkedin.deadline = Duration::from_millis(1_200);
        };
        let (wire, nowhere) = (Wire::start().await, TcpSocket::new_v4().unwrap());
        nowhere.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let closed = format!("http://{}", nowhere.local_addr().unwrap());
        let hasty = app.another_asking(|settings, linkedin| {
            settings.sync_interval = Duration::ZERO;
            hurry(linkedin);
        });
        let wired = app.another_asking(|settings, linkedin| {
            settings.sync_interval = Duration::ZERO;
            linkedin.api_url = wire.address.clone();
            hurry(linkedin);
        });
        let unlinked = app.another_asking(|settings, linkedin| {
            settings.sync_interval = Duration::ZERO;
            linkedin.api_url = closed.parse().unwrap();
        });
        let (hasty, wired, unlinked) = (hasty.await, wired.await, unlinked.await);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let elsewhere = StandIn::start(listener, Default::default, || "1".to_owned()).unwrap();
        Some(Self {
            app,
            hasty,
            wired,
            unlinked,
            wire,
            elsewhere,
            _nowhere: nowhere,
        })
    }

    /// Where no token may ever go.
    pub(super) fn elsewhere(&self) -> String {
        let address = self.elsewhere.base_url();
        format!("{address}rest/organizationAcls?q=roleAssignee&state=APPROVED&start=1&count=100")
    }

    /// Each row through each face; a row that fails does not keep the others from being played.
    pub(super) async fn play(&self, rows: Vec<Row>) {
        let mut failed = Vec::new();
        for row in &rows {
            for face in [Face::GraphQl, Face::Rest] {
                let played = AssertUnwindSafe(self.play_one(row, face)).catch_unwind();
                if played.await.is_err() {
                    failed.push(format!("{}, by {face:?}", row.name));
                }
            }
        }
        assert_eq!(failed, [""; 0]);
        assert_eq!(self.elsewhere.calls(), [], "a call went elsewhere");
    }

    async fn play_one(&self, row: &Row, face: Face) {
        let told = format!("{}, by {face:?}", row.name);
        self.app.linkedin.world(|world| *world = World::default());
        let ada = self.app.person(&told).await;
        let identity = settled(&self.app, &ada).await;
        let before = Stored::of(&self.app, &identity).await;
        self.app.clock.advance(TimeDelta::minutes(1));
        self.app.linkedin.world(meanwhile);
        match &row.spoil {
            Spoil::World(spoil) => self.app.linkedin.world(spoil),
            Spoil::Wire(script) => self.wire.follow(*script),
            Spoil::Nothing => {}
        }

        let server = match row.asked {
            Server::Patient => &self.app,
            Server::Hasty => &self.hasty,
            Server::Wired => &self.wired,
            Server::Unlinked => &self.unlinked,
        };
        let answer = Answer::ask(server, &ada, face).await;
        let after = Stored::of(&self.app, &identity).await;

        answer.check(&row.then, &after, &told, self);
        self.check_stored(&row.then, &before, &after, &told);
        self.check_next(&row.then, &ada, &identity, &told).await;
    }

    /// What the database holds now, by what it held.
    fn check_stored(&self, then: &Then, before: &Stored, after: &Stored, told: &str) {
        assert_eq!(after.preferences, before.preferences, "{told}");
        match then {
            Then::Fails { .. } | Then::Refuses { ends: false, .. } => {
                assert_eq!(after, before, "{told}");
            }
            Then::Refuses { ends: true, .. } => {
                assert_eq!(after.pages, before.pages, "{told}");
                let data = |stored: &Stored| stored.identity.provider_data.clone().unwrap().0;
                let mut ended = data(before);
                ended["expires_at"] = json!(self.iso(0));
                assert_eq!(data(after), ended, "{told}");
            }
            Then::Syncs(Synced { pages, .. }) => {
                assert_eq!(after.identity, before.identity, "{told}");
                assert_eq!(after.labels(), *pages, "{told}");
                for page in &before.pages {
                    let kept = after.pages.iter().find(|kept| kept.id == page.id);
                    let number = kept.map(|kept| &kept.linked_in_page_id);
                    assert_eq!(number, Some(&page.linked_in_page_id), "{told}");
                }
            }
        }
    }

    /// When LinkedIn is well again, so is the next sync.
    async fn check_next(&self, then: &Then, ada: &Person, identity: &str, told: &str) {
        self.app.linkedin.world(|world| {
            world.heal();
            world.versions = World::default().versions;
            meanwhile(world);
        });
        self.app.linkedin.release();
        if matches!(then, Then::Refuses { ends: true, .. }) {
            let answer = sync(&self.app, ada).await;
            assert_eq!(answer["__typename"], "LinkedInReconnectRequired", "{told}");
            reconnect(&self.app, identity, "ada").await;
        }

        let answer = sync(&self.app, ada).await;

        let stored = Stored::of(&self.app, identity).await;
        assert_eq!(answer["report"]["complete"], true, "{told}: {answer}");
        assert_eq!(stored.labels(), ["Acme Corp", "Fresh"], "{told}");
    }

    /// So many seconds from now.
    fn iso(&self, seconds: i64) -> String {
        let at = self.app.clock.now() + TimeDelta::seconds(seconds);
        at.format("%FT%T%.3fZ").to_string()
    }
}

enum Answer {
    GraphQl(Value),
    Rest(u16, String),
}

impl Answer {
    async fn ask(server: &TestApp, ada: &Person, face: Face) -> Self {
        match face {
            Face::GraphQl => Self::GraphQl(sync(server, ada).await),
            Face::Rest => {
                let reply = rest(server, ada).await;
                Self::Rest(reply.status.as_u16(), reply.text)
            }
        }
    }

    fn check(&self, then: &Then, after: &Stored, told: &str, stage: &Stage) {
        const FAILED: &str = r#"{"error":"Failed to sync LinkedIn company pages"}"#;
        match (self, then) {
            (Self::Rest(status, body), Then::Syncs(_)) => {
                assert_eq!((*status, body), (200, &after.rest()), "{told}");
            }
            (Self::Rest(status, body), _) => {
                assert_eq!((*status, body.as_str()), (502, FAILED), "{told}");
            }
            (Self::GraphQl(answer), Then::Fails { code, retry_after }) => {
                assert_eq!(answer["__typename"], "LinkedInUnavailable", "{told}");
                assert_eq!(answer["code"], *code, "{told}");
                let retry_at = retry_after.map(|seconds| stage.iso(seconds));
                assert_eq!(answer["retryAt"], json!(retry_at), "{told}");
            }
            (Self::GraphQl(answer), Then::Refuses { code, .. }) => {
                assert_eq!(answer["__typename"], "LinkedInReconnectRequired", "{told}");
                assert_eq!(answer["code"], *code, "{told}");
                let reconnect = answer["reconnectUrl"].as_str().unwrap();
                assert!(reconnect.ends_with("authorize?link=true"), "{told}");
            }
            (Self::GraphQl(answer), Then::Syncs(synced)) => {
                assert_eq!(answer["__typename"], "SyncLinkedInPagesSuccess", "{told}");
                let report = &answer["report"];
                assert_eq!(report["complete"], synced.complete, "{told}");
                let labels = report["pages"].as_array().unwrap().iter();
                let labels: Vec<_> = labels.map(|page| page["label"].clone()).collect();
                assert_eq!(labels, *synced.pages, "{told}");
                let skipped = report["skipped"].as_array().unwrap().iter();
                let reason = |page: &Value| {
                    let number = page["linkedInPageId"].as_str().unwrap();
                    (
                        number.to_owned(),
                        page["reason"].as_str().unwrap().to_owned(),
                    )
                };
                let skipped: Vec<_> = skipped.map(reason).collect();
                let expected = synced.skipped.iter();
                let expected: Vec<_> = expected
                    .map(|(number, reason)| ((*number).to_owned(), (*reason).to_owned()))
                    .collect();
                assert_eq!(skipped, expected, "{told}");
            }
        }
    }
}
