//! Documents of the operator's list: where there is one, nothing else runs.

use std::{fs, path::PathBuf};

use linkedin_targets::manifest::Manifest;
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{NEWER, OLDER, assert_refused, extensions, get, hash, post};
use crate::support::{
    app::{Ask, Person, Reply, TestApp},
    database::{Backend, Database},
    process::{Serving, program, run},
    socket::Socket,
};

const TARGETS: &str = "query Targets($with: Boolean! = true) { linkedInTargets @include(if: $with) { ... on LinkedInDestination { label } } }";
const SAVE: &str =
    "mutation Save { setLinkedInPostingPreferences(input: { targets: [] }) { __typename } }";
const FOLLOW: &str = "subscription Follow { linkedInPostingPreferencesChanged { reason } }";
const NOT_IN_LIST: &str = "PERSISTED_QUERY_NOT_IN_LIST";

/// Files as build tools write them.
struct Lists {
    folder: TempDir,
    paths: Vec<PathBuf>,
}

impl Lists {
    fn new(files: &[Value]) -> Self {
        let folder = TempDir::new().unwrap();
        let path = |(number, file): (usize, &Value)| {
            let path = folder.path().join(format!("{number}.json"));
            fs::write(&path, file.to_string()).unwrap();
            path
        };
        let paths = files.iter().enumerate().map(path).collect();
        Self { folder, paths }
    }

    /// As the variable has it.
    fn setting(&self) -> String {
        let paths = self.paths.iter().map(|path| path.to_str().unwrap());
        paths.collect::<Vec<_>>().join(",")
    }
}

/// As relay-compiler and graphql-codegen write them, by ids of their own.
fn by_texts() -> Value {
    json!({ "targets-1": TARGETS, "save-1": SAVE, "follow-1": FOLLOW })
}

/// As Apollo writes them, by the hashes of their bodies.
fn by_operations() -> Value {
    let operation = |name: &str, kind: &str, body: &str| json!({ "id": hash(body), "name": name, "type": kind, "body": body });
    json!({
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": [
            operation("Targets", "query", TARGETS),
            operation("Save", "mutation", SAVE),
            operation("Follow", "subscription", FOLLOW),
        ],
    })
}

/// A server that has a list, with Ada, who is linked.
async fn stage(lists: &Lists) -> (TestApp, Person) {
    let manifest = Manifest::read(&lists.paths).unwrap();
    let app = TestApp::with(Backend::Sqlite, |settings| {
        settings.trusted_documents = Some(manifest);
    });
    let app = app.await.unwrap();
    let ada = app.person("ada").await;
    app.connect_linkedin(&ada, "Ada").await;
    (app, ada)
}

fn adas_targets() -> Value {
    json!({ "linkedInTargets": [{ "label": "Ada" }] })
}

async fn ask(app: &TestApp, ada: &Person, body: &Value) -> Reply {
    post(app, NEWER, body).by(ada).reply().await
}

#[rstest]
#[case::texts(by_texts(), json!({ "documentId": "targets-1" }))]
#[case::texts_by_apollos_extension(by_texts(), json!({ "extensions": extensions("targets-1") }))]
#[case::texts_by_prefixed_ids(
    json!({ format!("sha256:{}", hash(TARGETS)): TARGETS }),
    json!({ "documentId": hash(TARGETS) })
)]
#[case::operations(by_operations(), json!({ "documentId": hash(TARGETS) }))]
#[case::operations_by_a_prefixed_id(by_operations(), json!({ "documentId": format!("sha256:{}", hash(TARGETS)) }))]
#[case::operations_by_apollos_extension(by_operations(), json!({ "extensions": extensions(&hash(TARGETS)) }))]
#[case::operations_by_both_ways_at_once(by_operations(), json!({
    "documentId": format!("sha256:{}", hash(TARGETS)), "extensions": extensions(&hash(TARGETS)),
}))]
#[tokio::test]
async fn a_listed_document_runs_by_its_id(#[case] list: Value, #[case] body: Value) {
    let (app, ada) = stage(&Lists::new(&[list])).await;

    let reply = ask(&app, &ada, &body).await;

    assert_eq!(reply.data(), adas_targets());
    assert_eq!(reply.json().get("errors"), None);
}

#[rstest]
#[case::as_listed(TARGETS.to_owned())]
#[case::printed_by_another_client(format!("# of the picker\n{}", TARGETS.replace(" { ", "\n, {, ")))]
#[tokio::test]
async fn a_listed_document_runs_in_full(#[case] query: String) {
    let (app, ada) = stage(&Lists::new(&[by_texts()])).await;
    let alone = json!({ "query": query });
    let with_its_hash = json!({ "query": query, "documentId": format!("sha256:{}", hash(&query)) });

    for body in [alone.clone(), with_its_hash, alone] {
        assert_eq!(ask(&app, &ada, &body).await.data(), adas_targets());
    }
}

#[rstest]
#[case::another("{ linkedInTargets { __typename } }")]
#[case::one_more_field(&TARGETS.replace("label", "label id"))]
#[case::another_default(&TARGETS.replace("true", "false"))]
#[case::introspection("{ __schema { queryType { name } } }")]
#[case::nothing_at_all("{ __typename }")]
#[tokio::test]
async fn what_is_not_listed_does_not_run(#[case] query: &str) {
    let (app, ada) = stage(&Lists::new(&[by_texts()])).await;
    let in_full = json!({ "query": query });
    let with_its_hash = json!({ "query": query, "extensions": extensions(&hash(query)) });
    let by_hash = json!({ "documentId": format!("sha256:{}", hash(query)) });

    for body in [in_full, with_its_hash, by_hash] {
        let reply = ask(&app, &ada, &body).await;
        assert_refused(&reply, 400, NOT_IN_LIST);
        assert!(
            reply
                .text
                .contains("only the documents of its operator's list")
        );
    }
}

/// Limits hold before anything is parsed, listed or not.
#[rstest]
#[case::syntax("{ __typename", "GRAPHQL_PARSE_FAILED")]
#[case::tokens(&format!("{{ {} }}", "a ".repeat(3_000)), "QUERY_TOO_COMPLEX")]
#[tokio::test]
async fn what_is_no_document_at_all_is_told_so(#[case] query: &str, #[case] code: &str) {
    let (app, ada) = stage(&Lists::new(&[by_texts()])).await;

    let reply = ask(&app, &ada, &json!({ "query": query })).await;

    assert_refused(&reply, 400, code);
}

#[tokio::test]
async fn variables_and_methods_are_judged_as_ever() {
    let (app, ada) = stage(&Lists::new(&[by_texts()])).await;
    let with = |value: Value| json!({ "documentId": "targets-1", "variables": { "with": value } });

    let without = ask(&app, &ada, &with(json!(false))).await;
    let wrong = ask(&app, &ada, &with(json!("yes"))).await;
    let kept = get(&app, &[("documentId", "targets-1")]).by(&ada);
    let kept = kept.reply().await;
    let saved_by_get = get(&app, &[("documentId", "save-1")]).by(&ada);
    let saved_by_get = saved_by_get.reply().await;
    let saved = ask(&app, &ada, &json!({ "documentId": "save-1" })).await;

    assert_eq!(without.data(), json!({}));
    assert_refused(&wrong, 400, "BAD_USER_INPUT");
    assert_eq!(kept.data(), adas_targets());
    assert_eq!(kept.header("cache-control"), Some("private, no-cache"));
    assert_refused(&saved_by_get, 405, "METHOD_NOT_ALLOWED");
    let success = json!({ "__typename": "SetLinkedInPostingPreferencesSuccess" });
    assert_eq!(saved.data()["setLinkedInPostingPreferences"], success);
}

#[tokio::test]
async fn operations_of_a_websocket_are_held_to_the_list_too() {
    let (app, ada) = stage(&Lists::new(&[by_texts()])).await;
    let mut socket = Socket::ready(&app, &ada).await;
    let subscribe =
        |id: &str, payload: Value| json!({ "type": "subscribe", "id": id, "payload": payload });

    socket
        .say(subscribe("1", json!({ "documentId": "follow-1" })))
        .await;
    let followed = socket.payload("next", "1").await;
    let other = FOLLOW.replace("reason", "__typename");
    socket.say(subscribe("2", json!({ "query": other }))).await;
    let refused = socket.payload("error", "2").await;

    let event = json!({ "linkedInPostingPreferencesChanged": { "reason": "PRESENT_STATE" } });
    assert_eq!(followed["data"], event);
    assert_eq!(refused[0]["extensions"]["code"], NOT_IN_LIST);
}

#[tokio::test]
async fn the_rest_paths_go_on_as_ever() {
    let (app, ada) = stage(&Lists::new(&[json!({ "save-1": SAVE })])).await;

    let targets = app.get("/api/linkedin/targets", &ada).await;

    assert_eq!(targets.status, 200);
    assert!(targets.text.contains("Ada"), "{}", targets.text);
}

#[tokio::test]
async fn several_front_ends_have_their_own_lists() {
    let other = json!({ "other": "{ linkedInConnection { status } }", "save-1": SAVE });
    let (app, ada) = stage(&Lists::new(&[by_texts(), by_operations(), other])).await;

    for id in ["targets-1", &hash(TARGETS)] {
        let reply = ask(&app, &ada, &json!({ "documentId": id })).await;
        assert_eq!(reply.data(), adas_targets());
    }
    let other = ask(&app, &ada, &json!({ "documentId": "other" })).await;
    let active = json!({ "linkedInConnection": { "status": "ACTIVE" } });
    assert_eq!(other.data(), active);
}

/// Without a list, GraphQL over HTTP's way to name a document does what Apollo's does.
#[rstest]
#[tokio::test]
async fn without_a_list_a_document_that_was_sent_once_is_found_by_its_id(
    #[values(Method::GET, Method::POST)] method: Method,
) {
    const TYPENAME: &str = "{ __typename }";
    let app = TestApp::new(Backend::Sqlite).await.unwrap();
    let id = format!("sha256:{}", hash(TYPENAME));
    let ask = |query: Option<&str>, id: &str| match &method {
        &Method::GET => {
            let query = query.map(|query| ("query", query));
            let parameters: Vec<_> = query.into_iter().chain([("documentId", id)]).collect();
            get(&app, &parameters).reply()
        }
        _ => post(&app, OLDER, &json!({ "query": query, "documentId": id })).reply(),
    };

    let before = ask(None, &id).await;
    let sent = ask(Some(TYPENAME), &id).await;
    let after = ask(None, &id).await;
    let of_another = ask(Some("{ t: __typename }"), &id).await;
    let unknown = ask(None, "targets-1").await;

    assert_refused(&before, 200, "PERSISTED_QUERY_NOT_FOUND");
    for reply in [sent, after] {
        assert_eq!(reply.data(), json!({ "__typename": "Query" }));
    }
    assert_refused(&of_another, 400, "BAD_USER_INPUT");
    assert_refused(&unknown, 200, "PERSISTED_QUERY_NOT_FOUND");
}

#[rstest]
#[case::a_number(json!({ "documentId": 1 }), "`documentId` must be a string.")]
#[case::two_documents(
    json!({ "documentId": "targets-1", "extensions": extensions("save-1") }),
    "name two documents"
)]
#[tokio::test]
async fn an_id_that_is_none_is_told(#[case] body: Value, #[case] reason: &str) {
    let (app, ada) = stage(&Lists::new(&[by_texts()])).await;

    let reply = ask(&app, &ada, &body).await;

    assert_refused(&reply, 400, "BAD_USER_INPUT");
    assert!(reply.text.contains(reason), "{}", reply.text);
}

const NO_LIST: &str =
    "it is not a list of documents as graphql-codegen, relay-compiler or Apollo write it";

#[rstest]
#[case::another_form(json!([TARGETS]), NO_LIST)]
#[case::other_values(json!({ "targets-1": 1 }), NO_LIST)]
#[case::nothing(json!({}), "there is no document in it")]
#[case::no_operation(json!({ "format": "apollo-persisted-query-manifest", "version": 1, "operations": [] }), "there is no document in it")]
#[case::an_unknown_field(
    json!({ "fine": TARGETS, "of-tomorrow": "query A {\n  tomorrow\n}" }),
    "the document \"of-tomorrow\" cannot run: type `Query` does not have a field `tomorrow` at line 2, column 3"
)]
#[case::too_much(
    json!({ "long": format!("{{ {} }}", "__typename ".repeat(2_000)) }),
    "the document \"long\" cannot run: The document has too many"
)]
#[case::no_document(json!({ "none": "nothing" }), "the document \"none\" cannot run: syntax error")]
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_cannot_be_used_is_told_at_start_and_by_the_doctor(
    #[case] list: Value,
    #[case] reason: &str,
) {
    let database = Database::migrated(Backend::Sqlite).await.unwrap();
    let lists = Lists::new(&[list]);

    let told = |command: &str| {
        let mut program = program(&[command]);
        program
            .env("DATABASE_URL", &database.url)
            .env("PORT", "0")
            .env("TRUSTED_DOCUMENTS", lists.setting());
        let (output, out, complaint) = run(&mut program);
        assert_eq!(output.status.code(), Some(1), "{out}{complaint}");
        (out, complaint)
    };
    let (_, at_start) = told("serve");
    let (by_the_doctor, _) = told("doctor");

    let variable = "invalid value for TRUSTED_DOCUMENTS: ";
    assert!(
        at_start.starts_with(&format!("error: {variable}")),
        "{at_start}"
    );
    assert!(at_start.contains(reason), "{at_start}");
    assert_eq!(at_start.lines().count(), 1, "{at_start}");
    let wrong = format!("WRONG  configuration: {variable}");
    assert!(by_the_doctor.contains(&wrong), "{by_the_doctor}");
    assert!(by_the_doctor.contains(reason), "{by_the_doctor}");
}

#[test]
fn two_documents_with_one_id_and_files_that_are_not_there_are_told() {
    let lists = Lists::new(&[by_texts(), json!({ "targets-1": SAVE })]);
    let missing = lists.folder.path().join("missing.json");

    let twice = Manifest::read(&lists.paths).unwrap_err();
    let missing = Manifest::read(&[missing]).unwrap_err();

    assert!(
        twice.contains("1.json: \"targets-1\" is the id of two documents"),
        "{twice}"
    );
    assert!(missing.contains("missing.json: No such file"), "{missing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_takes_the_lists_from_its_settings() {
    let database = Database::migrated(Backend::Sqlite).await.unwrap();
    let lists = Lists::new(&[by_texts(), by_operations()]);
    let settings = [("TRUSTED_DOCUMENTS", &*lists.setting())];
    let server = Serving::start(&database.url, &settings);

    let ask = |body: Value| {
        let post = reqwest::Client::new().post(server.url("/graphql"));
        post.json(&body).reply()
    };
    let listed = ask(json!({ "documentId": "targets-1" })).await;
    let other = ask(json!({ "query": "{ __typename }" })).await;

    assert_eq!(listed.codes(), ["UNAUTHENTICATED"]);
    assert_eq!(other.codes(), [NOT_IN_LIST]);
}

#[test]
fn a_gateway_and_a_list_contradict_each_other() {
    let lists = Lists::new(&[by_texts()]);
    let mut serve = program(&["serve"]);
    serve
        .env("TRUSTED_DOCUMENTS", lists.setting())
        .env("FEDERATION", "true");

    let (output, _, complaint) = run(&mut serve);

    assert_eq!(output.status.code(), Some(1));
    let sentence = "error: invalid value for TRUSTED_DOCUMENTS: with FEDERATION, a gateway asks what no list foresees\n";
    assert_eq!(complaint, sentence);
}
