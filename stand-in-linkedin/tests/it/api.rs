use chrono::TimeDelta;
use secrecy::SecretString;
use serde_json::{Value, json};
use stand_in_linkedin::Member;

use crate::support::{ADMIN, CLIENT, Scene, outcome, scene};

const ROLES: &str = "/rest/organizationAcls?q=roleAssignee";

impl Scene {
    async fn refusal(&self, token: &SecretString) -> (u16, Value, Value) {
        let (status, body) = outcome(self.call(token, ROLES).send().await.unwrap()).await;
        assert_eq!(body["status"], status);
        (
            status,
            body["serviceErrorCode"].clone(),
            body["code"].clone(),
        )
    }
}

#[tokio::test]
async fn a_token_that_is_unknown_revoked_or_expired_is_refused_in_its_own_way() {
    let scene = scene().await;
    let (revoked, expired, old) = (scene.ada(), scene.ada(), scene.ada());
    let unknown = scene.refusal(&SecretString::from("guess")).await;
    scene.pass(TimeDelta::days(60) - TimeDelta::seconds(1));
    scene.json(&old, ROLES).await;
    scene.pass(TimeDelta::seconds(1));
    let old = scene.refusal(&old).await;
    scene.linkedin.world(|world| world.expire_tokens("ada"));
    let expired = scene.refusal(&expired).await;
    scene.linkedin.world(|world| world.revoke_tokens("ada"));
    let revoked = scene.refusal(&revoked).await;

    assert_eq!(unknown, (401, json!(65600), json!("INVALID_ACCESS_TOKEN")));
    assert_eq!(revoked, (401, json!(65601), json!("REVOKED_ACCESS_TOKEN")));
    assert_eq!(expired, (401, json!(65602), json!("EXPIRED_ACCESS_TOKEN")));
    assert_eq!(old, expired);
}

#[tokio::test]
async fn a_fresh_token_may_be_refused_for_some_calls() {
    let scene = scene().await;
    scene.linkedin.world(|world| world.fresh_token_refusals = 2);
    let token = scene.ada();

    let refusals = [scene.refusal(&token).await, scene.refusal(&token).await];

    let too_fresh = (401, json!(65601), json!("REVOKED_ACCESS_TOKEN"));
    assert_eq!(refusals, [too_fresh.clone(), too_fresh]);
    scene.json(&token, ROLES).await;
}

#[tokio::test]
async fn a_call_without_the_scope_is_denied() {
    let scene = scene().await;
    let token = scene
        .linkedin
        .grant_token(CLIENT, "ada", ["w_member_social"]);

    for path in [
        ROLES,
        "/rest/organizations?ids=List(1)",
        "/rest/organizationsLookup?ids=List(1)",
        "/v2/userinfo",
    ] {
        let (status, body) = outcome(scene.call(&token, path).send().await.unwrap()).await;

        assert_eq!((status, &body["code"]), (403, &json!("ACCESS_DENIED")));
        assert_eq!(body["serviceErrorCode"], 100);
    }
}

#[tokio::test]
async fn user_info_tells_what_the_scopes_allow() {
    let scene = scene().await;
    scene.linkedin.world(|world| {
        world.members.push(Member {
            picture: Some("https://example.com/bob.png".to_owned()),
            ..Member::new("bob", "Bob")
        });
    });
    let linkedin = &scene.linkedin;
    let little = linkedin.grant_token(CLIENT, "ada", ["openid"]);
    let ada = linkedin.grant_token(CLIENT, "ada", ["openid", "profile", "email"]);
    let bob = linkedin.grant_token(CLIENT, "bob", ["openid", "profile", "email"]);

    let answers = [
        scene.json(&little, "/v2/userinfo").await,
        scene.json(&ada, "/v2/userinfo").await,
        scene.json(&bob, "/v2/userinfo").await,
    ];

    let locale = json!({ "country": "US", "language": "en" });
    assert_eq!(
        answers,
        [
            json!({ "sub": "ada" }),
            json!({
                "sub": "ada", "name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace",
                "locale": locale, "email": "ada@example.com", "email_verified": true,
            }),
            json!({
                "sub": "bob", "name": "Bob", "given_name": "Bob", "family_name": "",
                "locale": locale, "picture": "https://example.com/bob.png",
            }),
        ]
    );
}

#[tokio::test]
async fn the_headers_must_be_right() {
    let scene = scene().await;
    let token = scene.linkedin.grant_token(CLIENT, "ada", [ADMIN]);
    let wrong = [
        (None, Some("2.0.0"), 400, "VERSION_MISSING"),
        (Some("2026-07"), Some("2.0.0"), 400, "INVALID_VERSION"),
        (Some("202613"), Some("2.0.0"), 400, "INVALID_VERSION"),
        (Some("202401"), Some("2.0.0"), 426, "NONEXISTENT_VERSION"),
        (
            Some("202607"),
            Some("1.0.0"),
            400,
            "INVALID_PROTOCOL_VERSION",
        ),
        (Some("202607"), None, 400, "INVALID_PROTOCOL_VERSION"),
    ];
    for (version, protocol, status, code) in wrong {
        let mut request = scene.call(&token, ROLES).build().unwrap();
        request.headers_mut().remove("linkedin-version");
        request.headers_mut().remove("x-restli-protocol-version");
        if let Some(version) = version {
            let version = version.parse().unwrap();
            request.headers_mut().insert("linkedin-version", version);
        }
        if let Some(protocol) = protocol {
            let protocol = protocol.parse().unwrap();
            request
                .headers_mut()
                .insert("x-restli-protocol-version", protocol);
        }

        let answer = outcome(scene.execute(request).await).await;

        assert_eq!((answer.0, &answer.1["code"]), (status, &json!(code)));
    }
}

#[tokio::test]
async fn a_call_without_a_token_is_refused() {
    let scene = scene().await;

    let answer = outcome(scene.get(ROLES).send().await.unwrap()).await;

    assert_eq!(answer.0, 401);
    assert_eq!(answer.1["serviceErrorCode"], 65604);
}

#[tokio::test]
async fn every_answer_carries_its_own_id() {
    let scene = scene().await;
    let mut seen = Vec::new();
    for path in [
        "/",
        "/v2/userinfo",
        "/rest/people",
        "/oauth/v2/authorization",
    ] {
        let response = scene.get(path).send().await.unwrap();
        seen.push(response.headers()["x-li-uuid"].clone());
    }

    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 4);
}

#[tokio::test]
async fn a_resource_that_is_not_there_is_not_found() {
    let scene = scene().await;

    let answer = outcome(scene.get("/rest/people").send().await.unwrap()).await;

    assert_eq!(answer.0, 404);
    assert_eq!(answer.1["code"], "RESOURCE_NOT_FOUND");
}
