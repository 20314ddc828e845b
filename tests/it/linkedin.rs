//! The client for LinkedIn's API, against a stand-in that is as strict as LinkedIn and fails in every way.

use std::{
    error::Error as _,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use chrono::NaiveDateTime;
use linkedin_targets::linkedin::{
    self, Client, Error, FoundPage, Grant, Listing, Logo, PageKind, SCOPES, Settings, SkipReason,
    SkippedPage,
};
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use stand_in_linkedin::{
    Application, Assignment, Consent, Endpoint, Fault, Kind, Logo as Image, Member, Organization,
    Role, RoleState, StandIn, Total, UrnKey, Visibility, When,
};
use tokio::net::{TcpListener, TcpSocket};
use url::Url;

const SECRET: &str = "hush-hush";
const BACK: &str = "http://localhost:3000/auth/linkedin/callback";

struct Scene {
    linkedin: StandIn,
    token: SecretString,
}

/// Ada administers as many pages, numbered from 1 on, and has granted everything.
async fn scene(pages: u64) -> Scene {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ids = AtomicU32::new(0);
    let new_id = move || ids.fetch_add(1, Ordering::Relaxed).to_string();
    let linkedin = StandIn::start(listener, NaiveDateTime::default, new_id).unwrap();
    linkedin.world(|world| {
        world.members.push(Member::new("ada", "Ada Lovelace"));
        let secret = SecretString::from(SECRET);
        world
            .applications
            .push(Application::new("app", secret, BACK));
        for number in 1..=pages {
            let organization = Organization {
                logo: Some(logo(number)),
                ..Organization::new(number, &format!("Page {number}"))
            };
            world.organizations.push(organization);
            world.assignments.push(Assignment {
                member: "ada".to_owned(),
                organization: number,
                role: Role::Administrator,
                state: RoleState::Approved,
            });
        }
    });
    let token = linkedin.grant_token("app", "ada", SCOPES);
    Scene { linkedin, token }
}

fn logo(number: u64) -> Image {
    Image {
        asset: format!("C4D0BAQ-{number}"),
        available: true,
    }
}

impl Scene {
    /// Hurries between attempts, and waits for answers as long as it takes.
    fn settings(&self) -> Settings {
        let here = self.linkedin.base_url();
        Settings {
            retry_pause: Duration::from_millis(1),
            call_timeout: Duration::from_secs(60),
            ..Settings::new(
                Some(linkedin::Application {
                    client_id: "app".to_owned(),
                    client_secret: SecretString::from(SECRET),
                    redirect_uri: Url::parse(BACK).unwrap(),
                }),
                here.clone(),
                here.clone(),
            )
        }
    }

    fn client(&self) -> Client {
        Client::new(self.settings()).unwrap()
    }

    fn client_with(&self, change: impl FnOnce(&mut Settings)) -> Client {
        let mut settings = self.settings();
        change(&mut settings);
        Client::new(settings).unwrap()
    }

    /// One that does not wait for answers that never come.
    fn client_for(&self, fault: &Fault) -> Client {
        match fault {
            Fault::Hang | Fault::Stalled | Fault::Dripping => {
                self.client_with(|settings| settings.call_timeout = Duration::from_millis(500))
            }
            _ => self.client(),
        }
    }

    async fn list(&self) -> Result<Listing, Error> {
        self.client().administered_pages(&self.token, false).await
    }

    fn fail(&self, fault: Fault, when: When) {
        self.linkedin.world(|world| world.fail(fault, when));
    }

    fn recover(&self) {
        self.linkedin.world(|world| world.heal());
        self.linkedin.release();
        self.linkedin.forget_calls();
    }

    fn code(&self, client: &Client) -> String {
        let address = client.authorize_url("state").unwrap();
        let back = self
            .linkedin
            .consent(&address, Consent::approve("ada"))
            .unwrap();
        parameter(&back, "code").unwrap()
    }

    async fn grant(&self) -> Grant {
        let client = self.client();
        client.redeem(&self.code(&client)).await.unwrap().0
    }
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    let (_, value) = url.query_pairs().find(|(known, _)| known == name)?;
    Some(value.into_owned())
}

/// What an error says, and what its cause says.
fn story<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    let error = outcome.unwrap_err();
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

fn numbers(listing: &Listing) -> Vec<u64> {
    let numbers = listing.pages.iter().map(|page| page.number.parse());
    numbers.collect::<Result<_, _>>().unwrap()
}

/// What a single call makes of each fault, and how often it is made if it only reads.
fn faults() -> Vec<(Fault, &'static str, usize)> {
    const UNKNOWN: &str = "LinkedIn does not know the token";
    const THROTTLED: &str = "LinkedIn allows no more calls for now";
    let meaning = |fault: &Fault| match fault {
        Fault::InvalidToken => (UNKNOWN, 1),
        Fault::RevokedToken => ("the token was revoked", 1),
        Fault::ExpiredToken => ("the token has expired", 1),
        Fault::AccessDenied => ("a scope or a product is missing at LinkedIn", 1),
        Fault::Throttled { .. } => (THROTTLED, 1),
        Fault::VersionSunset => (
            "LinkedIn does not serve version 202607 of its API, set a newer one",
            1,
        ),
        Fault::Status(StatusCode::NOT_FOUND) => ("LinkedIn has no such thing", 1),
        Fault::Status(StatusCode::INTERNAL_SERVER_ERROR) => {
            ("LinkedIn is not available: the answer has status 500", 3)
        }
        Fault::Status(_) => ("LinkedIn is not available: the answer has status 503", 3),
        Fault::Json(..) => ("the token is refused without a reason", 1),
        Fault::Answer(..) | Fault::Html(StatusCode::OK) | Fault::Garbage => {
            ("LinkedIn is not available: the answer is not JSON", 3)
        }
        Fault::Html(_) => ("LinkedIn is not available: the answer has status 502", 3),
        Fault::WrongTypes => (
            "LinkedIn is not available: the answer has an unknown shape",
            1,
        ),
        Fault::Truncated | Fault::Reset => {
            ("LinkedIn is not available: the connection was lost", 3)
        }
        Fault::Stalled | Fault::Hang | Fault::Dripping => (
            "LinkedIn is not available: the answer did not come in time",
            3,
        ),
        Fault::Endless => ("LinkedIn is not available: the answer is too long", 1),
        Fault::Redirect(_) => ("LinkedIn is not available: the answer has status 302", 1),
    };
    let faults = Fault::examples().into_iter().map(|fault| {
        let (story, attempts) = meaning(&fault);
        (fault, story, attempts)
    });
    faults.collect()
}

/// Those that every call with the same token or version would meet.
fn is_lasting(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::InvalidToken
            | Fault::RevokedToken
            | Fault::ExpiredToken
            | Fault::VersionSunset
            | Fault::Json(..)
    )
}

#[tokio::test]
async fn consent_and_exchange_give_a_token_with_its_scopes() {
    let scene = scene(0).await;
    let client = scene.client();

    let address = client.authorize_url("s p+c&").unwrap();
    let back = scene.linkedin.consent(&address, Consent::approve("ada"));
    let back = back.unwrap();
    let code = parameter(&back, "code").unwrap();
    let (grant, _) = client.redeem(&code).await.unwrap();

    assert_eq!(parameter(&back, "state").as_deref(), Some("s p+c&"));
    assert_eq!(grant.expires_in, Some(60 * 86_400));
    assert_eq!(
        grant.scope.as_deref(),
        Some("email,openid,profile,rw_organization_admin,w_member_social,w_organization_social")
    );
    assert!(grant.refresh_token.is_none());
    assert_eq!(grant.refresh_token_expires_in, None);
    let member = client.member(&grant.access_token, true).await.unwrap();
    assert_eq!(member.sub, "ada");
}

#[tokio::test]
async fn partners_get_refresh_tokens_and_scopes_that_are_not_named_are_asked_for() {
    let scene = scene(0).await;
    scene.linkedin.world(|world| {
        world.applications[0].partner = true;
        world.applications[0].names_scopes = false;
    });

    let told = scene.grant().await;
    scene.fail(
        Fault::Status(StatusCode::BAD_GATEWAY),
        When::always().at(Endpoint::Introspection),
    );
    let first = scene.grant().await;
    let refresh_token = first.refresh_token.as_ref().unwrap();
    let second = scene.client().refresh(refresh_token).await.unwrap();

    let scopes = "email,openid,profile,rw_organization_admin,w_member_social,w_organization_social";
    assert_eq!(told.scope.as_deref(), Some(scopes));
    assert_eq!(first.scope, None);
    assert_eq!(first.refresh_token_expires_in, Some(365 * 86_400));
    assert_ne!(
        second.access_token.expose_secret(),
        first.access_token.expose_secret()
    );
    let member = scene.client().member(&second.access_token, false).await;
    assert_eq!(member.unwrap().sub, "ada");
}

#[tokio::test]
async fn oauths_refusals_keep_their_codes() {
    let scene = scene(0).await;
    let stranger = scene.client_with(|settings| {
        let application = settings.application.as_mut().unwrap();
        application.client_secret = SecretString::from("guessed");
    });
    let code = scene.code(&scene.client());
    scene.client().redeem(&code).await.unwrap();

    let used = scene.client().redeem(&code).await;
    let refresh = scene.client().refresh(&SecretString::from("made up")).await;
    let unknown = stranger.redeem(&scene.code(&stranger)).await;

    assert_eq!(story(used), "LinkedIn gives no token: invalid_request");
    assert_eq!(story(refresh), "LinkedIn gives no token: invalid_request");
    assert_eq!(story(unknown), "LinkedIn gives no token: invalid_client");
}

#[tokio::test]
async fn a_member_is_described_as_far_as_the_scopes_allow() {
    let scene = scene(0).await;
    scene.linkedin.world(|world| {
        world.members[0].email = Some("ada@example.com".to_owned());
        world.members[0].picture = Some("https://example.com/ada.png".to_owned());
    });
    let bare = scene.linkedin.grant_token("app", "ada", ["openid"]);

    let whole = scene.client().member(&scene.token, false).await.unwrap();
    let bare = scene.client().member(&bare, false).await.unwrap();

    assert_eq!(whole.name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(whole.email.as_deref(), Some("ada@example.com"));
    assert_eq!(
        whole.picture.as_deref(),
        Some("https://example.com/ada.png")
    );
    assert_eq!(bare.sub, "ada");
    assert_eq!((bare.name, bare.email, bare.picture), (None, None, None));
}

#[tokio::test]
async fn no_secret_shows_in_debug_output() {
    let scene = scene(0).await;
    scene
        .linkedin
        .world(|world| world.applications[0].partner = true);

    let grant = scene.grant().await;
    let shown = format!("{:?} {:?} {grant:?}", scene.settings(), scene.client());

    assert!(!shown.contains(SECRET), "{shown}");
    assert!(!shown.contains(grant.access_token.expose_secret()));
    assert!(!shown.contains(grant.refresh_token.unwrap().expose_secret()));
}

#[tokio::test]
async fn an_exchange_is_never_repeated_and_its_failures_have_their_types() {
    let scene = scene(0).await;
    for (fault, expected, _) in faults() {
        scene.fail(fault.clone(), When::always().at(Endpoint::AccessToken));
        let client = scene.client_for(&fault);

        let outcome = client.redeem(&scene.code(&client)).await;
        let attempts = scene.linkedin.calls_to(Endpoint::AccessToken);

        assert_eq!(story(outcome), expected, "{fault}");
        assert_eq!(attempts, 1, "{fault}");
        scene.recover();
        scene.grant().await;
        scene.recover();
    }
}

#[tokio::test]
async fn a_refresh_is_never_repeated_and_its_failures_have_their_types() {
    let scene = scene(0).await;
    scene
        .linkedin
        .world(|world| world.applications[0].partner = true);
    let refresh_token = scene.grant().await.refresh_token.unwrap();
    for (fault, expected, _) in faults() {
        scene.recover();
        scene.fail(fault.clone(), When::always().at(Endpoint::AccessToken));

        let outcome = scene.client_for(&fault).refresh(&refresh_token).await;
        let attempts = scene.linkedin.calls_to(Endpoint::AccessToken);

        assert_eq!(story(outcome), expected, "{fault}");
        assert_eq!(attempts, 1, "{fault}");
        scene.recover();
        scene.client().refresh(&refresh_token).await.unwrap();
    }
}

#[tokio::test]
async fn asking_who_somebody_is_fails_with_the_right_type_after_few_attempts() {
    let scene = scene(0).await;
    for (fault, expected, attempts) in faults() {
        scene.fail(fault.clone(), When::always());

        let outcome = scene.client_for(&fault).member(&scene.token, false).await;
        let made = scene.linkedin.calls_to(Endpoint::UserInfo);

        assert_eq!(story(outcome), expected, "{fault}");
        assert_eq!(made, attempts, "{fault}");
        scene.recover();
        scene.client().member(&scene.token, false).await.unwrap();
        scene.recover();
    }
}

#[tokio::test]
async fn a_listing_that_cannot_begin_fails_with_the_right_type() {
    let scene = scene(1).await;
    for (fault, expected, attempts) in faults() {
        let when = When::always().at(Endpoint::OrganizationAcls);
        scene.fail(fault.clone(), when);

        let client = scene.client_for(&fault);
        let outcome = client.administered_pages(&scene.token, false).await;
        let made = scene.linkedin.calls().len();

        assert_eq!(story(outcome), expected, "{fault}");
        assert_eq!(made, attempts, "{fault}");
        scene.recover();
        assert!(scene.list().await.unwrap().complete);
        scene.recover();
    }
}

#[tokio::test]
async fn details_that_cannot_be_read_are_replaced_by_what_everybody_sees() {
    let scene = scene(1).await;
    let whole = scene.list().await.unwrap();
    for (fault, expected, _) in faults() {
        scene.recover();
        scene.fail(fault.clone(), When::always().at(Endpoint::Organizations));

        let client = scene.client_for(&fault);
        let outcome = client.administered_pages(&scene.token, false).await;

        if is_lasting(&fault) {
            assert_eq!(story(outcome), expected, "{fault}");
        } else {
            assert_eq!(outcome.unwrap(), whole, "{fault}");
        }
    }
}

#[tokio::test]
async fn a_name_that_nobody_tells_is_none_and_the_listing_is_complete() {
    let scene = scene(1).await;
    scene
        .linkedin
        .world(|world| world.organizations[0].visibility = Visibility::Refused);
    for (fault, expected, _) in faults() {
        scene.recover();
        let when = When::always().at(Endpoint::OrganizationsLookup);
        scene.fail(fault.clone(), when);

        let client = scene.client_for(&fault);
        let outcome = client.administered_pages(&scene.token, false).await;

        if is_lasting(&fault) {
            assert_eq!(story(outcome), expected, "{fault}");
            continue;
        }
        let listing = outcome.unwrap();
        assert_eq!(
            listing.pages,
            [FoundPage {
                number: "1".to_owned(),
                kind: PageKind::Organization,
                name: None,
                logo: Logo::Unknown,
            }],
            "{fault}"
        );
        assert_eq!(listing.pages[0].fallback_name(), "Organization 1");
        assert!(listing.complete);
    }
}

#[tokio::test]
async fn logos_that_cannot_be_loaded_are_unknown() {
    let scene = scene(1).await;
    for (fault, ..) in faults() {
        scene.recover();
        scene.fail(fault.clone(), When::always().at(Endpoint::Images));

        let client = scene.client_for(&fault);
        let listing = client.administered_pages(&scene.token, false).await;

        let listing = listing.unwrap();
        assert_eq!(listing.pages[0].name.as_deref(), Some("Page 1"), "{fault}");
        assert_eq!(listing.pages[0].logo, Logo::Unknown, "{fault}");
        assert!(listing.complete, "{fault}");
    }
}

#[tokio::test]
async fn a_fault_that_passes_is_not_noticed() {
    let scene = scene(25).await;
    let whole = scene.list().await.unwrap();
    for (fault, _, attempts) in faults() {
        if attempts == 1 {
            continue;
        }
        for endpoint in [
            Endpoint::OrganizationAcls,
            Endpoint::Organizations,
            Endpoint::Images,
        ] {
            scene.recover();
            scene.fail(fault.clone(), When::always().at(endpoint).times(1));

            let client = scene.client_for(&fault);
            let listing = client.administered_pages(&scene.token, false).await;

            assert_eq!(listing.unwrap(), whole, "{fault} at {endpoint:?}");
        }
    }
}

#[tokio::test]
async fn a_fresh_token_that_is_called_revoked_is_tried_again() {
    let scene = scene(1).await;
    scene.linkedin.world(|world| world.fresh_token_refusals = 3);
    let [fresh, listing, old] = [(); 3].map(|()| scene.linkedin.grant_token("app", "ada", SCOPES));

    let member = scene.client().member(&fresh, true).await;
    let attempts = scene.linkedin.calls_to(Endpoint::UserInfo);
    let listing = scene.client().administered_pages(&listing, true).await;
    let refused = scene.client().member(&old, false).await;

    assert_eq!(member.unwrap().sub, "ada");
    assert_eq!(attempts, 4);
    assert_eq!(listing.unwrap().pages.len(), 1);
    assert_eq!(story(refused), "the token was revoked");
}

#[tokio::test]
async fn a_fresh_token_that_stays_revoked_is_given_up() {
    let scene = scene(0).await;
    scene.linkedin.world(|world| world.revoke_tokens("ada"));

    let outcome = scene.client().member(&scene.token, true).await;

    assert_eq!(story(outcome), "the token was revoked");
    assert_eq!(scene.linkedin.calls_to(Endpoint::UserInfo), 5);
}

#[tokio::test]
async fn a_short_throttle_is_waited_for_once() {
    let scene = scene(0).await;
    let short = Fault::Throttled {
        retry_after: Some(0),
    };
    scene.fail(short.clone(), When::always().times(1));

    let once = scene.client().member(&scene.token, false).await;
    scene.linkedin.forget_calls();
    scene.fail(short, When::always());
    let for_ever = scene.client().member(&scene.token, false).await;

    assert!(once.is_ok());
    assert_eq!(story(for_ever), "LinkedIn allows no more calls for now");
    assert_eq!(scene.linkedin.calls_to(Endpoint::UserInfo), 2);
}

#[tokio::test]
async fn a_throttle_beyond_the_deadline_is_told_and_not_waited_for() {
    let scene = scene(0).await;
    let retry_after = Some(u32::MAX);
    scene.fail(Fault::Throttled { retry_after }, When::always());

    let outcome = scene.client().member(&scene.token, false).await;

    let Err(Error::Throttled { retry_after }) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(retry_after, Some(Duration::from_secs(u32::MAX.into())));
    assert_eq!(scene.linkedin.calls_to(Endpoint::UserInfo), 1);
}

#[tokio::test]
async fn an_operation_ends_with_its_deadline() {
    let scene = scene(1).await;
    scene.fail(Fault::Hang, When::always());
    let client = scene.client_with(|settings| settings.deadline = Duration::from_millis(50));
    let late = "LinkedIn is not available: the whole operation did not end in time";

    let code = scene.code(&client);

    assert_eq!(story(client.redeem(&code).await), late);
    assert_eq!(story(client.member(&scene.token, false).await), late);
    let listing = client.administered_pages(&scene.token, false).await;
    assert_eq!(story(listing), late);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let scene = scene(0).await;
    // Bound, so that nobody else takes the port, and not listening.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let nowhere = Url::parse(&format!("http://{}", socket.local_addr().unwrap())).unwrap();
    let client = scene.client_with(|settings| {
        settings.oauth_url = nowhere.clone();
        settings.api_url = nowhere;
    });

    let exchange = client.redeem("code").await;
    let member = client.member(&scene.token, false).await;

    let expected = "LinkedIn is not available: there is no connection";
    assert_eq!(story(exchange), expected);
    assert_eq!(story(member), expected);
}

#[tokio::test]
async fn a_redirect_gets_no_token() {
    let (here, elsewhere) = (scene(0).await, scene(0).await);
    let trap = elsewhere.linkedin.base_url().join("/v2/userinfo").unwrap();
    here.fail(Fault::Redirect(trap.into()), When::always());

    let outcome = here.client().member(&here.token, false).await;

    assert!(matches!(outcome, Err(Error::Unavailable(_))));
    assert_eq!(elsewhere.linkedin.calls(), []);
}

#[tokio::test]
async fn a_token_that_no_header_can_hold_is_invalid() {
    let scene = scene(0).await;

    let outcome = scene.client().member(&"two\nlines".into(), false).await;

    assert_eq!(story(outcome), "LinkedIn does not know the token");
    assert_eq!(scene.linkedin.calls(), []);
}

#[tokio::test]
async fn a_version_that_is_unknown_or_nonsense_is_the_operators_problem() {
    let scene = scene(1).await;
    for version in ["202501", "July"] {
        let client = scene.client_with(|settings| settings.version = version.to_owned());

        let outcome = client.administered_pages(&scene.token, false).await;

        let Err(Error::VersionSunset { version: told }) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(told, version);
    }
}

#[tokio::test]
async fn a_missing_scope_is_told_from_an_empty_listing() {
    let scene = scene(0).await;
    let bare = scene.linkedin.grant_token("app", "ada", ["openid"]);

    let refused = scene.client().administered_pages(&bare, false).await;
    let empty = scene.list().await.unwrap();

    assert_eq!(
        story(refused),
        "a scope or a product is missing at LinkedIn"
    );
    assert_eq!((empty.pages, empty.skipped), (vec![], vec![]));
    assert!(empty.complete);
}

#[tokio::test]
async fn a_code_counts_more_than_the_status() {
    let scene = scene(0).await;
    let expectations = [
        (
            StatusCode::FORBIDDEN,
            json!({ "code": "REVOKED_ACCESS_TOKEN", "serviceErrorCode": 65602 }),
            "the token was revoked",
        ),
        (
            StatusCode::BAD_REQUEST,
            json!({ "code": "NEW", "serviceErrorCode": 65602 }),
            "the token has expired",
        ),
        (
            StatusCode::FORBIDDEN,
            json!({ "code": 7, "serviceErrorCode": "65602", "status": null }),
            "a scope or a product is missing at LinkedIn",
        ),
        (
            StatusCode::URI_TOO_LONG,
            json!([]),
            "LinkedIn rejects the call with status 414",
        ),
    ];
    for (status, body, expected) in expectations {
        scene.recover();
        scene.fail(Fault::Json(status, body), When::always());

        let outcome = scene.client().member(&scene.token, false).await;

        assert_eq!(story(outcome), expected);
    }
}

#[tokio::test]
async fn every_way_of_paging_is_walked_to_its_end() {
    let scene = scene(25).await;
    for max_count in [1, 5, 7, 10, 25, 100] {
        for links in [true, false] {
            for total in [Total::Absent, Total::Zero, Total::Exact] {
                scene.linkedin.world(|world| {
                    world.listing.max_count = max_count;
                    world.listing.links = links;
                    world.listing.total = total;
                });

                let listing = scene.list().await.unwrap();

                let case = format!("{max_count} {links} {total:?}");
                assert_eq!(numbers(&listing), Vec::from_iter(1..=25), "{case}");
                assert!(listing.complete, "{case}");
            }
        }
    }
}

#[tokio::test]
async fn a_page_may_be_named_under_any_of_three_keys() {
    let scene = scene(2).await;
    for key in [
        UrnKey::Organization,
        UrnKey::OrganizationTarget,
        UrnKey::OrganizationalTarget,
    ] {
        scene.linkedin.world(|world| world.listing.urn_key = key);

        let listing = scene.list().await.unwrap();

        assert_eq!(numbers(&listing), [1, 2], "{key:?}");
    }
}

#[tokio::test]
async fn roles_that_name_no_page_fail_the_listing() {
    let scene = scene(2).await;
    let role = json!({ "role": "ADMINISTRATOR", "state": "APPROVED" });
    let strange = json!({
        "role": "ADMINISTRATOR", "state": "APPROVED", "organization": "urn:li:organization:1),x",
    });
    for element in [role, strange] {
        scene.recover();
        let answer = Fault::Json(StatusCode::OK, json!({ "elements": [element] }));
        scene.fail(answer, When::always().at(Endpoint::OrganizationAcls));

        let outcome = scene.list().await;

        assert_eq!(
            story(outcome),
            "LinkedIn is not available: the answer has an unknown shape"
        );
    }
}

#[tokio::test]
async fn an_answer_without_elements_is_no_empty_listing() {
    let scene = scene(1).await;
    scene.fail(Fault::Json(StatusCode::OK, json!({})), When::always());

    let outcome = scene.list().await;

    assert!(matches!(outcome, Err(Error::Unavailable(_))));
}

#[tokio::test]
async fn five_hundred_pages_take_few_calls() {
    let scene = scene(500).await;

    let listing = scene.list().await.unwrap();

    assert_eq!(numbers(&listing), Vec::from_iter(1..=500));
    assert!(listing.complete);
    let is_whole = |page: &FoundPage| page.name.is_some() && matches!(page.logo, Logo::Url(_));
    assert!(listing.pages.iter().all(is_whole));
    assert_eq!(scene.linkedin.calls_to(Endpoint::OrganizationAcls), 5);
    assert_eq!(scene.linkedin.calls_to(Endpoint::Organizations), 10);
    assert_eq!(scene.linkedin.calls_to(Endpoint::OrganizationsLookup), 0);
    assert_eq!(scene.linkedin.calls_to(Endpoint::Images), 10);
}

#[tokio::test]
async fn five_thousand_pages_can_be_walked() {
    let scene = scene(5_000).await;
    let client = scene.client_with(|settings| {
        settings.max_pages = 5_000;
        settings.deadline = Duration::from_secs(600);
    });

    let listing = client.administered_pages(&scene.token, false).await;

    let listing = listing.unwrap();
    assert_eq!(numbers(&listing), Vec::from_iter(1..=5_000));
    assert!(listing.complete);
}

#[tokio::test]
async fn a_cap_that_is_met_makes_the_listing_incomplete() {
    let scene = scene(25).await;
    let with_cap = |cap| scene.client_with(|settings| settings.max_pages = cap);

    let enough = with_cap(25).administered_pages(&scene.token, false).await;
    let short = with_cap(24).administered_pages(&scene.token, false).await;

    assert!(enough.unwrap().complete);
    let short = short.unwrap();
    assert_eq!(numbers(&short), Vec::from_iter(1..=24));
    assert!(!short.complete);
}

#[tokio::test]
async fn an_interrupted_walk_is_incomplete_unless_somebody_must_act() {
    let scene = scene(25).await;
    scene.linkedin.world(|world| world.listing.max_count = 10);
    for (fault, expected, _) in faults() {
        scene.recover();
        scene.fail(fault.clone(), When::always().from_start(10));

        let client = scene.client_for(&fault);
        let outcome = client.administered_pages(&scene.token, false).await;

        let must_act =
            is_lasting(&fault) || matches!(fault, Fault::AccessDenied | Fault::Throttled { .. });
        if must_act {
            assert_eq!(story(outcome), expected, "{fault}");
        } else {
            let listing = outcome.unwrap();
            assert_eq!(numbers(&listing), Vec::from_iter(1..=10), "{fault}");
            assert!(!listing.complete, "{fault}");
        }
    }
}

#[tokio::test]
async fn a_link_that_leads_nowhere_new_ends_the_walk_incomplete() {
    let scene = scene(0).await;
    let row = |number: u64| {
        json!({
            "organization": format!("urn:li:organization:{number}"),
            "role": "ADMINISTRATOR", "state": "APPROVED",
        })
    };
    let next =
        |query: &str| json!([{ "rel": "next", "href": format!("/rest/organizationAcls{query}") }]);
    let answers = [
        json!({ "elements": [row(1)], "paging": { "links": next("?start=2&count=1") } }),
        json!({ "elements": [row(1)], "paging": { "links": next("?start=0&count=1") } }),
        json!({ "elements": [row(1)], "paging": { "start": 0, "links": next("") } }),
        json!({ "elements": [row(1), row(2)], "paging": { "count": 2, "start": 0 } }),
    ];
    for answer in answers {
        scene.recover();
        let answer = Fault::Json(StatusCode::OK, answer);
        scene.fail(answer, When::always().at(Endpoint::OrganizationAcls));

        let listing = scene.list().await.unwrap();

        assert!(!listing.complete);
        assert!(scene.linkedin.calls_to(Endpoint::OrganizationAcls) <= 3);
    }
}

#[tokio::test]
async fn a_walk_without_end_meets_the_cap() {
    let scene = scene(1).await;
    let answer = json!({
        "elements": [{
            "organization": "urn:li:organization:1", "role": "ADMINISTRATOR", "state": "APPROVED",
        }],
        "paging": { "links": [{ "rel": "next", "href": "?" }] },
    });
    let answer = Fault::Json(StatusCode::OK, answer);
    scene.fail(answer, When::always().at(Endpoint::OrganizationAcls));
    let client = scene.client_with(|settings| settings.max_pages = 3);

    let listing = client.administered_pages(&scene.token, false).await;

    let listing = listing.unwrap();
    assert_eq!(numbers(&listing), [1]);
    assert!(!listing.complete);
}

#[tokio::test]
async fn a_link_to_another_host_is_used_for_its_numbers_alone() {
    let (here, elsewhere) = (scene(2).await, scene(2).await);
    let address = elsewhere.linkedin.base_url();
    let href = format!("{address}rest/organizationAcls?q=roleAssignee&start=1&count=1");
    let answer = json!({
        "elements": [{
            "organization": "urn:li:organization:1", "role": "ADMINISTRATOR", "state": "APPROVED",
        }],
        "paging": { "start": 0, "count": 1, "links": [{ "rel": "next", "href": href }] },
    });
    let when = When::always().at(Endpoint::OrganizationAcls).times(1);
    here.fail(Fault::Json(StatusCode::OK, answer), when);

    let listing = here.list().await.unwrap();

    assert_eq!(numbers(&listing), [1, 2]);
    assert!(listing.complete);
    assert_eq!(elsewhere.linkedin.calls(), []);
}

#[tokio::test]
async fn the_walk_steps_by_what_it_received_and_goes_on_while_there_is_a_link() {
    let scene = scene(2).await;
    let row = json!({
        "organization": "urn:li:organization:1", "role": "ADMINISTRATOR", "state": "APPROVED",
    });
    let linked =
        |start: usize| json!([{ "rel": "next", "href": format!("/?start={start}&count=100") }]);
    let answers = [
        json!({ "elements": [row], "paging": { "count": 100, "links": linked(100) } }),
        json!({ "elements": [], "paging": { "count": 100, "links": linked(1) } }),
    ];
    for (answer, expected) in answers.into_iter().zip([[1, 2].as_slice(), &[2]]) {
        scene.recover();
        let when = When::always().at(Endpoint::OrganizationAcls).times(1);
        scene.fail(Fault::Json(StatusCode::OK, answer), when);

        let listing = scene.list().await.unwrap();

        assert_eq!(numbers(&listing), expected);
        assert!(listing.complete);
    }
}

#[tokio::test]
async fn several_roles_are_one_page_and_the_best_one_counts() {
    let scene = scene(2).await;
    scene.linkedin.world(|world| {
        world.assignments.clear();
        world.assign("ada", 1, Role::Analyst);
        world.assign("ada", 2, Role::ContentAdministrator);
        world.assign("ada", 1, Role::Administrator);
        world.assign("ada", 2, Role::Curator);
    });

    let listing = scene.list().await.unwrap();

    assert_eq!(numbers(&listing), [1, 2]);
    assert_eq!(listing.skipped, []);
}

#[tokio::test]
async fn pages_that_cannot_be_posted_to_are_told_with_the_reason() {
    let scene = scene(4).await;
    scene.linkedin.world(|world| {
        world.assignments.clear();
        world.assign("ada", 1, Role::DirectSponsoredContentPoster);
        world.assign("ada", 2, Role::Other("WIZARD".to_owned()));
        world.assign("ada", 3, Role::Administrator);
        world.assign("ada", 4, Role::Administrator);
        world.organizations[2].visibility = Visibility::Missing;
    });

    let listing = scene.list().await.unwrap();

    let skipped = |number: &str, name: Option<&str>, reason| SkippedPage {
        number: number.to_owned(),
        name: name.map(str::to_owned),
        reason,
    };
    let may_not = |role: &str| SkipReason::RoleMayNotPost(role.to_owned());
    assert_eq!(numbers(&listing), [4]);
    assert_eq!(
        listing.skipped,
        [
            skipped(
                "1",
                Some("Page 1"),
                may_not("DIRECT_SPONSORED_CONTENT_POSTER")
            ),
            skipped("2", Some("Page 2"), may_not("WIZARD")),
            skipped("3", None, SkipReason::NotFound),
        ]
    );
    assert!(listing.complete);
}

#[tokio::test]
async fn roles_that_are_not_approved_do_not_count() {
    let scene = scene(3).await;
    let row = |number: u64, role: &str, state: &str| json!({ "organization": format!("urn:li:organization:{number}"), "role": role, "state": state });
    let answer = json!({ "elements": [
        row(1, "ADMINISTRATOR", "REQUESTED"),
        row(2, "ADMINISTRATOR", "REVOKED"),
        row(2, "ANALYST", "APPROVED"),
        row(3, "ADMINISTRATOR", "REJECTED"),
        row(3, "CONTENT_ADMINISTRATOR", "APPROVED"),
    ]});
    let answer = Fault::Json(StatusCode::OK, answer);
    scene.fail(answer, When::always().at(Endpoint::OrganizationAcls));

    let listing = scene.list().await.unwrap();

    let reasons: Vec<_> = listing.skipped.iter().map(|page| &page.reason).collect();
    assert_eq!(numbers(&listing), [3]);
    assert_eq!(
        reasons,
        [
            &SkipReason::NotApproved("REQUESTED".to_owned()),
            &SkipReason::RoleMayNotPost("ANALYST".to_owned()),
        ]
    );
}

#[tokio::test]
async fn pages_keep_their_kind_and_name_and_logo_as_far_as_they_are_known() {
    let scene = scene(5).await;
    scene.linkedin.world(|world| {
        world.organizations[0].kind = Kind::Showcase;
        world.organizations[1].visibility = Visibility::Refused;
        world.organizations[2].logo = None;
        let not_yet = Image {
            available: false,
            ..logo(4)
        };
        world.organizations[3].logo = Some(not_yet);
        world.organizations[4].name = " ".to_owned();
    });

    let listing = scene.list().await.unwrap();

    let known: Vec<_> = listing
        .pages
        .iter()
        .map(|page| (page.kind, page.name.as_deref(), &page.logo))
        .collect();
    let base = scene.linkedin.base_url();
    let at = |number: u64| Logo::Url(format!("{base}media/C4D0BAQ-{number}?expires=1209600000"));
    assert_eq!(
        known,
        [
            (PageKind::OrganizationBrand, Some("Page 1"), &at(1)),
            (PageKind::Organization, Some("Page 2"), &at(2)),
            (PageKind::Organization, Some("Page 3"), &Logo::None),
            (PageKind::Organization, Some("Page 4"), &Logo::Unknown),
            (PageKind::Organization, None, &Logo::Unknown),
        ]
    );
}

#[tokio::test]
async fn queries_stay_as_short_as_linkedin_reads_them() {
    let scene = scene(60).await;
    scene.linkedin.world(|world| {
        for (place, page) in world.organizations.iter_mut().enumerate() {
            let asset = format!("{}-{place}", "A".repeat(200));
            page.logo = Some(Image {
                asset,
                available: true,
            });
        }
    });

    let listing = scene.list().await.unwrap();

    let has_logo = |page: &FoundPage| matches!(page.logo, Logo::Url(_));
    assert!(listing.pages.iter().all(has_logo));
}

#[tokio::test]
async fn calls_at_the_same_time_are_bounded() {
    let scene = scene(500).await;
    scene.fail(Fault::Hang, When::always().at(Endpoint::Organizations));
    let client = scene.client_with(|settings| settings.concurrency = 3);
    let token = scene.token.clone();

    let listing = tokio::spawn(async move { client.administered_pages(&token, false).await });
    scene.linkedin.called(Endpoint::Organizations, 3).await;
    scene.linkedin.world(|world| world.heal());
    scene.linkedin.release();

    assert_eq!(listing.await.unwrap().unwrap().pages.len(), 500);
    assert_eq!(scene.linkedin.most_calls_at_once(), 3);
}
