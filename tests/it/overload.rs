//! Too much at once, and too often: what is turned away, how, and that the others are answered.

use std::{
    io::Write,
    net::{IpAddr, TcpStream},
    num::NonZeroU32,
    pin::pin,
    time::Duration,
};

use futures_util::{StreamExt, stream};
use linkedin_targets::{app::Settings, rate_limits::Rate};
use reqwest::{Method, RequestBuilder, header::HeaderName};
use rstest::rstest;
use serde_json::json;

use crate::support::{
    app::{Ask, Person, Reply, TestApp},
    database::Backend,
    eventually::eventually,
    process::{HalfSent, Serving},
};

const MINE: &str = "{ linkedInTargets { __typename } }";
const SYNC: &str = "mutation { syncLinkedInPages { __typename } }";

#[rstest]
#[tokio::test]
async fn who_asks_too_often_is_told_to_wait_by_each_face(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::with(on, |settings| settings.rates.user = rate(4, HOUR)).await else {
        return;
    };
    let ada = app.person("ada").await;
    let bob = app.person("bob").await;

    let first = app.get("/api/linkedin/targets", &ada).await;
    let second = app.gql(&ada, MINE).await;
    app.gql(&ada, MINE).await;
    app.gql(&ada, MINE).await;
    app.take_statements();
    let rest = app.get("/api/linkedin/targets", &ada).await;
    let graphql = app.gql(&ada, MINE).await;
    let page = app
        .request(Method::GET, "/api/auth/linkedin/status")
        .by(&ada)
        .reply()
        .await;
    let health = app.request(Method::GET, "/healthz").by(&ada).reply().await;
    let statements = app.take_statements();
    let others = app.gql(&bob, MINE).await;

    assert_eq!(
        first.header("ratelimit-policy"),
        Some(r#""user";q=4;w=3600"#)
    );
    assert_eq!(first.header("ratelimit"), Some(r#""user";r=3;t=900"#));
    assert_eq!(second.header("ratelimit"), Some(r#""user";r=2;t=1800"#));
    for reply in [&rest, &graphql, &page] {
        assert_eq!(reply.status, 429);
        assert_eq!(reply.header("ratelimit"), Some(r#""user";r=0;t=3600"#));
        let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!((800..=900).contains(&wait), "{wait}");
    }
    assert_eq!(rest.json(), json!({ "error": "Too many requests" }));
    assert_eq!(graphql.codes(), ["RATE_LIMITED"]);
    assert_eq!(page.text, "You ask too often.\n");
    assert_eq!(health.status, 200);
    assert_eq!(statements, [""; 0], "nothing is looked up for them");
    assert_eq!(others.status, 200);
    assert_eq!(
        app.counted(r#"http_requests_limited_total{policy="user"}"#),
        Some(3.0)
    );
}

#[rstest]
#[tokio::test]
async fn all_sessions_and_tokens_of_somebody_count_as_one(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::with(on, |settings| settings.rates.user = rate(4, HOUR)).await else {
        return;
    };
    let ada = app.person("ada").await;
    let world = app.world();
    let session = world
        .session(&ada.id, world.now + chrono::TimeDelta::days(1))
        .await
        .unwrap();
    world.token(&ada.id, "the-token").await.unwrap();
    let id = ada.id.clone();
    let elsewhere = Person { id, session };
    let by_token = || {
        let request = app.request(Method::GET, "/api/linkedin/targets");
        request.header("authorization", "Bearer the-token")
    };

    // Whose they are is known once they have been looked up.
    app.gql(&ada, MINE).await;
    app.gql(&elsewhere, MINE).await;
    by_token().reply().await;
    for _ in 0..3 {
        assert_eq!(app.gql(&elsewhere, MINE).await.status, 200);
    }

    assert_eq!(app.gql(&ada, MINE).await.status, 429);
    assert_eq!(by_token().reply().await.status, 429);
}

#[rstest]
#[tokio::test]
async fn syncs_have_a_limit_of_their_own_through_both_faces(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::with(on, |settings| settings.rates.sync = rate(2, HOUR)).await else {
        return;
    };
    let ada = app.person("ada").await;
    let sync = || {
        app.request(Method::POST, "/api/linkedin/sync-pages")
            .by(&ada)
    };
    let hidden = "mutation { a: setLinkedInPostingPreferences(input: { targets: [] }) { __typename } ...Sync }
        fragment Sync on Mutation { b: syncLinkedInPages { __typename } }";

    let first = app.gql(&ada, SYNC).await;
    let second = sync().reply().await;
    let rest = sync().reply().await;
    let graphql = app.gql(&ada, SYNC).await;
    let hidden = app.gql(&ada, hidden).await;
    let read = app.gql(&ada, MINE).await;

    assert_eq!(first.header("ratelimit"), Some(r#""sync";r=1;t=1800"#));
    assert_eq!(second.status, 400);
    assert_eq!(second.header("ratelimit"), Some(r#""sync";r=0;t=3600"#));
    for reply in [&rest, &graphql, &hidden] {
        assert_eq!(reply.status, 429);
        assert!(reply.header("retry-after").is_some());
    }
    assert_eq!(rest.json(), json!({ "error": "Too many requests" }));
    assert_eq!(
        [graphql.codes(), hidden.codes()],
        [["RATE_LIMITED"], ["RATE_LIMITED"]]
    );
    assert_eq!(read.status, 200);
    assert_eq!(read.header("ratelimit"), None);
}

#[rstest]
#[case::what_was_made_up("203.0.113.1", "198.51.100.7, 203.0.113.1")]
#[case::a_proxy_behind_the_proxy("203.0.113.1", "203.0.113.1, 10.1.2.3")]
#[case::the_same_network("2001:db8::1", "2001:db8::2")]
#[tokio::test]
async fn behind_a_trusted_proxy_the_clients_own_address_counts(
    #[case] one: &str,
    #[case] same: &str,
) {
    let app = limited_by_address("127.0.0.1, 10.0.0.0/8").await;

    let first = from(&app, &[one]).await;
    let again = from(&app, &[same]).await;
    let in_two_lines = from(&app, &["198.51.100.7", same]).await;
    let other = from(&app, &["203.0.113.2"]).await;

    assert_eq!(
        first.header("ratelimit-policy"),
        Some(r#""address";q=1;w=3600"#)
    );
    assert_eq!(
        [first.status, again.status, in_two_lines.status],
        [401, 429, 429]
    );
    assert_eq!(other.status, 401);
}

#[tokio::test]
async fn who_is_turned_away_for_their_address_may_ask_from_elsewhere() {
    let app = TestApp::with(Backend::Sqlite, |settings| {
        settings.rates.user = rate(4, HOUR);
        settings.rates.address = rate(1, HOUR);
        settings.trusted_proxies = vec![IpAddr::from([127, 0, 0, 1]).into()];
    });
    let app = app.await.unwrap();
    let ada = app.person("ada").await;
    let ask = async |address: &str| {
        let request = app.request(Method::GET, "/api/linkedin/targets").by(&ada);
        request.header("x-forwarded-for", address).reply().await
    };

    let first = ask("203.0.113.1").await;
    let again = ask("203.0.113.1").await;
    let elsewhere = ask("203.0.113.2").await;

    assert_eq!(
        [first.status, again.status, elsewhere.status],
        [200, 429, 200]
    );
    assert_eq!(
        standings(&first),
        [r#""user";r=3;t=900"#, r#""address";r=0;t=3600"#]
    );
    assert_eq!(standings(&again), [r#""address";r=0;t=3600"#]);
    assert_eq!(
        standings(&elsewhere),
        [r#""user";r=2;t=1800"#, r#""address";r=0;t=3600"#],
        "the one who was turned away took nothing"
    );
    for reply in [&first, &again, &elsewhere] {
        let own = |name: &HeaderName| name.as_str().starts_with("x-ratelimit");
        assert!(!reply.headers.keys().any(own), "{:?}", reply.headers);
    }
}

#[rstest]
#[case::this_machine("", &["203.0.113.1"])]
#[case::a_proxy_that_says_nothing("127.0.0.1", &[])]
#[case::a_proxy_that_says_nonsense("127.0.0.1", &["nonsense"])]
#[case::nothing_but_proxies("127.0.0.1, 10.0.0.0/8", &["10.1.2.3"])]
#[tokio::test]
async fn where_nobody_can_tell_the_address_it_is_not_limited(
    #[case] trusted: &str,
    #[case] forwarded_for: &[&str],
) {
    let app = limited_by_address(trusted).await;

    for _ in 0..3 {
        let reply = from(&app, forwarded_for).await;
        assert_eq!(reply.status, 401);
        assert_eq!(reply.header("ratelimit"), None);
    }
}

#[tokio::test]
async fn who_waits_may_ask_again() {
    let app = TestApp::with(Backend::Sqlite, |settings| {
        settings.rates.user = rate(1, Duration::from_millis(200));
    });
    let app = app.await.unwrap();
    let ada = app.person("ada").await;

    eventually("a request is refused", async || {
        app.gql(&ada, MINE).await.status == 429
    })
    .await;

    eventually("one is answered again", async || {
        app.gql(&ada, MINE).await.status == 200
    })
    .await;
}

/// Whoever makes up credentials would fill the memory otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn of_too_many_who_have_asked_none_is_remembered() {
    let app = TestApp::with(Backend::Sqlite, |settings| {
        settings.rates.user = rate(1, HOUR)
    });
    let app = app.await.unwrap();
    let ask = async |token: u32| {
        let request = app.request(Method::GET, "/graphql?query=%7B__typename%7D");
        let request = request.bearer_auth(token);
        let reply = request.header("accept", "application/json").reply().await;
        reply.status
    };
    let first = [ask(0).await, ask(0).await];

    let others = stream::iter(1..=100_000).map(ask).buffer_unordered(64);
    let mut others = pin!(others);
    while let Some(status) = others.next().await {
        assert_eq!(status, 200);
    }

    assert_eq!(first, [200, 429]);
    assert_eq!(ask(0).await, 200);
}

#[rstest]
#[tokio::test]
async fn what_there_is_no_place_for_is_turned_away_at_once(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::with(on, |settings| settings.max_requests = 1).await else {
        return;
    };
    let ada = app.person("ada").await;
    let linkedin = crate::support::wire::Wire::start().await;
    linkedin.follow(crate::support::wire::Script::SaysAndWaits(""));
    let app = app.another_asking(|settings, asked| {
        settings.max_requests = 1;
        asked.api_url = linkedin.address.clone();
    });
    let app = app.await;
    app.connect_linkedin(&ada, "Ada").await;

    let sync = app.gql(&ada, SYNC);
    let meanwhile = async {
        eventually("the sync has its place", async || {
            app.counted("http_requests_in_flight") == Some(1.0)
        })
        .await;
        let rest = app.get("/api/linkedin/targets", &ada).await;
        let graphql = app.gql(&ada, MINE).await;
        let page = app
            .request(Method::GET, "/api/auth/linkedin/status")
            .reply()
            .await;
        let health = app.request(Method::GET, "/readyz").reply().await;
        (rest, graphql, page, health)
    };
    let (_, (rest, graphql, page, health)) = tokio::join!(sync, meanwhile);
    let then = app.gql(&ada, MINE).await;

    for reply in [&rest, &graphql, &page] {
        assert_eq!(reply.status, 503);
        assert_eq!(reply.header("retry-after"), Some("1"));
    }
    assert_eq!(rest.json(), json!({ "error": "Service unavailable" }));
    assert_eq!(graphql.codes(), ["UNAVAILABLE"]);
    assert_eq!(health.status, 200);
    assert_eq!(then.status, 200);
    assert_eq!(app.counted("http_requests_shed_total"), Some(3.0));
}

/// However many send their bodies slowly, or never to the end.
#[tokio::test(flavor = "multi_thread")]
async fn who_sends_slowly_takes_no_place_from_others() {
    let app = TestApp::with(Backend::Sqlite, |settings| settings.max_requests = 1);
    let app = app.await.unwrap();
    let ada = app.person("ada").await;
    let slow: Vec<_> = (0..20)
        .map(|_| {
            let connection = TcpStream::connect(app.address()).unwrap();
            HalfSent::post(connection, "/graphql", r#"{"query":"{ __typename }"}"#)
        })
        .collect();

    let answered = app.gql(&ada, MINE).await;

    assert_eq!(answered.status, 200);
    for slow in slow {
        let answer = slow.finish();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

#[tokio::test]
async fn connections_beyond_the_most_are_closed_at_once() {
    let app = TestApp::new(Backend::Sqlite).await.unwrap();
    let mut server = Serving::start(
        &app.database.url,
        &[("MAX_CONNECTIONS", "2"), ("ADMIN_ADDRESS", "127.0.0.1:0")],
    );
    let admin = server.metrics_url();
    let scrape = async || reqwest::get(&admin).await.unwrap().text().await.unwrap();
    let held = [server.connection(), server.connection()];
    eventually("both are open", async || {
        scrape()
            .await
            .contains("linkedin_targets_http_connections 2\n")
    })
    .await;

    let mut third = server.connection();
    let mut answer = Vec::new();
    let _ = third.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let _ = std::io::Read::read_to_end(&mut third, &mut answer);

    assert_eq!(answer, b"");
    assert!(
        scrape()
            .await
            .contains("linkedin_targets_http_connections_refused_total 1\n")
    );
    drop(held);
    eventually("there is room again", async || {
        reqwest::get(server.url("/healthz"))
            .await
            .is_ok_and(|answer| answer.status() == 200)
    })
    .await;
}

/// As a user and by their address.
fn standings(reply: &Reply) -> Vec<&str> {
    let lines = reply.headers.get_all("ratelimit").iter();
    lines.map(|line| line.to_str().unwrap()).collect()
}

const HOUR: Duration = Duration::from_secs(3_600);

fn rate(count: u32, period: Duration) -> Option<Rate> {
    let count = NonZeroU32::new(count)?;
    Some(Rate { count, period })
}

async fn limited_by_address(trusted: &str) -> TestApp {
    let trusted = trusted.split(", ").filter(|text| !text.is_empty());
    let networks = trusted.map(|text| {
        let address = text.parse::<std::net::IpAddr>().map(Into::into);
        address.or_else(|_| text.parse()).unwrap()
    });
    let change = |settings: &mut Settings| {
        settings.rates.address = rate(1, HOUR);
        settings.trusted_proxies = networks.collect();
    };
    TestApp::with(Backend::Sqlite, change).await.unwrap()
}

async fn from(app: &TestApp, forwarded_for: &[&str]) -> Reply {
    let request = app.request(Method::GET, "/api/linkedin/targets");
    let add = |request: RequestBuilder, value: &&str| request.header("x-forwarded-for", *value);
    forwarded_for.iter().fold(request, add).reply().await
}
