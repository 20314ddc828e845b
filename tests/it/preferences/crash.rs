//! A server that dies in the middle of a save: what is stored is as before or as after, and the next server goes on.

use linkedin_targets::{app::Ids, demo::World};
use reqwest::{Client, Method, header::COOKIE};
use rstest::rstest;
use sea_orm::DatabaseConnection;

use super::{Choices, ORG_PAGE, OTHER_ORG_PAGE, PAGE, PERSONAL, POSTING, Row, saved_rows};
use crate::support::{
    app::{Reply, TestClock},
    database::{Backend, Database},
    eventually::eventually,
    process::Serving,
    stopper::{Stop, Stopper},
};

/// When the server dies.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// In the statement that this trigger stops.
    Writing(Stop),
    /// When the test has looked at the database so many times since the save was sent.
    Racing(usize),
    /// When everything is stored, and perhaps not yet answered.
    Stored,
}

const TABLE: &str = "linkedin_posting_target_preferences";

const DELETION: Stop = Stop {
    timing: "BEFORE DELETE",
    table: TABLE,
    when: r#"OLD."kind" = 'orgPage'"#,
};

const AFTER_DELETION: Stop = Stop {
    timing: "AFTER DELETE",
    ..DELETION
};

const INSERTION: Stop = Stop {
    timing: "BEFORE INSERT",
    table: TABLE,
    when: r#"NEW."kind" = 'personalPage'"#,
};

const AFTER_INSERTION: Stop = Stop {
    timing: "AFTER INSERT",
    ..INSERTION
};

const BEFORE: &[usize] = &[PERSONAL, ORG_PAGE];
const AFTER: &[usize] = &[OTHER_ORG_PAGE, PAGE];

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_dies_leaves_the_old_set_or_the_new_one_and_the_next_one_goes_on(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
    #[values(
        Moment::Writing(DELETION),
        Moment::Writing(AFTER_DELETION),
        Moment::Writing(INSERTION),
        Moment::Writing(AFTER_INSERTION),
        Moment::Racing(0),
        Moment::Racing(1),
        Moment::Racing(2),
        Moment::Racing(3),
        Moment::Racing(5),
        Moment::Stored
    )]
    moment: Moment,
) {
    let Some(scene) = Scene::new(on).await else {
        return;
    };
    let (dying, next) = (scene.serve(), scene.serve());
    let (before, after) = (scene.ada.rows(BEFORE), scene.ada.rows(AFTER));
    scene.save(&next, BEFORE).await.unwrap();

    scene.die(dying, moment).await;
    let left = scene.rows().await;
    let saved = scene.save(&next, AFTER).await.unwrap();

    match moment {
        Moment::Racing(_) => assert!([&before, &after].contains(&&left), "{left:#?}"),
        Moment::Stored => assert_eq!(left, after),
        Moment::Writing(_) => assert_eq!(left, before),
    }
    assert_eq!(saved.status, 200, "{saved:?}");
    assert_eq!(scene.rows().await, after);
}

struct Scene {
    database: Database,
    db: DatabaseConnection,
    ada: Choices,
}

impl Scene {
    async fn new(on: Backend) -> Option<Self> {
        let database = Database::migrated(on).await?;
        let db = database.connect().await;
        let ids = Ids::random();
        let world = World {
            db: &db,
            ids: &ids,
            now: TestClock::new().now(),
        };
        let ada = Choices::new(&world).await;
        Some(Self { database, db, ada })
    }

    fn serve(&self) -> Serving {
        Serving::start(&self.database.url, &[])
    }

    /// Fails when the server dies meanwhile.
    fn save(
        &self,
        server: &Serving,
        set: &[usize],
    ) -> impl Future<Output = reqwest::Result<Reply>> + Send + use<> {
        let put = Client::new()
            .request(Method::PUT, server.url(POSTING))
            .header(COOKIE, format!("session={}", self.ada.person.session))
            .json(&self.ada.body(set));
        async move { Reply::of(put.send().await?).await }
    }

    async fn rows(&self) -> Vec<Row> {
        saved_rows(&self.db, &self.ada.person.id).await
    }

    async fn die(&self, dying: Serving, moment: Moment) {
        let ask = || tokio::spawn(self.save(&dying, AFTER));
        match moment {
            Moment::Writing(stop) => {
                let stopper = Stopper::install(&self.database, &self.db, stop).await;
                ask();
                stopper.stopped().await;
                dying.kill();
                stopper.remove().await;
            }
            Moment::Racing(looks) => {
                ask();
                for _ in 0..looks {
                    self.rows().await;
                }
                dying.kill();
            }
            Moment::Stored => {
                ask();
                let after = self.ada.rows(AFTER);
                eventually("it is saved", async || self.rows().await == after).await;
                dying.kill();
            }
        }
    }
}
