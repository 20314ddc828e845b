use stand_in_linkedin::{Fault, Organization, Role, When};

use crate::support::{Scene, scene};

const ROLES: &str = "/rest/organizationAcls?q=roleAssignee&state=APPROVED";

impl Scene {
    async fn front(&self) -> String {
        self.get("/").send().await.unwrap().text().await.unwrap()
    }

    /// Ada administers Acme.
    fn acme(&self) {
        self.linkedin.world(|world| {
            world.organizations.push(Organization::new(1, "Acme"));
            world.assign("ada", 1, Role::Administrator);
        });
    }

    async fn press(&self, path: &str, form: &[(&str, &str)]) {
        let response = self.submit(path, form).await;
        assert_eq!(response.status(), 303);
        assert_eq!(response.headers()["location"], "/");
    }

    async fn status(&self, token: &secrecy::SecretString) -> u16 {
        let response = self.call(token, ROLES).send().await.unwrap();
        response.status().as_u16()
    }
}

#[tokio::test]
async fn the_page_says_what_it_is_and_shows_members_their_pages_and_the_calls() {
    let scene = scene().await;
    scene.acme();
    scene.json(&scene.ada(), ROLES).await;

    let page = scene.front().await;

    for text in [
        "stand-in, not LinkedIn",
        "Ada Lovelace",
        "1 of 1 tokens are good",
        "Acme",
        "ADMINISTRATOR",
        "/rest/organizationAcls?q=roleAssignee&amp;state=APPROVED",
    ] {
        assert!(page.contains(text), "{text}");
    }
}

#[tokio::test]
async fn a_button_takes_a_page_away_and_gives_it_back() {
    let scene = scene().await;
    scene.acme();
    let token = scene.ada();
    let mut listed = Vec::new();
    for state in ["REVOKED", "APPROVED"] {
        let form = [("member", "ada"), ("organization", "1"), ("state", state)];

        scene.press("/change/role", &form).await;

        let roles = scene.json(&token, ROLES).await;
        listed.push(roles["elements"].as_array().unwrap().len());
    }

    assert_eq!(listed, [0, 1]);
}

#[tokio::test]
async fn a_button_renames_a_page() {
    let scene = scene().await;
    scene.acme();

    let form = [("organization", "1"), ("name", "Acme & Sons")];
    scene.press("/change/name", &form).await;

    assert!(scene.front().await.contains("Acme &amp; Sons"));
}

#[tokio::test]
async fn buttons_spoil_the_tokens_of_a_member() {
    for (r#become, code) in [("revoked", 65601), ("expired", 65602)] {
        let scene = scene().await;
        let token = scene.ada();

        let form = [("member", "ada"), ("become", r#become)];
        scene.press("/change/tokens", &form).await;

        let response = scene.call(&token, ROLES).send().await.unwrap();
        let body: serde_json::Value = response.json().await.unwrap();
        assert_eq!(body["serviceErrorCode"], code);
        assert!(scene.front().await.contains("0 of 1 tokens are good"));
    }
}

#[tokio::test]
async fn a_fault_is_chosen_shown_met_and_cleared() {
    let scene = scene().await;
    let token = scene.ada();
    let form = [
        ("fault", "429: throttled, retry after 30 s"),
        ("member", "ada"),
        ("path", "/rest/organizationAcls"),
        ("times", ""),
        ("from_start", "0"),
    ];

    scene.press("/faults/add", &form).await;
    let shown = scene.front().await;
    let spoilt = scene.status(&token).await;
    scene.press("/faults/clear", &[]).await;
    let healed = scene.status(&token).await;

    assert!(shown.contains("retry after 30 s: /rest/organizationAcls by ada"));
    assert_eq!([spoilt, healed], [429, 200]);
}

#[tokio::test]
async fn clearing_the_faults_lets_hanging_calls_go_on() {
    let scene = scene().await;
    let token = scene.ada();
    scene
        .linkedin
        .world(|world| world.fail(Fault::Hang, When::always()));
    let hangs = stand_in_linkedin::Endpoint::OrganizationAcls;

    let (status, ()) = tokio::join!(scene.status(&token), async {
        scene.linkedin.called(hangs, 1).await;
        scene.press("/faults/clear", &[]).await;
    });

    assert_eq!(status, 200);
}

#[tokio::test]
async fn every_example_can_be_told_apart() {
    let mut names: Vec<_> = Fault::examples().iter().map(ToString::to_string).collect();
    let all = names.len();

    names.sort();
    names.dedup();

    assert_eq!(names.len(), all);
}
