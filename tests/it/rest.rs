//! The REST face, byte for byte: what the clients that exist rely on.

use std::fmt::Write;

use linkedin_targets::{
    demo::World,
    storage::entity::{linked_identity, personal_page, posting_preference},
};
use reqwest::{
    Method, RequestBuilder,
    header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderValue, ORIGIN},
};
use rstest::rstest;
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, QueryOrder, Set};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::support::{
    app::{Ask, Person, TestApp, one_id},
    database::Backend,
};

const TARGETS: &str = "/api/linkedin/targets";
const POSTING: &str = "/api/linkedin/posting-targets";

/// The most bytes that a body may have.
const MIB: usize = 1024 * 1024;

/// An origin on the list of allowed ones.
const FRIEND: &str = "https://friend.example";

/// What one request is answered with.
struct Case {
    name: String,
    request: RequestBuilder,
    status: u16,
    body: String,
    headers: Vec<(&'static str, String)>,
}

fn case(
    name: impl Into<String>,
    request: RequestBuilder,
    status: u16,
    body: impl Into<String>,
) -> Case {
    Case {
        name: name.into(),
        request,
        status,
        body: body.into(),
        headers: Vec::new(),
    }
}

impl Case {
    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

fn error(sentence: &str) -> String {
    format!(r#"{{"error":"{sentence}"}}"#)
}

#[rstest]
#[tokio::test]
async fn every_request_is_answered_as_the_contract_says(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
    #[values(
        reads,
        not_json,
        no_list,
        invalid_entries,
        unavailable_entries,
        saves,
        too_large,
        unauthorized,
        cookies,
        tokens,
        cross_site,
        methods,
        paths
    )]
    cases: fn(&TestApp, &People) -> Vec<Case>,
) {
    let Some(app) = TestApp::with(on, |settings| {
        settings.session_cookies = vec!["session".to_owned(), "interlinedlist-session".to_owned()];
        settings.allowed_origins = vec![FRIEND.to_owned()];
    })
    .await
    else {
        return;
    };
    let people = people(&app).await;

    let mut wrong = String::new();
    for case in cases(&app, &people) {
        if let Err(difference) = run(&app, case).await {
            wrong.push_str(&difference);
        }
    }

    assert!(wrong.is_empty(), "{wrong}");
}

/// Sends the request of a case and compares the answer; a refusal must leave the saved preferences as they were.
async fn run(app: &TestApp, case: Case) -> Result<(), String> {
    let before = preferences(app).await;

    let reply = case.request.reply().await;

    let mut wrong = String::new();
    let mut compare = |what: &str, got: Option<&str>, wanted: Option<&str>| {
        if got != wanted {
            let _ = writeln!(
                wrong,
                "{}: {what} is {got:?} instead of {wanted:?}",
                case.name
            );
        }
    };
    let status = reply.status.as_u16();
    compare(
        "status",
        Some(&status.to_string()),
        Some(&case.status.to_string()),
    );
    compare("body", Some(&reply.text), Some(&case.body));
    let media_type = (case.status != 308).then_some("application/json");
    compare("content-type", reply.header("content-type"), media_type);
    compare(
        "cache-control",
        reply.header("cache-control"),
        Some("no-store"),
    );
    compare("set-cookie", reply.header("set-cookie"), None);
    for (name, value) in case.headers {
        compare(name, reply.header(name), Some(&value));
    }
    if status >= 300 {
        let after = preferences(app).await;
        compare(
            "what is saved",
            Some(&format!("{after:?}")),
            Some(&format!("{before:?}")),
        );
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

async fn preferences(app: &TestApp) -> Vec<posting_preference::Model> {
    let rows = posting_preference::Entity::find();
    let by_id = rows.order_by_asc(posting_preference::Column::Id);
    by_id.all(&app.db).await.unwrap()
}

/// All have other targets, so that an answer tells whose it is.
struct People {
    /// Alice has all three kinds of targets, a page that the organization's form hides, and a removed one.
    alice: Person,
    /// Bob has nothing.
    bob: Person,
    /// Carol has a picture, and no permission for company pages. She saved an empty set.
    carol: Person,
    /// A session of Alice's that is over.
    expired: String,
}

const TOKEN: &str = "carol's tökén";

/// Ids with letters, so that another case of them is another id.
const ACME: &str = "6b1f0c1e-0000-4000-8000-00000000acce";
const STUDIO: &str = "6b1f0c1e-0000-4000-8000-00000000a11c";
const HIDDEN: &str = "6b1f0c1e-0000-4000-8000-00000000b1de";
const REMOVED: &str = "6b1f0c1e-0000-4000-8000-0000000d1e1a";
const CAROLS: &str = "6b1f0c1e-0000-4000-8000-00000000ca01";
const DEAD: &str = "6b1f0c1e-0000-4000-8000-00000000dead";
const UNASSIGNED: &str = "6b1f0c1e-0000-4000-8000-00000000f4ee";

const PERSONAL: &str = r#"{"kind":"personal","label":"Alice Example","avatarUrl":null}"#;
const ORG_PAGE: &str = r#"{"kind":"orgPage","pageId":"6b1f0c1e-0000-4000-8000-00000000acce","linkedInPageId":"12345678","label":"Acme Corp","logoUrl":null}"#;
const PERSONAL_PAGE: &str = r#"{"kind":"personalPage","personalPageId":"6b1f0c1e-0000-4000-8000-00000000a11c","linkedInPageId":"87654321","label":"Alice's Studio","logoUrl":"https://media.example/studio?a=1&b=2"}"#;
const CAROL: &str = r#"{"kind":"personal","label":"Carol \"C\" Exämple","avatarUrl":"https://media.example/carol"}"#;

fn targets(targets: &[&str]) -> String {
    format!(r#"{{"targets":[{}]}}"#, targets.join(","))
}

fn alices() -> String {
    targets(&[PERSONAL, ORG_PAGE, PERSONAL_PAGE])
}

fn enabled(target: &str, enabled: bool) -> String {
    let fields = target.strip_suffix('}').unwrap();
    format!(r#"{fields},"enabled":{enabled}}}"#)
}

/// What a save by Alice answers, by whether each of her targets is enabled.
fn saved([personal, org_page, personal_page]: [bool; 3]) -> String {
    targets(&[
        &enabled(PERSONAL, personal),
        &enabled(ORG_PAGE, org_page),
        &enabled(PERSONAL_PAGE, personal_page),
    ])
}

async fn people(app: &TestApp) -> People {
    let (alice, bob, carol) = (
        app.person("alice").await,
        app.person("bob").await,
        app.person("carol").await,
    );
    let world = app.world();
    let own = app.connect_linkedin(&alice, "Alice Example").await;
    let acme = world.organization("Acme", &alice.id).await.unwrap();
    let dead = world.organization("Dead", &alice.id).await.unwrap();
    let end = format!(
        r#"UPDATE "org_linkedin_credentials" SET "disconnectedAt" = CURRENT_TIMESTAMP WHERE "id" = '{dead}'"#
    );
    app.db.execute_unprepared(&end).await.unwrap();
    for (id, credential, number) in [
        (ACME, &acme, "12345678"),
        (DEAD, &dead, "11111111"),
        (UNASSIGNED, &acme, "22222222"),
    ] {
        let ids = one_id(id);
        let world = World { ids: &ids, ..world };
        let page = world.org_page(credential, number, "Acme Corp").await;
        page.unwrap();
    }
    world.assign(ACME, &alice.id).await.unwrap();
    world.assign(DEAD, &alice.id).await.unwrap();
    let dora = app.person("dora").await;
    world.assign(UNASSIGNED, &dora.id).await.unwrap();

    let member_scope = json!({ "access_token": "secret-token", "scope": "w_member_social" });
    let carols = world
        .identity(&carol.id, Some("Carol \"C\" Exämple"), Some(member_scope))
        .await
        .unwrap();
    let picture = linked_identity::ActiveModel {
        id: Set(carols.clone()),
        avatar_url: Set(Some("https://media.example/carol".to_owned())),
        ..Default::default()
    };
    picture.update(&app.db).await.unwrap();
    for (id, identity, number, name) in [
        (STUDIO, &own, "87654321", "Alice's Studio"),
        (HIDDEN, &own, "12345678", "Acme Corp"),
        (REMOVED, &own, "99999999", "Alice's closed bakery"),
        (CAROLS, &carols, "33333333", "Carol's Closet"),
    ] {
        let ids = one_id(id);
        let world = World { ids: &ids, ..world };
        world.personal_page(identity, number, name).await.unwrap();
    }
    let logo = personal_page::ActiveModel {
        id: Set(STUDIO.to_owned()),
        page_logo_url: Set(Some("https://media.example/studio?a=1&b=2".to_owned())),
        ..Default::default()
    };
    logo.update(&app.db).await.unwrap();
    for id in [REMOVED, CAROLS] {
        let removed = personal_page::ActiveModel {
            id: Set(id.to_owned()),
            removed_at: Set(Some(world.now)),
            ..Default::default()
        };
        removed.update(&app.db).await.unwrap();
    }
    world
        .preference(&carol.id, "none", None, None)
        .await
        .unwrap();
    world.token(&carol.id, TOKEN).await.unwrap();
    let expired = world.session(&alice.id, world.now).await.unwrap();
    People {
        alice,
        bob,
        carol,
        expired,
    }
}

fn get(app: &TestApp, path: &str) -> RequestBuilder {
    app.request(Method::GET, path)
}

fn put(app: &TestApp, person: &Person, body: impl Into<Vec<u8>>) -> RequestBuilder {
    let request = app.request(Method::PUT, POSTING).by(person);
    request
        .header(CONTENT_TYPE, "application/json")
        .body(body.into())
}

fn reads(app: &TestApp, people: &People) -> Vec<Case> {
    let People {
        alice, bob, carol, ..
    } = people;
    let read = |path, person| get(app, path).by(person);
    let head = |path, person| app.request(Method::HEAD, path).by(person);
    let posting = |choice: String, missing| {
        let choice = choice.strip_suffix('}').unwrap();
        format!(r#"{choice},"orgScopeMissing":{missing}}}"#)
    };
    vec![
        case("all kinds", read(TARGETS, alice), 200, alices()),
        case("nothing", read(TARGETS, bob), 200, r#"{"targets":[]}"#),
        case("a picture", read(TARGETS, carol), 200, targets(&[CAROL])),
        case(
            "a query",
            read("/api/linkedin/targets?kind=personal", alice),
            200,
            alices(),
        ),
        case(
            "never saved",
            read(POSTING, alice),
            200,
            posting(saved([true; 3]), false),
        ),
        case(
            "no identity",
            read(POSTING, bob),
            200,
            posting(targets(&[]), false),
        ),
        case(
            "an empty set, a scope that is missing",
            read(POSTING, carol),
            200,
            posting(targets(&[&enabled(CAROL, false)]), true),
        ),
        case("HEAD", head(TARGETS, alice), 200, "")
            .with("content-length", alices().len().to_string()),
        case("HEAD", head(POSTING, bob), 200, "").with(
            "content-length",
            posting(targets(&[]), false).len().to_string(),
        ),
        case(
            "HEAD by nobody",
            app.request(Method::HEAD, TARGETS),
            401,
            "",
        ),
    ]
}

fn not_json(app: &TestApp, people: &People) -> Vec<Case> {
    let utf_16 = |bytes: fn(u16) -> [u8; 2], mark: &str| {
        let text = format!(r#"{mark}{{"targets":[]}}"#);
        text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>()
    };
    let bodies: Vec<Vec<u8>> = [
        "",
        " ",
        " \r\n\t",
        "\u{feff}",
        r#"{"targets":[]} x"#,
        r#"{"targets":[]}{}"#,
        r#"{"targets":[]},"#,
        r#"{"targets":[],}"#,
        r#"{"targets":[{"kind":"personal"},]}"#,
        r#"{"targets":[{"kind":"personal",}]}"#,
        "// all\n{\"targets\":[]}",
        r#"{"targets":[/* all */]}"#,
        "# all\n{\"targets\":[]}",
        "NaN",
        r#"{"targets":NaN}"#,
        r#"{"targets":[],"n":NaN}"#,
        r#"{"targets":[],"n":-Infinity}"#,
        "undefined",
        "True",
        r#"{"targets":[],"n":01}"#,
        r#"{"targets":[],"n":+1}"#,
        r#"{"targets":[],"n":.5}"#,
        r#"{"targets":[],"n":1.}"#,
        r#"{"targets":[],"n":0x10}"#,
        r#"{'targets':[]}"#,
        "{targets:[]}",
        r#"{"targets" []}"#,
        r#"{"targets":["#,
        r#"{"targets":[{"kind":"personal}]}"#,
        r#"{"targets":[],"text":"\x41"}"#,
        r#"{"targets":[],"text":"\u12"}"#,
        "{\"targets\":[],\"text\":\"a\nb\"}",
        "{\"targets\":[],\"text\":\"\0\"}",
        "{\"targets\":[]}\0",
        "\u{a0}{\"targets\":[]}",
        "\u{c}{\"targets\":[]}",
        "\u{feff}\u{feff}{\"targets\":[]}",
        "{\"targets\":\u{feff}[]}",
        "targets=personal",
    ]
    .map(Vec::from)
    .into_iter()
    .chain([
        utf_16(u16::to_le_bytes, ""),
        utf_16(u16::to_be_bytes, ""),
        utf_16(u16::to_le_bytes, "\u{feff}"),
        utf_16(u16::to_be_bytes, "\u{feff}"),
        b"\xff{\"targets\":[]}".to_vec(),
        "[".repeat(100_000).into_bytes(),
    ])
    .collect();
    let none = app.request(Method::PUT, POSTING).by(&people.alice);
    refused(app, people, bodies, "Invalid JSON body")
        .chain([case("no body", none, 400, error("Invalid JSON body"))])
        .collect()
}

fn no_list(app: &TestApp, people: &People) -> Vec<Case> {
    let bodies = [
        "null",
        "true",
        "0",
        "-1e999",
        "12345678901234567890123456789",
        r#""targets""#,
        r#""\ud800""#,
        "[]",
        r#"[{"kind":"personal"}]"#,
        "{}",
        r#"{"Targets":[]}"#,
        r#"{" targets":[]}"#,
        r#"{"targets\u0000":[]}"#,
        r#"{"target":[]}"#,
        r#"{"body":{"targets":[]}}"#,
        r#"{"targets":null}"#,
        r#"{"targets":false}"#,
        r#"{"targets":0}"#,
        r#"{"targets":1e999}"#,
        r#"{"targets":""}"#,
        r#"{"targets":"[]"}"#,
        r#"{"targets":{}}"#,
        r#"{"targets":{"0":{"kind":"personal"},"length":1}}"#,
        r#"{"targets":[],"targets":null}"#,
        r#"{"targets":[],"\u0074argets":{}}"#,
    ];
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let deep_object = r#"{"targets":"#.repeat(50_000) + "[]" + &"}".repeat(50_000);
    refused(app, people, bodies, "targets must be an array")
        .chain(refused(
            app,
            people,
            [deep, deep_object],
            "targets must be an array",
        ))
        .collect()
}

fn invalid_entries(app: &TestApp, people: &People) -> Vec<Case> {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let entries = [
        "null",
        "0",
        "true",
        r#""personal""#,
        "[]",
        r#"["personal"]"#,
        r#"[{"kind":"personal"}]"#,
        &deep,
        "{}",
        r#"{"Kind":"personal"}"#,
        r#"{"kind":null}"#,
        r#"{"kind":0}"#,
        r#"{"kind":true}"#,
        r#"{"kind":["personal"]}"#,
        r#"{"kind":{"kind":"personal"}}"#,
        r#"{"kind":""}"#,
        r#"{"kind":"Personal"}"#,
        r#"{"kind":" personal"}"#,
        r#"{"kind":"personal "}"#,
        r#"{"kind":"personal\u0000"}"#,
        r#"{"kind":"\ud800"}"#,
        r#"{"kind":"none"}"#,
        r#"{"kind":"Personal","kind":"PERSONAL"}"#,
        r#"{"kind":"personal","kind":null}"#,
        r#"{"kind":"toString"}"#,
        r#"{"kind":"ORG_PAGE","pageId":"x"}"#,
        r#"{"kind":"orgpage","pageId":"x"}"#,
        r#"{"kind":"orgPage"}"#,
        r#"{"kind":"orgPage","pageId":null}"#,
        r#"{"kind":"orgPage","pageId":""}"#,
        r#"{"kind":"orgPage","pageId":12345678}"#,
        r#"{"kind":"orgPage","pageId":false}"#,
        r#"{"kind":"orgPage","pageId":["6b1f0c1e-0000-4000-8000-00000000acce"]}"#,
        r#"{"kind":"orgPage","pageId":{"id":"x"}}"#,
        r#"{"kind":"orgPage","pageid":"6b1f0c1e-0000-4000-8000-00000000acce"}"#,
        r#"{"kind":"orgPage","personalPageId":"6b1f0c1e-0000-4000-8000-00000000a11c"}"#,
        r#"{"kind":"orgPage","pageId":"6b1f0c1e-0000-4000-8000-00000000acce","pageId":""}"#,
        r#"{"kind":"personalPage"}"#,
        r#"{"kind":"personalPage","personalPageId":null}"#,
        r#"{"kind":"personalPage","personalPageId":""}"#,
        r#"{"kind":"personalPage","personalPageId":87654321}"#,
        r#"{"kind":"personalPage","personalPageId":[]}"#,
        r#"{"kind":"personalPage","personalPageId":{}}"#,
        r#"{"kind":"personalPage","pageId":"6b1f0c1e-0000-4000-8000-00000000acce"}"#,
    ];
    // The shape of all entries is checked before any of them is looked for.
    let bodies = entries.iter().flat_map(|entry| {
        [
            format!(r#"{{"targets":[{entry}]}}"#),
            format!(r#"{{"targets":[{{"kind":"orgPage","pageId":"unknown"}},{entry}]}}"#),
            format!(r#"{{"targets":[{entry},{{"kind":"personal"}}]}}"#),
        ]
    });
    refused(app, people, bodies, "Invalid targets").collect()
}

/// Bodies that Alice sends and that are refused with 400.
fn refused<Body: AsRef<[u8]>>(
    app: &TestApp,
    people: &People,
    bodies: impl IntoIterator<Item = Body>,
    sentence: &str,
) -> impl Iterator<Item = Case> {
    bodies.into_iter().map(move |body| {
        let body = body.as_ref();
        let start = &body[..body.len().min(100)];
        let name = String::from_utf8_lossy(start).escape_debug().to_string();
        case(name, put(app, &people.alice, body), 400, error(sentence))
    })
}

const NOT_LINKED: &str = "Your personal LinkedIn account is not linked";
const NOT_ASSIGNED: &str = "One or more LinkedIn pages are not assigned to you";
const NOT_AVAILABLE: &str = "One or more LinkedIn company pages are not available to you";

fn org_page(id: &str) -> String {
    format!(r#"{{"kind":"orgPage","pageId":"{id}"}}"#)
}

fn personal_page(id: &str) -> String {
    format!(r#"{{"kind":"personalPage","personalPageId":"{id}"}}"#)
}

const OWN: &str = r#"{"kind":"personal"}"#;

fn unavailable_entries(app: &TestApp, people: &People) -> Vec<Case> {
    let People { alice, bob, .. } = people;
    let refused = |person, entries: &[&str], sentence| {
        let body = targets(entries);
        case(body.clone(), put(app, person, body), 400, error(sentence))
    };
    let unknown_ids = [
        "unknown".to_owned(),
        "12345678".to_owned(),
        "0".to_owned(),
        " ".to_owned(),
        "'; DROP TABLE users; --".to_owned(),
        r"\u0000".to_owned(),
        format!(r"{ACME}\u0000"),
        format!(r"{STUDIO}\u0000"),
        r"\ud800".to_owned(),
        r"\udc00\ud800".to_owned(),
        "x".repeat(100_000),
        HIDDEN.to_owned(),
        REMOVED.to_owned(),
        CAROLS.to_owned(),
        DEAD.to_owned(),
        UNASSIGNED.to_owned(),
    ];
    let inexact = |id: &str| {
        [
            format!(" {id}"),
            format!("{id} "),
            format!(r"{id}\n"),
            id.to_uppercase(),
            id.replace('-', ""),
            format!("{{{id}}}"),
        ]
    };
    let org_ids = unknown_ids.iter().cloned().chain(inexact(ACME));
    let org_ids = org_ids.chain([STUDIO.to_owned()]);
    let personal_ids = unknown_ids.iter().cloned().chain(inexact(STUDIO));
    let personal_ids = personal_ids.chain([ACME.to_owned()]);
    let org_pages = org_ids.map(|id| refused(alice, &[&org_page(&id)], NOT_ASSIGNED));
    let personal_pages =
        personal_ids.map(|id| refused(alice, &[&personal_page(&id)], NOT_AVAILABLE));
    let (acme, studio) = (&*org_page(ACME), &*personal_page(STUDIO));
    let (no_org, no_own) = (&*org_page("x"), &*personal_page("x"));
    org_pages
        .chain(personal_pages)
        .chain([
            refused(bob, &[OWN], NOT_LINKED),
            // Somebody else's.
            refused(bob, &[acme], NOT_ASSIGNED),
            refused(bob, &[studio], NOT_AVAILABLE),
            // The first that fails answers.
            refused(bob, &[OWN, no_org, no_own], NOT_LINKED),
            refused(bob, &[no_org, OWN, no_own], NOT_ASSIGNED),
            refused(bob, &[no_own, no_org, OWN], NOT_AVAILABLE),
            refused(alice, &[OWN, acme, studio, no_own, no_org], NOT_AVAILABLE),
            refused(alice, &[OWN, acme, studio, no_org, no_own], NOT_ASSIGNED),
            refused(alice, &[no_org, OWN, acme, studio], NOT_ASSIGNED),
        ])
        .collect()
}

fn saves(app: &TestApp, people: &People) -> Vec<Case> {
    let alice = &people.alice;
    let (acme, studio) = (&*org_page(ACME), &*personal_page(STUDIO));
    let all = [true; 3];
    let none = [false; 3];
    let only_own = [true, false, false];
    let choices: [(&[&str], _); 9] = [
        (&[OWN, acme, studio], all),
        (&[studio, OWN, acme], all),
        (&[], none),
        (&[OWN], only_own),
        (&[acme], [false, true, false]),
        (&[studio], [false, false, true]),
        (&[OWN, studio], [true, false, true]),
        (&[OWN, OWN, acme, OWN, acme], [true, true, false]),
        (&[], none),
    ];
    let choices = choices.map(|(entries, choice)| (targets(entries), choice));

    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let odd = [
        // Byte order mark, and blanks.
        "\u{feff}{\"targets\":[{\"kind\":\"personal\"}]}".to_owned(),
        "\u{feff}\r\n\t {\"targets\" : [ {\"kind\"\n:\"personal\"} ] }\n".to_owned(),
        // Unknown keys, whatever they hold.
        r#"{"a":1e999,"targets":[{"kind":"personal","a":-1E-999,"":null}],"enabled":false}"#
            .to_owned(),
        r#"{"\ud800":"\udfff","targets":[{"kind":"personal","\udc00":"\ud800\ud800"}]}"#.to_owned(),
        r#"{"__proto__":{"targets":[]},"targets":[{"kind":"personal","constructor":{}}]}"#
            .to_owned(),
        r#"{"\u0000":"\u0000","targets":[{"kind":"personal"}]}"#.to_owned(),
        format!(r#"{{"a":{deep},"targets":[{{"kind":"personal","a":{deep}}}]}}"#),
        // Ids that the kind does not need.
        r#"{"targets":[{"kind":"personal","pageId":0,"personalPageId":""}]}"#.to_owned(),
        // Of a repeated key the last counts.
        r#"{"targets":null,"targets":[{"kind":"personal"}]}"#.to_owned(),
        r#"{"targets":[{"kind":"orgPage"}],"targets":[{"kind":"personal"}]}"#.to_owned(),
        r#"{"targets":[{"kind":0,"kind":"orgPage","kind":"personal"}]}"#.to_owned(),
        // Escapes in what matters.
        r#"{"\u0074argets":[{"k\u0069nd":"person\u0061l"}]}"#.to_owned(),
        // As large as a body may be.
        targets(&[OWN]) + &" ".repeat(MIB - targets(&[OWN]).len()),
        targets(&vec![OWN; MIB / 20 - 1]),
    ];
    let odd = odd.into_iter().map(|body| (body, only_own));
    let last_id = format!(r#"{{"targets":[{{"kind":"orgPage","pageId":"x","pageId":"{ACME}"}}]}}"#);

    let json = choices
        .into_iter()
        .chain(odd)
        .chain([(last_id, [false, true, false])])
        .map(|(body, choice)| {
            let name = body.chars().take(100).collect::<String>();
            case(name, put(app, alice, body), 200, saved(choice))
        });
    let typed = [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/json; charset=utf-16"),
        Some("no media type"),
    ];
    let any_type = typed.into_iter().map(|media_type| {
        let request = app
            .request(Method::PUT, POSTING)
            .by(alice)
            .body(targets(&[OWN]));
        let request = media_type.iter().fold(request, |request, media_type| {
            request.header(CONTENT_TYPE, *media_type)
        });
        case(format!("{media_type:?}"), request, 200, saved(only_own))
    });
    // What is not UTF-8 in a text becomes U+FFFD, as wherever the web decodes.
    let mut broken = br#"{"targets":[{"kind":"personal"}],"text":"_"}"#.to_vec();
    let place = broken.iter().position(|byte| *byte == b'_').unwrap();
    broken[place] = 0xff;
    let broken = case(
        "broken UTF-8 in a text",
        put(app, alice, broken),
        200,
        saved(only_own),
    );
    json.chain(any_type).chain([broken]).collect()
}

fn too_large(app: &TestApp, people: &People) -> Vec<Case> {
    let valid = targets(&[OWN]);
    let bodies = [
        ("valid", valid.clone() + &" ".repeat(MIB + 1 - valid.len())),
        ("blank", " ".repeat(MIB + 1)),
        ("no JSON", "x".repeat(MIB + 1)),
    ];
    bodies
        .into_iter()
        .map(|(name, body)| {
            let request = put(app, &people.alice, body);
            case(name, request, 413, error("Request body too large"))
        })
        .collect()
}

fn unauthorized(app: &TestApp, people: &People) -> Vec<Case> {
    let refused = |name: &str, request| case(name, request, 401, error("Unauthorized"));
    let nobody = || app.request(Method::PUT, POSTING);
    let dead = || {
        let cookie = format!("session={}", people.expired);
        app.request(Method::PUT, POSTING).header(COOKIE, cookie)
    };
    vec![
        refused("targets", get(app, TARGETS)),
        refused("posting targets", get(app, POSTING)),
        refused("a save", nobody().body(targets(&[]))),
        // Before anything else of the request is looked at.
        refused("no body", nobody()),
        refused("no JSON", nobody().body("{")),
        refused("too large", nobody().body(" ".repeat(MIB + 1))),
        refused(
            "cross-site",
            nobody().header("sec-fetch-site", "cross-site"),
        ),
        refused(
            "foreign origin",
            nobody().header(ORIGIN, "https://evil.example"),
        ),
        refused("over, and no JSON", dead().body("{")),
        refused("over, and too large", dead().body(" ".repeat(MIB + 1))),
        refused(
            "over, and foreign",
            dead().header(ORIGIN, "https://evil.example"),
        ),
        refused(
            "over, and cross-site",
            dead().header("sec-fetch-site", "cross-site"),
        ),
    ]
}

fn cookies(app: &TestApp, people: &People) -> Vec<Case> {
    let (alice, bob) = (&people.alice.session, &people.bob.session);
    let expired = &people.expired;
    let dead = |count: usize| {
        (0..count).fold(String::new(), |mut ids, number| {
            let _ = write!(ids, "7e57ab1e-0000-4000-8000-{number:012},");
            ids
        })
    };
    let alices_cookies = [
        format!("session={alice}"),
        format!("session={alice},{bob}"),
        format!("session={alice},{alice}"),
        format!("session={alice}%2C{bob}"),
        format!("session={alice}%2c{bob}"),
        format!("session=%20{alice}%20%2C%20{bob}"),
        format!("session= {alice} , {bob} "),
        format!("session=,, ,{alice},"),
        format!("session={}", alice.replace('-', "%2D")),
        // Dead ones are passed over, however many.
        format!("session={expired},{alice},{bob}"),
        format!("session={expired}%2C{alice}%2C{bob}"),
        format!("session=unknown,{alice}"),
        format!("session={},{alice}", people.bob.id),
        format!("session=%00,{alice}"),
        format!("session=%F0%9F%98%80,{alice}"),
        format!("session='; DROP TABLE users; session={alice}"),
        format!("session={}{alice},{bob}", dead(5)),
        format!("session={}{alice}", dead(2_000)),
        // Among others, and of two of one name the last.
        format!("a=1; session={alice}; b=2"),
        format!("a=1;session={alice};b"),
        format!("session={bob}; session={alice}"),
        format!("session=; session={alice}"),
        format!("session={expired}; session={alice}"),
        format!("Session={bob}; session={alice}; SESSION={bob}; sessions={bob}; xsession={bob}"),
        // One that cannot be decoded counts as none.
        format!("session={alice}; session=%"),
        format!("session={alice}; session=%FF"),
        format!("interlinedlist-session={alice}; session={bob}%"),
        format!("interlinedlist-session={alice}; session={bob}%zz"),
        format!("interlinedlist-session={alice}; session={bob},%C3%28"),
        // The preferred name first, then the other.
        format!("interlinedlist-session={alice}"),
        format!("interlinedlist-session={bob}; session={alice}"),
        format!("session={alice}; interlinedlist-session={bob}"),
        format!("session={expired}; interlinedlist-session={alice}"),
        format!("session=; interlinedlist-session={alice}"),
    ];
    let nobodys_cookies = [
        String::new(),
        "session".to_owned(),
        "session=".to_owned(),
        "session=,".to_owned(),
        "session=%20".to_owned(),
        "session=%00".to_owned(),
        "session=unknown".to_owned(),
        "session=null".to_owned(),
        "session=%27%20OR%20%271%27%3D%271".to_owned(),
        "session=%25".to_owned(),
        format!("session={expired}"),
        // User ids are public.
        format!("session={}", people.alice.id),
        format!("session={alice}x"),
        format!("session={}", alice.replace('-', "")),
        format!("session={alice}%00"),
        format!("session={alice}; session="),
        format!("session={alice}; session={expired}"),
        format!("session={alice}%"),
        format!("session={alice},%FF"),
        format!("session={}", alice.replace('-', "%252D")),
        format!("Session={alice}"),
        format!("other={alice}"),
        format!("session={alice}+{bob}"),
        format!("session={}", dead(2_000)),
    ];
    let asks = |cookie: &str| get(app, TARGETS).header(COOKIE, cookie);
    let name = |cookie: &str| cookie.chars().take(150).collect::<String>();
    let mut cases: Vec<_> = alices_cookies
        .iter()
        .map(|cookie| case(name(cookie), asks(cookie), 200, alices()))
        .collect();
    cases.extend(
        nobodys_cookies
            .iter()
            .map(|cookie| case(name(cookie), asks(cookie), 401, error("Unauthorized"))),
    );
    let two_lines = asks(&format!("session={bob}")).header(COOKIE, format!("session={alice}"));
    cases.push(case("two lines of cookies", two_lines, 200, alices()));
    let mut bytes = format!("other=_; session={alice}").into_bytes();
    bytes[6] = 0xff;
    let not_text = get(app, TARGETS).header(COOKIE, HeaderValue::from_bytes(&bytes).unwrap());
    cases.push(case(
        "another cookie that is no text",
        not_text,
        200,
        alices(),
    ));
    let save = app.request(Method::PUT, POSTING).body(targets(&[]));
    let save = save.header(COOKIE, format!("session={expired}%2C{alice}"));
    cases.push(case("a save", save, 200, saved([false; 3])));
    cases
}

fn tokens(app: &TestApp, people: &People) -> Vec<Case> {
    let asks = |authorization: &str| {
        let value = HeaderValue::from_bytes(authorization.as_bytes()).unwrap();
        get(app, TARGETS).header(AUTHORIZATION, value)
    };
    let valid = [
        format!("Bearer {TOKEN}"),
        format!("bearer {TOKEN}"),
        format!("BEARER {TOKEN}"),
        format!("Bearer   {TOKEN} "),
    ];
    let hash = hex::encode(Sha256::digest(TOKEN));
    let invalid = [
        "Bearer unknown".to_owned(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "".to_owned(),
        format!("Bearer {hash}"),
        format!("Bearer {}", TOKEN.to_uppercase()),
        format!("Bearer {}", people.bob.session),
        format!("Bearer {}", people.bob.id),
        format!("Bearer{TOKEN}"),
        format!("Token {TOKEN}"),
        format!("Basic {TOKEN}"),
        TOKEN.to_owned(),
    ];
    let carols = || targets(&[CAROL]);
    let (alice, expired) = (&people.alice, &people.expired);
    let mut cases = Vec::new();
    for authorization in &valid {
        cases.extend([
            case(authorization, asks(authorization), 200, carols()),
            // It wins over a cookie.
            case(authorization, asks(authorization).by(alice), 200, carols()),
            case(
                format!("{authorization} and a dead session"),
                asks(authorization).header(COOKIE, format!("session={expired}")),
                200,
                carols(),
            ),
        ]);
    }
    for authorization in &invalid {
        cases.extend([
            case(
                authorization,
                asks(authorization),
                401,
                error("Unauthorized"),
            ),
            case(authorization, asks(authorization).by(alice), 200, alices()),
        ]);
    }
    let bearer = HeaderValue::from_bytes(format!("Bearer {TOKEN}").as_bytes()).unwrap();
    let with_token = |method, path| app.request(method, path).header(AUTHORIZATION, &bearer);
    let preferences = targets(&[&enabled(CAROL, true)]);
    let read_back = format!(
        r#"{},"orgScopeMissing":true}}"#,
        preferences.strip_suffix('}').unwrap()
    );
    let save = with_token(Method::PUT, POSTING).body(targets(&[OWN]));
    cases.push(case("a save", save, 200, preferences));
    let read = with_token(Method::GET, POSTING);
    cases.push(case("read back", read, 200, read_back));
    cases
}

fn cross_site(app: &TestApp, people: &People) -> Vec<Case> {
    let ours = "https://interlinedlist.example";
    let here = app.url("");
    let refused = |headers: &[(&'static str, &str)]| {
        let request = put(app, &people.alice, targets(&[OWN]));
        let request = with_headers(request, headers);
        let sentence = error("Cross-site request refused");
        case(format!("{headers:?}"), request, 403, sentence)
    };
    let accepted = |headers: &[(&'static str, &str)]| {
        let request = put(app, &people.alice, targets(&[OWN]));
        let request = with_headers(request, headers);
        case(
            format!("{headers:?}"),
            request,
            200,
            saved([true, false, false]),
        )
    };
    let exempt = |headers: &[(&'static str, &str)]| {
        let bearer = HeaderValue::from_bytes(format!("Bearer {TOKEN}").as_bytes()).unwrap();
        let request = put(app, &people.alice, targets(&[OWN])).header(AUTHORIZATION, bearer);
        let request = with_headers(request, headers);
        let answer = targets(&[&enabled(CAROL, true)]);
        case(format!("a token and {headers:?}"), request, 200, answer)
    };
    let reads = |headers: &[(&'static str, &str)]| {
        let request = with_headers(get(app, TARGETS).by(&people.alice), headers);
        case(format!("GET and {headers:?}"), request, 200, alices())
    };
    let malformed = put(app, &people.alice, "{").header("sec-fetch-site", "cross-site");
    let basic = put(app, &people.alice, targets(&[OWN]))
        .header(AUTHORIZATION, "Basic YTpi")
        .header(ORIGIN, "https://evil.example");
    let sentence = || error("Cross-site request refused");
    vec![
        refused(&[("sec-fetch-site", "cross-site")]),
        refused(&[
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://evil.example"),
        ]),
        refused(&[("origin", "https://evil.example")]),
        refused(&[
            ("sec-fetch-site", "same-origin"),
            ("origin", "https://evil.example"),
        ]),
        refused(&[
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.interlinedlist.example"),
        ]),
        refused(&[("origin", "null")]),
        refused(&[("origin", "")]),
        refused(&[("origin", "file://")]),
        refused(&[("origin", "http://interlinedlist.example")]),
        refused(&[("origin", "https://interlinedlist.example:8443")]),
        refused(&[("origin", "https://interlinedlist.example.evil.example")]),
        refused(&[("origin", "https://friend.example.evil.example")]),
        refused(&[("origin", "http://friend.example")]),
        case("before the body is read", malformed, 403, sentence()),
        case("not a bearer token", basic, 403, sentence()),
        accepted(&[]),
        accepted(&[("origin", ours)]),
        accepted(&[("origin", FRIEND)]),
        accepted(&[("origin", &here)]),
        accepted(&[("sec-fetch-site", "same-origin"), ("origin", ours)]),
        accepted(&[("sec-fetch-site", "same-site"), ("origin", FRIEND)]),
        accepted(&[("sec-fetch-site", "same-site")]),
        accepted(&[("sec-fetch-site", "none")]),
        exempt(&[("sec-fetch-site", "cross-site")]),
        exempt(&[("origin", "https://evil.example")]),
        exempt(&[("origin", "null"), ("sec-fetch-site", "cross-site")]),
        reads(&[("sec-fetch-site", "cross-site")]),
        reads(&[("origin", "https://evil.example")]),
    ]
}

fn with_headers(request: RequestBuilder, headers: &[(&'static str, &str)]) -> RequestBuilder {
    headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    })
}

fn methods(app: &TestApp, people: &People) -> Vec<Case> {
    let refused = |method: Method, path, allow| {
        let request = app.request(method.clone(), path).by(&people.alice);
        let sentence = error("Method not allowed");
        case(format!("{method} {path}"), request, 405, sentence).with("allow", allow)
    };
    let others = [Method::POST, Method::PUT, Method::DELETE, Method::PATCH];
    let others = others.map(|method| refused(method, TARGETS, "GET,HEAD"));
    let more = [Method::POST, Method::DELETE, Method::PATCH];
    let more = more.map(|method| refused(method, POSTING, "GET,HEAD,PUT"));
    let made_up = Method::from_bytes(b"PURGE").unwrap();
    others
        .into_iter()
        .chain(more)
        .chain([refused(made_up, POSTING, "GET,HEAD,PUT")])
        .collect()
}

fn paths(app: &TestApp, people: &People) -> Vec<Case> {
    let asks = |method: &Method, path| app.request(method.clone(), path).by(&people.alice);
    let mut cases = Vec::new();
    for path in [
        "/api",
        "/api/targets",
        "/api/linkedin",
        "/api/linkedin/other",
        "/api/linkedin/targetss",
        "/api/linkedin/Targets",
        "/api/linkedin/targets/personal",
        "/api/linkedin/targets.json",
        "/api//linkedin/targets",
        "/api/linkedin/%74argets%2F",
        "/api/graphql",
        "/api/%FF",
    ] {
        for method in [Method::GET, Method::PUT, Method::POST, Method::DELETE] {
            let name = format!("{method} {path}");
            cases.push(case(name, asks(&method, path), 404, error("Not found")));
        }
    }
    for (path, location) in [
        ("/api/linkedin/targets/", TARGETS),
        ("/api/linkedin/targets/?", "/api/linkedin/targets?"),
        (
            "/api/linkedin/targets/?a=b&c=%20/",
            "/api/linkedin/targets?a=b&c=%20/",
        ),
        ("/api/linkedin/posting-targets/", POSTING),
        (
            "/api/linkedin/posting-targets/?a",
            "/api/linkedin/posting-targets?a",
        ),
        ("/api/linkedin/other/", "/api/linkedin/other"),
    ] {
        for method in [Method::GET, Method::HEAD, Method::PUT] {
            let name = format!("{method} {path}");
            let redirect = case(name, asks(&method, path), 308, "");
            cases.push(redirect.with("location", location));
        }
        let by_nobody = case(path, get(app, path), 308, "");
        cases.push(by_nobody.with("location", location));
    }
    cases
}

#[rstest]
#[tokio::test]
async fn a_database_out_of_reach_is_no_reason_to_sign_in_again(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;
    app.lose_database().await;

    for (method, path) in [
        (Method::GET, TARGETS),
        (Method::GET, POSTING),
        (Method::PUT, POSTING),
    ] {
        let request = app.request(method, path).by(&ada).body(targets(&[]));
        let reply = request.reply().await;

        assert_eq!(reply.status, 503);
        assert_eq!(reply.text, error("Service unavailable"));
        assert_eq!(reply.header("retry-after"), Some("1"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.header("content-type"), Some("application/json"));
    }
    let reply = get(&app, TARGETS).reply().await;
    assert_eq!(reply.status, 401, "{reply:?}");
}

#[rstest]
#[tokio::test]
async fn a_fault_of_ours_tells_nothing_of_its_cause(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
    #[values("sessions", "linkedin_posting_target_preferences")] table: &str,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;
    let rename = format!(r#"ALTER TABLE "{table}" RENAME TO "gone""#);
    app.db.execute_unprepared(&rename).await.unwrap();

    for (method, path) in [
        (Method::GET, TARGETS),
        (Method::GET, POSTING),
        (Method::PUT, POSTING),
    ] {
        let request = app.request(method, path).by(&ada).body(targets(&[]));
        let reply = request.reply().await;

        assert_eq!(reply.status, 500);
        assert_eq!(reply.text, error("Internal server error"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.header("content-type"), Some("application/json"));
    }
}
