use axum::body::Bytes;
use reqwest::{
    Response, StatusCode,
    header::{HeaderMap, HeaderValue, RETRY_AFTER},
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use stand_in_linkedin::{Consent, Endpoint, Fault, Member, Organization, Role, When};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use url::Url;

use crate::support::{BACK, CLIENT, SECRET, Scene, location, outcome, parameter, scene};

const ROLES: &str = "/rest/organizationAcls?q=roleAssignee";

impl Scene {
    /// What Ada's call meets when everything is spoilt.
    async fn meets(&self, fault: Fault) -> Response {
        self.linkedin.world(|world| {
            world.heal();
            world.fail(fault, When::always());
        });
        self.call(&self.ada(), ROLES).send().await.unwrap()
    }

    async fn statuses<const N: usize>(&self, paths: [&str; N]) -> [u16; N] {
        let token = self.ada();
        let mut statuses = [0; N];
        for (status, path) in statuses.iter_mut().zip(paths) {
            *status = self
                .call(&token, path)
                .send()
                .await
                .unwrap()
                .status()
                .as_u16();
        }
        statuses
    }
}

fn busy() -> Fault {
    Fault::Status(StatusCode::SERVICE_UNAVAILABLE)
}

#[tokio::test]
async fn refusals_have_linkedins_status_and_codes() {
    let scene = scene().await;
    let refusals = [
        (
            Fault::InvalidToken,
            401,
            json!(65600),
            json!("INVALID_ACCESS_TOKEN"),
        ),
        (
            Fault::RevokedToken,
            401,
            json!(65601),
            json!("REVOKED_ACCESS_TOKEN"),
        ),
        (
            Fault::ExpiredToken,
            401,
            json!(65602),
            json!("EXPIRED_ACCESS_TOKEN"),
        ),
        (Fault::AccessDenied, 403, json!(100), json!("ACCESS_DENIED")),
        (
            Fault::VersionSunset,
            426,
            Value::Null,
            json!("NONEXISTENT_VERSION"),
        ),
        (
            Fault::Throttled { retry_after: None },
            429,
            json!(101),
            json!("TOO_MANY_REQUESTS"),
        ),
        (busy(), 503, Value::Null, Value::Null),
    ];
    for (fault, status, number, code) in refusals {
        let (met, body) = outcome(scene.meets(fault).await).await;

        assert_eq!(met, status);
        assert_eq!(body["status"], status);
        assert_eq!(body["serviceErrorCode"], number);
        assert_eq!(body["code"], code);
    }
}

#[tokio::test]
async fn throttling_may_say_how_long() {
    let scene = scene().await;

    let silent = scene.meets(Fault::Throttled { retry_after: None }).await;
    let helpful = scene
        .meets(Fault::Throttled {
            retry_after: Some(30),
        })
        .await;

    assert_eq!(silent.headers().get("retry-after"), None);
    assert_eq!(helpful.headers()["retry-after"], "30");
}

#[tokio::test]
async fn an_answer_may_be_any_json_a_web_page_or_not_json() {
    let scene = scene().await;

    let json = scene
        .meets(Fault::Json(StatusCode::UNAUTHORIZED, json!({})))
        .await;
    let page = scene.meets(Fault::Html(StatusCode::BAD_GATEWAY)).await;
    let garbage = scene.meets(Fault::Garbage).await;

    assert_eq!(outcome(json).await, (401, json!({})));
    assert_eq!(page.status(), 502);
    assert!(page.text().await.unwrap().starts_with("<!DOCTYPE html>"));
    assert_eq!(garbage.headers()["content-type"], "application/json");
    assert!(garbage.json::<Value>().await.is_err());
}

#[tokio::test]
async fn an_answer_may_have_the_right_keys_and_the_wrong_types() {
    let scene = scene().await;

    let (status, answer) = outcome(scene.meets(Fault::WrongTypes).await).await;

    assert_eq!(status, 200);
    assert_eq!(
        answer,
        json!({ "elements": [], "paging": { "start": "0", "count": "10", "links": [] } })
    );
}

#[tokio::test]
async fn an_answer_may_break_off_in_the_middle() {
    let scene = scene().await;

    let mut cut = scene.meets(Fault::Truncated).await;

    let announced = cut.content_length().unwrap();
    let half = cut.chunk().await.unwrap().unwrap();
    assert_eq!(half.len() as u64, announced / 2);
    assert!(cut.chunk().await.is_err());
}

#[tokio::test]
async fn a_connection_may_be_closed_without_a_byte() {
    let scene = scene().await;
    scene
        .linkedin
        .world(|world| world.fail(Fault::Reset, When::always()));
    let address = scene.linkedin.base_url().socket_addrs(|| None).unwrap();
    let mut connection = TcpStream::connect(&*address).await.unwrap();

    connection
        .write_all(b"GET /v2/userinfo HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut received = Vec::new();
    connection.read_to_end(&mut received).await.unwrap();

    assert_eq!(received, b"");
}

#[tokio::test]
async fn an_answer_may_have_no_end() {
    let scene = scene().await;

    let mut endless = scene.meets(Fault::Endless).await;

    assert_eq!(endless.content_length(), None);
    let mut received = 0;
    while received < 4 << 20 {
        received += endless.chunk().await.unwrap().unwrap().len();
    }
}

#[tokio::test]
async fn an_answer_may_come_byte_by_byte_and_never_end() {
    let scene = scene().await;

    let mut dripping = scene.meets(Fault::Dripping).await;

    assert_eq!(dripping.content_length(), None);
    for _ in 0..3 {
        assert_eq!(dripping.chunk().await.unwrap().unwrap(), b" ".as_slice());
    }
}

#[tokio::test]
async fn an_answer_may_be_anything() {
    let scene = scene().await;
    let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("soon"))]);
    let body = Bytes::from_static(b"\xff\xfe");

    let met = scene.meets(Fault::Answer(StatusCode::TOO_MANY_REQUESTS, headers, body));
    let met = met.await;

    assert_eq!(met.status(), 429);
    assert_eq!(met.headers()["retry-after"], "soon");
    assert_eq!(met.bytes().await.unwrap(), b"\xff\xfe".as_slice());
}

#[tokio::test]
async fn a_redirect_leads_elsewhere() {
    let scene = scene().await;

    let met = scene
        .meets(Fault::Redirect("https://example.com/".to_owned()))
        .await;

    assert_eq!(met.status(), 302);
    assert_eq!(location(&met).as_str(), "https://example.com/");
}

#[tokio::test]
async fn a_call_is_over_when_it_is_answered_or_given_up() {
    let scene = scene().await;
    let endpoint = Endpoint::OrganizationAcls;
    let hanging = When::always().at(endpoint).after(1);
    scene
        .linkedin
        .world(|world| world.fail(Fault::Hang, hanging));
    let token = scene.ada();

    scene.call(&token, ROLES).send().await.unwrap();
    scene.linkedin.answered(endpoint, 1).await;
    let impatient = tokio::spawn(scene.call(&token, ROLES).send());
    scene.linkedin.called(endpoint, 2).await;
    impatient.abort();

    scene.linkedin.answered(endpoint, 2).await;
}

#[tokio::test]
async fn calls_hang_until_they_are_released() {
    let scene = scene().await;
    let token = scene.ada();
    scene
        .linkedin
        .world(|world| world.fail(Fault::Hang, When::always()));
    let call = || async {
        let response = scene.call(&token, ROLES).send().await.unwrap();
        response.status()
    };

    let (first, second, ()) = tokio::join!(call(), call(), async {
        scene.linkedin.called(Endpoint::OrganizationAcls, 2).await;
        scene.linkedin.world(|world| world.heal());
        scene.linkedin.release();
    });
    let alone = call().await;

    assert_eq!([first, second, alone], [StatusCode::OK; 3]);
    assert_eq!(scene.linkedin.most_calls_at_once(), 2);
    scene.linkedin.forget_calls();
    assert_eq!(scene.linkedin.calls(), []);
}

#[tokio::test]
async fn an_answer_may_stop_half_way_until_it_is_released() {
    let scene = scene().await;

    let mut stalled = scene.meets(Fault::Stalled).await;
    let announced = stalled.content_length();
    let mut whole = stalled.chunk().await.unwrap().unwrap().to_vec();
    let half = whole.len() as u64;
    scene.linkedin.release();
    while let Some(chunk) = stalled.chunk().await.unwrap() {
        whole.extend(chunk);
    }

    assert_eq!(announced, Some(whole.len() as u64));
    assert_eq!(half, whole.len() as u64 / 2);
    assert!(serde_json::from_slice::<Value>(&whole).is_ok());
}

#[tokio::test]
async fn a_fault_is_met_by_the_chosen_member_and_call_alone() {
    let scene = scene().await;
    scene.linkedin.world(|world| {
        world.members.push(Member::new("bob", "Bob Kahn"));
        world.fail(
            busy(),
            When::always().by("ada").at(Endpoint::OrganizationAcls),
        );
    });
    let bob = scene
        .linkedin
        .grant_token(CLIENT, "bob", ["openid", "rw_organization_admin"]);

    let ada = scene.statuses([ROLES, "/v2/userinfo"]).await;

    assert_eq!(ada, [503, 200]);
    scene.json(&bob, ROLES).await;
}

#[tokio::test]
async fn a_fault_spares_the_first_calls_and_ends_after_its_times() {
    let scene = scene().await;
    scene
        .linkedin
        .world(|world| world.fail(busy(), When::always().after(2).times(2)));

    let statuses = scene.statuses([ROLES; 5]).await;

    assert_eq!(statuses, [200, 200, 503, 503, 200]);
}

#[tokio::test]
async fn a_fault_may_begin_with_a_later_listing() {
    let scene = scene().await;
    scene.linkedin.world(|world| {
        for number in 1..=25 {
            world.organizations.push(Organization::new(number, "Acme"));
            world.assign("ada", number, Role::Administrator);
        }
        world.fail(busy(), When::always().from_start(10));
    });
    let second = format!("{ROLES}&start=10&count=10");

    let statuses = scene.statuses([ROLES, &second, ROLES, &second]).await;

    assert_eq!(statuses, [200, 503, 200, 503]);
}

#[tokio::test]
async fn a_call_meets_the_fault_that_was_planned_first() {
    let scene = scene().await;
    scene.linkedin.world(|world| {
        world.fail(Fault::RevokedToken, When::always().times(1));
        world.fail(busy(), When::always());
    });

    let statuses = scene.statuses([ROLES; 2]).await;

    assert_eq!(statuses, [401, 503]);
}

#[tokio::test]
async fn an_exchange_meets_the_fault_of_the_member_who_consented() {
    let scene = scene().await;
    scene.linkedin.world(|world| {
        let when = When::always().by("ada").at(Endpoint::AccessToken).times(1);
        world.fail(busy(), when);
    });
    let query = [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", BACK),
        ("scope", "openid"),
    ];
    let authorization =
        Url::parse_with_params(&scene.url("/oauth/v2/authorization"), query).unwrap();
    let back = scene
        .linkedin
        .consent(&authorization, Consent::approve("ada"))
        .unwrap();
    let code = parameter(&back, "code").unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", BACK),
        ("client_id", CLIENT),
        ("client_secret", SECRET),
    ];

    let first = scene.submit("/oauth/v2/accessToken", &form).await;
    let second = scene.submit("/oauth/v2/accessToken", &form).await;

    assert_eq!(first.status(), 503);
    assert_eq!(second.status(), 200);
    let members = scene.linkedin.calls().into_iter().map(|call| call.member);
    assert_eq!(
        members.collect::<Vec<_>>(),
        [Some("ada".to_owned()), Some("ada".to_owned())]
    );
}

#[tokio::test]
async fn calls_are_logged_with_their_member_and_query() {
    let scene = scene().await;
    let token = scene.ada();

    scene.json(&token, ROLES).await;
    scene
        .get(&format!(
            "/v2/userinfo?access_token={}",
            token.expose_secret()
        ))
        .send()
        .await
        .unwrap();

    let calls: Vec<_> = scene
        .linkedin
        .calls()
        .into_iter()
        .map(|call| (call.endpoint, call.member, call.query))
        .collect();
    assert_eq!(
        calls,
        [
            (
                Endpoint::OrganizationAcls,
                Some("ada".to_owned()),
                "q=roleAssignee".to_owned()
            ),
            (Endpoint::UserInfo, None, String::new()),
        ]
    );
}
