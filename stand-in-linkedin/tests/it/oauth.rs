use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use stand_in_linkedin::{Application, AuthorizationError, Consent, Member, UnauthorizedScopes};
use url::Url;

use crate::support::{ADMIN, BACK, CLIENT, SECRET, Scene, location, outcome, parameter, scene};

const TOKEN: &str = "/oauth/v2/accessToken";
const INTROSPECT: &str = "/oauth/v2/introspectToken";

impl Scene {
    fn authorization(&self, scopes: &str) -> Url {
        let mut url = self
            .linkedin
            .base_url()
            .join("/oauth/v2/authorization")
            .unwrap();
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", CLIENT),
            ("redirect_uri", BACK),
            ("state", "s-1"),
            ("scope", scopes),
        ]);
        url
    }

    fn code(&self, scopes: &str) -> String {
        let back = self
            .linkedin
            .consent(&self.authorization(scopes), Consent::approve("ada"))
            .unwrap();
        parameter(&back, "code").unwrap()
    }

    async fn exchange(&self, code: &str) -> (u16, Value) {
        outcome(self.submit(TOKEN, &exchange_form(code)).await).await
    }

    async fn introspect(&self, token: &SecretString, client: &str) -> Value {
        let form = [
            ("client_id", client),
            ("client_secret", SECRET),
            ("token", token.expose_secret()),
        ];
        self.submit(INTROSPECT, &form).await.json().await.unwrap()
    }
}

fn exchange_form(code: &str) -> [(&str, &str); 5] {
    [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", BACK),
        ("client_id", CLIENT),
        ("client_secret", SECRET),
    ]
}

fn does_not_fit() -> (u16, Value) {
    let description = "Unable to retrieve access token: appid/redirect uri/code verifier does not match authorization code. Or authorization code expired. Or external member binding exists";
    (
        400,
        json!({ "error": "invalid_request", "error_description": description }),
    )
}

#[tokio::test]
async fn the_consent_page_offers_every_member_and_every_scope() {
    let scene = scene().await;
    scene
        .linkedin
        .world(|world| world.members.push(Member::new("bob", "Bob Kahn")));

    let page = scene
        .get(scene.authorization("openid email").as_str())
        .send()
        .await
        .unwrap();

    assert_eq!(page.status(), 200);
    let html = page.text().await.unwrap();
    for text in ["Ada Lovelace", "Bob Kahn", "stand-in, not LinkedIn"] {
        assert!(html.contains(text), "{text}");
    }
    assert_eq!(html.matches("type=\"checkbox\"").count(), 2);
    assert_eq!(html.matches(" checked").count(), 3);
}

#[tokio::test]
async fn a_member_who_allows_comes_back_with_a_code_that_buys_a_token() {
    let scene = scene().await;
    let form = [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", BACK),
        ("state", "s-1"),
        ("scope", "profile openid email"),
        ("member", "ada"),
        ("allowed", "profile"),
        ("allowed", "openid"),
        ("decision", "allow"),
    ];

    let back = location(&scene.submit("/oauth/v2/authorization/consent", &form).await);
    let (status, token) = scene.exchange(&parameter(&back, "code").unwrap()).await;

    assert!(back.as_str().starts_with(BACK));
    assert_eq!(parameter(&back, "state").as_deref(), Some("s-1"));
    assert_eq!(status, 200);
    assert_eq!(token["scope"], "openid,profile");
    assert_eq!(token["expires_in"], 5_184_000);
    assert_eq!(token["token_type"], "Bearer");
    assert!(token.get("refresh_token").is_none());
    let value = SecretString::from(token["access_token"].as_str().unwrap());
    let who = scene.json(&value, "/v2/userinfo").await;
    assert_eq!(who["name"], "Ada Lovelace");
    assert!(who.get("email").is_none());
}

#[tokio::test]
async fn a_member_who_cancels_comes_back_without_a_code() {
    let scene = scene().await;
    let cancelled = [
        (Consent::Cancel, "cancel", "user_cancelled_authorize"),
        (Consent::CancelLogin, "cancel-login", "user_cancelled_login"),
    ];
    for (consent, decision, error) in cancelled {
        let form = [
            ("response_type", "code"),
            ("client_id", CLIENT),
            ("redirect_uri", BACK),
            ("state", "s-1"),
            ("scope", "openid"),
            ("decision", decision),
        ];

        let back = location(&scene.submit("/oauth/v2/authorization/consent", &form).await);
        let scripted = scene
            .linkedin
            .consent(&scene.authorization("openid"), consent);

        assert_eq!(parameter(&back, "error").as_deref(), Some(error));
        assert_eq!(parameter(&back, "state").as_deref(), Some("s-1"));
        assert_eq!(parameter(&back, "code"), None);
        assert_eq!(scripted, Ok(back));
    }
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let scene = scene().await;
    let slash = BACK.to_owned() + "/";
    let wrong = [
        (CLIENT, slash.as_str(), "redirect_uri does not match"),
        (CLIENT, "", "redirect_uri does not match"),
        ("nobody", BACK, "client_id is invalid"),
    ];
    for (client, back, message) in wrong {
        let mut url = scene.authorization("openid");
        url.query_pairs_mut().clear().extend_pairs([
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", back),
            ("scope", "openid"),
        ]);

        let page = scene.get(url.as_str()).send().await.unwrap();

        assert_eq!(page.status(), 400);
        assert!(page.text().await.unwrap().contains(message), "{message}");
    }
}

#[tokio::test]
async fn a_scope_that_the_application_may_not_have_is_refused_left_out_or_strands_the_member() {
    let scene = scene().await;
    scene.application(|application| {
        application.scopes.remove(ADMIN);
    });
    let asked = scene.authorization("openid rw_organization_admin");
    let meets = |unauthorized_scopes| {
        scene.application(|application| application.unauthorized_scopes = unauthorized_scopes);
        scene.linkedin.consent(&asked, Consent::approve("ada"))
    };

    let refused = meets(UnauthorizedScopes::Refused).unwrap();
    let left_out = meets(UnauthorizedScopes::LeftOut).unwrap();
    let stranded = meets(UnauthorizedScopes::Stranded);

    assert_eq!(
        parameter(&refused, "error").as_deref(),
        Some("unauthorized_scope_error")
    );
    assert_eq!(stranded, Err(AuthorizationError::Stranded));
    let code = parameter(&left_out, "code").unwrap();
    let (_, token) = scene.exchange(&code).await;
    assert_eq!(token["scope"], "openid");
}

#[tokio::test]
async fn a_code_is_good_once() {
    let scene = scene().await;
    let code = scene.code("openid");

    let (first, _) = scene.exchange(&code).await;
    let second = scene.exchange(&code).await;

    assert_eq!(first, 200);
    assert_eq!(second, does_not_fit());
}

#[tokio::test]
async fn a_code_is_good_for_half_an_hour() {
    let scene = scene().await;
    let (early, late) = (scene.code("openid"), scene.code("openid"));

    scene.pass(TimeDelta::minutes(30) - TimeDelta::seconds(1));
    let (in_time, _) = scene.exchange(&early).await;
    scene.pass(TimeDelta::seconds(1));
    let too_late = scene.exchange(&late).await;

    assert_eq!(in_time, 200);
    assert_eq!(too_late, does_not_fit());
}

#[tokio::test]
async fn a_code_is_good_for_its_application_and_redirect_address_alone() {
    let scene = scene().await;
    let other = "http://localhost:3000/other";
    scene.application(|application| application.redirect_uris.push(other.to_owned()));
    scene.linkedin.world(|world| {
        let rival = Application::new("rival", SecretString::from(SECRET), BACK);
        world.applications.push(rival);
    });
    let code = scene.code("openid");
    let mut other_address = exchange_form(&code);
    other_address[2] = ("redirect_uri", other);
    let mut other_client = exchange_form(&code);
    other_client[3] = ("client_id", "rival");

    let refused = [
        outcome(scene.submit(TOKEN, &other_address).await).await,
        outcome(scene.submit(TOKEN, &other_client).await).await,
    ];

    assert_eq!(refused, [does_not_fit(), does_not_fit()]);
    assert_eq!(scene.exchange(&code).await.0, 200);
}

#[tokio::test]
async fn the_token_endpoint_takes_complete_forms_from_who_knows_the_secret() {
    let scene = scene().await;
    let code = scene.code("openid");
    let complete = exchange_form(&code);
    let with = |place: usize, value| {
        let mut form = complete.to_vec();
        form[place].1 = value;
        form
    };
    let mut pkce = complete.to_vec();
    pkce.push(("code_verifier", "v"));
    let refused = [
        (pkce, 400, "invalid_request"),
        (with(0, "password"), 400, "unsupported_grant_type"),
        (with(1, ""), 400, "invalid_request"),
        (with(3, "nobody"), 401, "invalid_client"),
        (with(4, "guess"), 401, "invalid_client"),
    ];
    for (form, status, error) in refused {
        let answer = outcome(scene.submit(TOKEN, &form).await).await;

        assert_eq!((answer.0, &answer.1["error"]), (status, &json!(error)));
    }

    let as_json: serde_json::Map<_, _> = complete
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .into_iter()
        .collect();
    let json = scene.post(TOKEN).json(&as_json).send().await.unwrap();

    assert_eq!(json.status(), 400);
    assert_eq!(scene.exchange(&code).await.0, 200);
}

#[tokio::test]
async fn a_token_answer_may_leave_the_scopes_out() {
    let scene = scene().await;
    scene.application(|application| application.names_scopes = false);

    let (status, token) = scene.exchange(&scene.code("openid")).await;

    assert_eq!(status, 200);
    assert!(token.get("scope").is_none());
}

#[tokio::test]
async fn a_partner_refreshes_tokens_for_a_year_from_consent() {
    let scene = scene().await;
    scene.application(|application| application.partner = true);
    let (_, token) = scene.exchange(&scene.code("openid")).await;
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token["refresh_token"].as_str().unwrap()),
        ("client_id", CLIENT),
        ("client_secret", SECRET),
    ];

    scene.pass(TimeDelta::days(364));
    let (status, renewed) = outcome(scene.submit(TOKEN, &refresh).await).await;
    scene.pass(TimeDelta::days(1));
    let (too_late, _) = outcome(scene.submit(TOKEN, &refresh).await).await;

    assert_eq!(token["refresh_token_expires_in"], 31_536_000);
    assert_eq!(status, 200);
    assert_ne!(renewed["access_token"], token["access_token"]);
    assert_eq!(renewed["refresh_token"], token["refresh_token"]);
    assert_eq!(renewed["refresh_token_expires_in"], 86_400);
    assert_eq!(too_late, 400);
}

#[tokio::test]
async fn introspection_tells_an_application_how_its_own_tokens_stand() {
    let scene = scene().await;
    scene.linkedin.world(|world| {
        let rival = Application::new("rival", SecretString::from(SECRET), BACK);
        world.applications.push(rival);
    });
    let token = scene.ada();

    let active = scene.introspect(&token, CLIENT).await;
    let foreign = scene.introspect(&token, "rival").await;
    scene.linkedin.world(|world| world.expire_tokens("ada"));
    let expired = scene.introspect(&token, CLIENT).await;
    scene.linkedin.world(|world| world.revoke_tokens("ada"));
    let revoked = scene.introspect(&token, CLIENT).await;

    assert_eq!(active["active"], true);
    assert_eq!(
        active["scope"],
        "email,openid,profile,rw_organization_admin"
    );
    assert_eq!(foreign, json!({ "active": false }));
    assert_eq!(expired["status"], "expired");
    assert_eq!(revoked["status"], "revoked");
}

#[tokio::test]
async fn nothing_that_is_printed_shows_a_secret() {
    let scene = scene().await;
    let code = scene.code("openid");
    let token = scene.ada();
    scene
        .call(&token, "/rest/organizationAcls?q=roleAssignee")
        .send()
        .await
        .unwrap();

    let world = scene.linkedin.world(|world| format!("{world:?}"));
    let printed = format!("{world}{:?}{:?}", scene.linkedin, scene.linkedin.calls());

    assert!(printed.contains("OrganizationAcls"));
    for secret in [SECRET, &code, token.expose_secret()] {
        assert!(!printed.contains(secret));
    }
}
