use secrecy::SecretString;
use serde_json::{Value, json};
use stand_in_linkedin::{
    Endpoint, Kind, Listing, Organization, Role, RoleState, StandIn, Total, UrnKey,
};

use crate::support::{Scene, outcome, scene};

const APPROVED: &str = "/rest/organizationAcls?q=roleAssignee&state=APPROVED";

/// Ada administers pages 1 to `count`.
fn pages(linkedin: &StandIn, count: u64) {
    linkedin.world(|world| {
        for number in 1..=count {
            let page = Organization::new(number, &format!("Page {number}"));
            world.organizations.push(page);
            world.assign("ada", number, Role::Administrator);
        }
    });
}

impl Scene {
    /// Follows the links, and returns the start, count and number of elements of each listing.
    async fn walk(&self, token: &SecretString, first: &str) -> Vec<(u64, u64, usize)> {
        let mut seen = Vec::new();
        let mut path = Some(first.to_owned());
        while let Some(here) = path {
            let answer = self.json(token, &here).await;
            let paging = &answer["paging"];
            seen.push((
                paging["start"].as_u64().unwrap(),
                paging["count"].as_u64().unwrap(),
                answer["elements"].as_array().unwrap().len(),
            ));
            let links = paging["links"].as_array().unwrap();
            let next = links.iter().find(|link| link["rel"] == "next");
            path = next.map(|link| link["href"].as_str().unwrap().to_owned());
        }
        seen
    }

    async fn roles(&self, token: &SecretString, path: &str) -> Vec<(Value, Value)> {
        let mut answer = self.json(token, path).await;
        let elements = answer["elements"].as_array_mut().unwrap();
        elements
            .iter_mut()
            .map(|row| (row["organization"].take(), row["role"].take()))
            .collect()
    }
}

#[tokio::test]
async fn a_role_names_its_page_its_member_and_its_state() {
    let scene = scene().await;
    pages(&scene.linkedin, 1);
    let token = scene.ada();

    let answer = scene.json(&token, APPROVED).await;

    assert_eq!(
        answer,
        json!({
            "elements": [{
                "organization": "urn:li:organization:1", "roleAssignee": "urn:li:person:ada",
                "role": "ADMINISTRATOR", "state": "APPROVED",
            }],
            "paging": { "start": 0, "count": 10, "links": [] },
        })
    );
}

#[tokio::test]
async fn roles_are_listed_ten_at_a_time_unless_more_are_asked_for_and_never_more_than_the_most() {
    let scene = scene().await;
    pages(&scene.linkedin, 23);
    let token = scene.ada();

    let tens = scene.walk(&token, APPROVED).await;
    let fifteens = scene.walk(&token, &format!("{APPROVED}&count=15")).await;
    scene.linkedin.world(|world| world.listing.max_count = 20);
    let clamped = scene.walk(&token, &format!("{APPROVED}&count=500")).await;

    assert_eq!(tens, [(0, 10, 10), (10, 10, 10), (20, 10, 3)]);
    assert_eq!(fifteens, [(0, 15, 15), (15, 15, 8)]);
    assert_eq!(clamped, [(0, 20, 20), (20, 20, 3)]);
}

#[tokio::test]
async fn a_full_last_listing_has_no_next_link() {
    let scene = scene().await;
    pages(&scene.linkedin, 20);
    let token = scene.ada();

    let walk = scene.walk(&token, APPROVED).await;

    assert_eq!(walk, [(0, 10, 10), (10, 10, 10)]);
    assert_eq!(scene.linkedin.calls_to(Endpoint::OrganizationAcls), 2);
    assert_eq!(
        scene.linkedin.calls()[1].query,
        "q=roleAssignee&state=APPROVED&start=10&count=10"
    );
}

#[tokio::test]
async fn links_may_be_missing_and_the_total_absent_nought_or_right() {
    let scene = scene().await;
    pages(&scene.linkedin, 11);
    let token = scene.ada();
    let mut totals = Vec::new();
    for total in [Total::Absent, Total::Zero, Total::Exact] {
        scene.linkedin.world(|world| {
            world.listing = Listing {
                total,
                links: false,
                ..Listing::default()
            };
        });

        let answer = scene.json(&token, APPROVED).await;

        assert_eq!(answer["paging"]["links"], json!([]));
        totals.push(answer["paging"].get("total").cloned());
    }

    assert_eq!(totals, [None, Some(json!(0)), Some(json!(11))]);
}

#[tokio::test]
async fn a_role_names_its_page_under_any_of_three_keys_or_not_at_all() {
    let scene = scene().await;
    pages(&scene.linkedin, 1);
    let token = scene.ada();
    let keys = [
        (UrnKey::Organization, Some("organization")),
        (UrnKey::OrganizationTarget, Some("organizationTarget")),
        (UrnKey::OrganizationalTarget, Some("organizationalTarget")),
        (UrnKey::Absent, None),
    ];
    for (urn_key, name) in keys {
        scene
            .linkedin
            .world(|world| world.listing.urn_key = urn_key);

        let answer = scene.json(&token, APPROVED).await;

        let row = answer["elements"][0].as_object().unwrap();
        let named = row
            .iter()
            .find(|(_, value)| **value == "urn:li:organization:1");
        assert_eq!(named.map(|(key, _)| key.as_str()), name);
    }
}

#[tokio::test]
async fn rows_are_one_for_each_role_and_filtered_by_state_and_role() {
    let scene = scene().await;
    pages(&scene.linkedin, 3);
    scene.linkedin.world(|world| {
        world.organizations[1].kind = Kind::Showcase;
        world.assign("ada", 2, Role::Analyst);
        world.assign("bob", 2, Role::Administrator);
        world.set_state("ada", 3, RoleState::Requested);
    });
    let token = scene.ada();
    let row = |urn: &str, role: &str| (json!(urn), json!(role));

    let approved = scene.roles(&token, APPROVED).await;
    let analyst = scene
        .roles(&token, &format!("{APPROVED}&role=ANALYST"))
        .await;
    let all = scene
        .roles(&token, "/rest/organizationAcls?q=roleAssignee")
        .await;

    let one = row("urn:li:organization:1", "ADMINISTRATOR");
    let two = row("urn:li:organizationBrand:2", "ADMINISTRATOR");
    let two_again = row("urn:li:organizationBrand:2", "ANALYST");
    let three = row("urn:li:organization:3", "ADMINISTRATOR");
    assert_eq!(approved, [one.clone(), two.clone(), two_again.clone()]);
    assert_eq!(analyst, std::slice::from_ref(&two_again));
    assert_eq!(all, [one, two, three, two_again]);
}

#[tokio::test]
async fn a_page_can_be_lost_and_given_back() {
    let scene = scene().await;
    pages(&scene.linkedin, 1);
    let token = scene.ada();

    scene
        .linkedin
        .world(|world| world.set_state("ada", 1, RoleState::Revoked));
    let lost = scene.roles(&token, APPROVED).await;
    scene
        .linkedin
        .world(|world| world.assign("ada", 1, Role::Administrator));
    let back = scene.roles(&token, APPROVED).await;

    assert_eq!(lost, []);
    assert_eq!(back.len(), 1);
}

#[tokio::test]
async fn a_query_with_anything_unknown_is_refused() {
    let scene = scene().await;
    let token = scene.ada();
    for (query, code) in [
        ("", "PARAM_INVALID"),
        ("q=organization", "PARAM_INVALID"),
        ("q=roleAssignee&q=roleAssignee", "PARAM_INVALID"),
        ("q=roleAssignee&state=GOOD", "PARAM_INVALID"),
        ("q=roleAssignee&count=0", "PARAM_INVALID"),
        ("q=roleAssignee&start=-1", "PARAM_INVALID"),
        (
            "q=roleAssignee&projection=(elements)",
            "QUERY_PARAM_NOT_ALLOWED",
        ),
    ] {
        let path = format!("/rest/organizationAcls?{query}");
        let answer = outcome(scene.call(&token, &path).send().await.unwrap()).await;

        assert_eq!(
            (answer.0, &answer.1["code"]),
            (400, &json!(code)),
            "{query}"
        );
    }
}
