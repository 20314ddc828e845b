//! Tokens at rest.

use linkedin_targets::{app::Settings, seal::Keys};
use rstest::rstest;
use secrecy::SecretString;
use serde_json::json;

use super::{Browser, LINKED, identity, labels, populate};
use crate::support::{
    app::{Person, TestApp},
    database::Backend,
};

const OLD: &str = "b2xkLWtleS1vbGQta2V5LW9sZC1rZXktb2xkLWtleS0=";
const NEW: &str = "bmV3LWtleS1uZXcta2V5LW5ldy1rZXktbmV3LWtleS0=";

fn keys(list: &str) -> impl FnOnce(&mut Settings) {
    let keys = Keys::parse(&SecretString::from(list)).unwrap();
    move |settings| settings.token_keys = keys
}

async fn stored(app: &TestApp, person: &Person) -> String {
    let row = identity(app, person).await.unwrap();
    row["providerData"]["access_token"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn sync(app: &TestApp, person: &Person) -> serde_json::Value {
    let mutation = "mutation { syncLinkedInPages { __typename ... on MutationError { code } } }";
    app.gql(person, mutation).await.data()["syncLinkedInPages"].take()
}

#[rstest]
#[tokio::test]
async fn with_keys_the_database_holds_no_token_and_everything_works(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::with(on, keys(OLD)).await else {
        return;
    };
    populate(&app);
    let ada = app.person("ada").await;

    let end = Browser::new(&app, &ada).link("ada").await;

    assert_eq!(end.as_str(), LINKED);
    assert!(stored(&app, &ada).await.starts_with("sealed:1:"));
    assert_eq!(labels(&app, &ada).await, ["Ada Lovelace", "Acme"]);
    app.linkedin.world(|world| world.revoke_tokens("ada"));
    app.clock.advance(chrono::TimeDelta::minutes(1));
    assert_eq!(sync(&app, &ada).await["code"], "CONNECTION_REVOKED");
    assert_eq!(labels(&app, &ada).await, [""; 0], "the end is remembered");
}

#[tokio::test]
async fn keys_can_be_rotated_and_plain_tokens_still_work() {
    let app = TestApp::new(Backend::Sqlite).await.unwrap();
    populate(&app);
    let ada = app.person("ada").await;
    let mut browser = Browser::new(&app, &ada);
    browser.link("ada").await;
    let plain = stored(&app, &ada).await;

    let old = app.another_with(keys(OLD)).await;
    let with_plain = sync(&old, &ada).await;
    browser.turn_to(&old);
    browser.link("ada").await;
    let sealed_old = stored(&app, &ada).await;
    let both = app.another_with(keys(&format!("{NEW},{OLD}"))).await;
    app.clock.advance(chrono::TimeDelta::minutes(1));
    let with_old = sync(&both, &ada).await;
    browser.turn_to(&both);
    browser.link("ada").await;
    let new = app.another_with(keys(NEW)).await;
    app.clock.advance(chrono::TimeDelta::minutes(1));
    let with_new = sync(&new, &ada).await;

    let done = json!({ "__typename": "SyncLinkedInPagesSuccess" });
    assert_eq!(
        [with_plain, with_old, with_new],
        [done.clone(), done.clone(), done]
    );
    assert!(!plain.starts_with("sealed:") && sealed_old.starts_with("sealed:1:"));
}

#[tokio::test]
async fn a_token_whose_key_is_lost_asks_for_a_reconnect() {
    let app = TestApp::with(Backend::Sqlite, keys(OLD)).await.unwrap();
    populate(&app);
    let ada = app.person("ada").await;
    Browser::new(&app, &ada).link("ada").await;
    let other = app.another_with(keys(NEW)).await;
    app.clock.advance(chrono::TimeDelta::minutes(1));

    let lost = sync(&other, &ada).await;
    let end = Browser::new(&other, &ada).link("ada").await;

    assert_eq!(lost["code"], "CONNECTION_EXPIRED");
    assert_eq!(end.as_str(), LINKED);
    assert_eq!(labels(&app, &ada).await, ["Ada Lovelace", "Acme"]);
}

#[rstest]
#[case::empty("")]
#[case::no_base64("not base64!")]
#[case::short("c2hvcnQ=")]
fn what_is_no_key_is_refused_without_being_shown(#[case] text: &str) {
    let refused = Keys::parse(&SecretString::from(format!("{OLD},{text}")));

    let message = refused.unwrap_err().to_string();
    assert!(message.contains("32 random bytes in base64"), "{message}");
    assert!(!message.contains(OLD));
}
