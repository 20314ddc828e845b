//! One answer, in any world.

use proptest::{collection::vec, prelude::*, test_runner::TestCaseError};
use rstest::rstest;
use serde_json::json;
use tokio::runtime::Runtime;

use super::{
    arbitrary::{choice, plan},
    runner,
};
use crate::support::{app::TestApp, database::Backend};

#[rstest]
fn every_answer_is_that_of_the_model(#[values(Backend::Sqlite, Backend::Postgres)] on: Backend) {
    let runtime = Runtime::new().unwrap();
    let Some(app) = runtime.block_on(TestApp::new(on)) else {
        return;
    };
    let cases = (plan(), vec(choice(), 0..4));

    let outcome = runner(96).run(&cases, |(plan, choices)| {
        runtime.block_on(async {
            let (person, mut model) = plan.settle(&app).await;
            let now = app.clock.now();

            let targets = app.get("/api/linkedin/targets", &person).await;
            prop_assert_eq!(targets.text, model.answer(now));
            let preferences = app.get("/api/linkedin/posting-targets", &person).await;
            prop_assert_eq!(preferences.text, model.preferences(now));
            let wanted: Vec<_> = choices.iter().map(|choice| choice.of(&model)).collect();
            let body = wanted.iter().map(super::Target::json).collect::<Vec<_>>();
            let body = json!({ "targets": body });
            let saved = app
                .put("/api/linkedin/posting-targets", &person, &body)
                .await;
            let expected = model.save(&wanted, now);
            prop_assert_eq!((saved.status.as_u16(), saved.text), expected);
            let preferences = app.get("/api/linkedin/posting-targets", &person).await;
            prop_assert_eq!(preferences.text, model.preferences(now));
            Ok::<_, TestCaseError>(())
        })
    });

    if let Err(cause) = outcome {
        panic!("{cause}");
    }
}
