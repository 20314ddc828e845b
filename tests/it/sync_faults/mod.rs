//! Everything that LinkedIn does wrong, met through both faces: the answer is the right one, nothing is lost, and the
//! next sync is fine.

mod answers;
mod connections;
mod details;
mod refusals;
mod roles;
mod rows;
mod scene;
mod walks;

use rstest::rstest;

use crate::support::database::Backend;
use rows::Row;
use scene::Stage;

#[rstest]
#[case::answers(answers::rows)]
#[case::refusals(refusals::rows)]
#[case::connections(connections::rows)]
#[case::walks(walks::rows)]
#[case::roles(roles::rows)]
#[case::details(details::rows)]
#[tokio::test]
async fn a_fault_of_linkedin_has_its_answer_and_does_no_harm(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
    #[case] rows: fn(&Stage) -> Vec<Row>,
) {
    let Some(stage) = Stage::new(on).await else {
        return;
    };
    stage.play(rows(&stage)).await;
}
