//! What several do at the same moment is what they would have done one after the other, in some order.

use futures_util::future::join_all;
use proptest::{collection::vec, prelude::*, test_runner::TestCaseError};
use rstest::rstest;
use serde_json::json;
use tokio::runtime::Runtime;

use super::{
    Model, Target,
    arbitrary::{Choice, choice, plan},
    runner,
    sequences::Member,
};
use crate::support::{
    app::{Person, TestApp},
    database::Backend,
    member::{connect, rest},
};

#[derive(Clone, Debug)]
enum Operation {
    Save(Vec<Choice>),
    Sync,
    Read,
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        5 => vec(choice(), 0..4).prop_map(Operation::Save),
        1 => Just(Operation::Sync),
        2 => Just(Operation::Read),
    ]
}

/// What one of them was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    text: String,
}

async fn ask(app: &TestApp, person: &Person, operation: &Operation, wanted: &[Target]) -> Answer {
    let reply = match operation {
        Operation::Save(_) => {
            let body = json!({ "targets": wanted.iter().map(Target::json).collect::<Vec<_>>() });
            app.put("/api/linkedin/posting-targets", person, &body)
                .await
        }
        Operation::Sync => rest(app, person).await,
        Operation::Read => app.get("/api/linkedin/posting-targets", person).await,
    };
    Answer {
        status: reply.status.as_u16(),
        text: match operation {
            // The ids of new pages are known when all is over; the pages are compared then.
            Operation::Sync => String::new(),
            Operation::Save(_) | Operation::Read => reply.text,
        },
    }
}

/// All orders of so many.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(count - 1);
    let places = shorter.iter().flat_map(|order| {
        (0..count).map(move |place| {
            let mut order = order.clone();
            order.insert(place, count - 1);
            order
        })
    });
    places.collect()
}

#[rstest]
fn any_interleaving_is_some_order(#[values(Backend::Sqlite, Backend::Postgres)] on: Backend) {
    let runtime = Runtime::new().unwrap();
    let Some(app) = runtime.block_on(TestApp::new(on)) else {
        return;
    };
    let another = runtime.block_on(app.another());

    let outcome = runner(40).run(&(plan(), vec(operation(), 2..5)), |(plan, operations)| {
        runtime.block_on(async {
            let (person, mut model) = plan.without_connection().settle(&app).await;
            let mut member = Member::join(&app, &person.id);
            member.administers(&app, 1, Some("Acme"));
            member.administers(&app, 2, Some("Bakery"));
            connect(&app, &person, &member.sub).await;
            model.connect(&member.sub);
            let wanted: Vec<Vec<_>> = operations
                .iter()
                .map(|operation| match operation {
                    Operation::Save(choices) => {
                        choices.iter().map(|choice| choice.of(&model)).collect()
                    }
                    Operation::Sync | Operation::Read => Vec::new(),
                })
                .collect();
            let now = app.clock.now();

            let asked = operations.iter().zip(&wanted).enumerate();
            let answers = join_all(asked.map(|(number, (operation, wanted))| {
                let server = if number % 2 == 0 { &app } else { &another };
                ask(server, &person, operation, wanted)
            }))
            .await;
            let listed = rest(&app, &person).await.json();
            let after = app.get("/api/linkedin/posting-targets", &person).await.text;

            let fits = |order: &Vec<usize>| {
                let mut model: Model = model.clone();
                let agree = order.iter().all(|number| {
                    let answer = match &operations[*number] {
                        Operation::Save(_) => {
                            let (status, text) = model.save(&wanted[*number], now);
                            Answer { status, text }
                        }
                        Operation::Sync => {
                            let status = model.sync(&member, now);
                            model.learn(&listed);
                            let text = String::new();
                            Answer { status, text }
                        }
                        Operation::Read => Answer {
                            status: 200,
                            text: model.preferences(now),
                        },
                    };
                    answer == answers[*number]
                });
                // The last one, to see the pages, was a sync as well.
                model.sync(&member, now);
                model.learn(&listed);
                agree && model.preferences(now) == after
            };
            let is_some_order = orders(operations.len()).iter().any(fits);
            prop_assert!(is_some_order, "{answers:#?}\n{after}\n{model:#?}");
            Ok::<_, TestCaseError>(())
        })
    });

    if let Err(cause) = outcome {
        panic!("{cause}");
    }
}
