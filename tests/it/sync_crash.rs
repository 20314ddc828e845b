//! A server that dies in the middle of a sync: what is stored is as before or as after, and the next server goes on.

use futures_util::{StreamExt, stream};
use reqwest::{Client, header::COOKIE};
use rstest::rstest;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, EntityTrait, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use stand_in_linkedin::{Endpoint, Fault, Logo, Visibility, When, World};

use linkedin_targets::storage::entity::page_sync;

use crate::support::{
    app::{Person, Reply, TestApp},
    database::Backend,
    eventually::eventually,
    member::{Stored, long_lived, meanwhile, serve, settled},
    process::Serving,
    stopper::{Stop, Stopper},
};

/// When the server dies.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// While LinkedIn makes up its answer to the call of this number.
    Asking(Endpoint, usize),
    /// When half the answer has come.
    Hearing(Endpoint),
    /// While another transaction keeps it from storing.
    Waiting,
    /// In the statement that this trigger stops.
    Storing(Stop),
    /// When LinkedIn has answered for the last time, and the test has looked at the database so many times since.
    Racing(usize),
    /// When everything is stored, and perhaps not yet answered.
    Stored,
}

const PAGES: Stop = Stop {
    timing: "BEFORE INSERT",
    table: "linkedin_personal_pages",
    when: r#"NEW."removedAt" IS NULL"#,
};

const REMOVAL: Stop = Stop {
    timing: "BEFORE UPDATE",
    table: "linkedin_personal_pages",
    when: r#"NEW."removedAt" IS NOT NULL"#,
};

const OUTCOME: Stop = Stop {
    timing: "BEFORE UPDATE",
    table: "linkedin_page_syncs",
    when: r#"NEW."finishedAt" IS NOT NULL"#,
};

const AFTER_OUTCOME: Stop = Stop {
    timing: "AFTER UPDATE",
    ..OUTCOME
};

#[rstest]
#[case::while_linkedin_is_asked(&[
    Moment::Asking(Endpoint::OrganizationAcls, 1),
    Moment::Asking(Endpoint::OrganizationAcls, 2),
    Moment::Asking(Endpoint::Organizations, 1),
    Moment::Asking(Endpoint::OrganizationsLookup, 1),
    Moment::Asking(Endpoint::Images, 1),
    Moment::Hearing(Endpoint::OrganizationAcls),
    Moment::Hearing(Endpoint::Images),
])]
#[case::while_it_is_stored(&[
    Moment::Waiting,
    Moment::Storing(PAGES),
    Moment::Storing(REMOVAL),
    Moment::Storing(OUTCOME),
    Moment::Storing(AFTER_OUTCOME),
    Moment::Stored,
])]
#[case::at_any_moment_after_the_last_answer(&[
    Moment::Racing(0),
    Moment::Racing(1),
    Moment::Racing(2),
    Moment::Racing(3),
    Moment::Racing(5),
    Moment::Racing(8),
    Moment::Racing(13),
])]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_dies_leaves_all_or_nothing_and_the_next_one_goes_on(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
    #[case] moments: &[Moment],
) {
    let crashes = stream::iter(moments).map(|moment| crash(on, *moment));
    crashes.buffer_unordered(4).collect::<Vec<()>>().await;
}

async fn crash(on: Backend, moment: Moment) {
    let Some(scene) = Scene::new(on).await else {
        return;
    };
    let before = scene.stored().await;
    let dying = serve(&scene.app, &[]);
    let next = serve(&scene.app, &[]);

    scene.die(dying, moment).await;
    let (left, is_stored) = scene.left().await;
    let reply = sync(&next.url(SYNC), &scene.ada).await.unwrap();
    let after = scene.stored().await;

    assert_eq!(reply.text, after.rest(), "{moment:?}");
    assert_eq!(after.labels(), ["Acme Corp", "Fresh"], "{moment:?}");
    assert_eq!(after.preferences, before.preferences, "{moment:?}");
    for page in &before.pages {
        let kept = after.pages.iter().find(|kept| kept.id == page.id);
        let number = kept.map(|kept| &kept.linked_in_page_id);
        assert_eq!(number, Some(&page.linked_in_page_id), "{moment:?}");
    }
    match moment {
        Moment::Racing(_) => {}
        Moment::Stored => assert!(is_stored),
        _ => assert!(!is_stored, "{moment:?}"),
    }
    let expected = if is_stored { &after } else { &before };
    assert_eq!(&left, expected, "{moment:?}");
}

const SYNC: &str = "/api/linkedin/sync-pages";

/// Fails when the server dies meanwhile.
fn sync(url: &str, ada: &Person) -> impl Future<Output = reqwest::Result<Reply>> + Send + use<> {
    let request = Client::new()
        .post(url)
        .header(COOKIE, format!("session={}", ada.session));
    async move { Reply::of(request.send().await?).await }
}

struct Scene {
    on: Backend,
    app: TestApp,
    ada: Person,
    identity: String,
}

impl Scene {
    /// LinkedIn needs five calls of four kinds to tell it all.
    async fn new(on: Backend) -> Option<Self> {
        let app = TestApp::new(on).await?;
        let ada = long_lived(&app, "ada").await;
        let identity = settled(&app, &ada).await;
        app.linkedin.world(|world| {
            meanwhile(world);
            world.listing.max_count = 1;
            world.organizations[0].logo = Some(Logo {
                asset: "C4D".to_owned(),
                available: true,
            });
            world.organizations[1].visibility = Visibility::Refused;
        });
        Some(Self {
            on,
            app,
            ada,
            identity,
        })
    }

    async fn stored(&self) -> Stored {
        Stored::of(&self.app, &self.identity).await
    }

    async fn is_finished(&self) -> bool {
        let row = page_sync::Entity::find().one(&self.app.db).await.unwrap();
        row.is_some_and(|row| row.finished_at.is_some())
    }

    /// What is stored, and whether the sync's end is; the database may be at it still.
    async fn left(&self) -> (Stored, bool) {
        loop {
            let is_finished = self.is_finished().await;
            let stored = self.stored().await;
            if self.is_finished().await == is_finished {
                return (stored, is_finished);
            }
        }
    }

    async fn die(&self, dying: Serving, moment: Moment) {
        let linkedin = &self.app.linkedin;
        let fail = |fault, when: When| linkedin.world(|world| world.fail(fault, when));
        let asked = || tokio::spawn(sync(&dying.url(SYNC), &self.ada));
        match moment {
            Moment::Asking(endpoint, number) => {
                let when = When::always().at(endpoint).after(number - 1);
                fail(Fault::Hang, when);
                asked();
                linkedin.called(endpoint, number).await;
                dying.kill();
            }
            Moment::Hearing(endpoint) => {
                fail(Fault::Stalled, When::always().at(endpoint));
                asked();
                linkedin.answered(endpoint, 1).await;
                dying.kill();
            }
            Moment::Waiting => {
                fail(Fault::Hang, When::always().at(Endpoint::Images));
                asked();
                linkedin.called(Endpoint::Images, 1).await;
                let other = self.other_writer().await;
                linkedin.release();
                linkedin.answered(Endpoint::Images, 1).await;
                dying.kill();
                other.rollback().await.unwrap();
            }
            Moment::Storing(stop) => {
                let stopper = Stopper::install(&self.app.database, &self.app.db, stop).await;
                asked();
                stopper.stopped().await;
                dying.kill();
                stopper.remove().await;
            }
            Moment::Racing(looks) => {
                asked();
                linkedin.answered(Endpoint::Images, 1).await;
                for _ in 0..looks {
                    self.is_finished().await;
                }
                dying.kill();
            }
            Moment::Stored => {
                asked();
                eventually("the sync ends", async || self.is_finished().await).await;
                dying.kill();
            }
        }
        linkedin.world(World::heal);
        linkedin.release();
    }

    /// A transaction that lets nobody store pages.
    async fn other_writer(&self) -> DatabaseTransaction {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        let other = self.app.db.begin_with_options(options).await.unwrap();
        if self.on == Backend::Postgres {
            let lock = r#"LOCK TABLE "linkedin_personal_pages" IN EXCLUSIVE MODE"#;
            other.execute_unprepared(lock).await.unwrap();
        }
        other
    }
}
