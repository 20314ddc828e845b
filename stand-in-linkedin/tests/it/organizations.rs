use serde_json::json;
use stand_in_linkedin::{Kind, Logo, Organization, Role, RoleState, StandIn, Visibility};

use crate::support::{outcome, scene};

/// Ada administers 1, 2 and 3, and writes for 4; 2 is refused to her all the same, and 3 is gone.
fn pages(linkedin: &StandIn) {
    linkedin.world(|world| {
        world.organizations = vec![
            Organization {
                logo: Some(Logo {
                    asset: "C4D".to_owned(),
                    available: true,
                }),
                ..Organization::new(1, "Acme Inc")
            },
            Organization {
                visibility: Visibility::Refused,
                ..Organization::new(2, "Beta")
            },
            Organization {
                visibility: Visibility::Missing,
                ..Organization::new(3, "Gone")
            },
            Organization {
                kind: Kind::Showcase,
                ..Organization::new(4, "Show")
            },
        ];
        for number in 1..=3 {
            world.assign("ada", number, Role::Administrator);
        }
        world.assign("ada", 4, Role::ContentAdministrator);
    });
}

#[tokio::test]
async fn pages_that_the_member_may_not_see_do_not_fail_the_batch() {
    let scene = scene().await;
    pages(&scene.linkedin);
    let token = scene.ada();

    let answer = scene
        .json(&token, "/rest/organizations?ids=List(1,2,3,4,5)")
        .await;

    assert_eq!(
        answer["statuses"],
        json!({ "1": 200, "2": 403, "3": 404, "4": 403, "5": 404 })
    );
    let names: Vec<_> = answer["results"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["1"]);
    let acme = &answer["results"]["1"];
    assert_eq!(acme["id"], 1);
    assert_eq!(acme["localizedName"], "Acme Inc");
    assert_eq!(acme["vanityName"], "acme-inc");
    assert_eq!(acme["logoV2"]["original"], "urn:li:digitalmediaAsset:C4D");
    let refused = &answer["errors"]["4"];
    assert_eq!(refused["status"], 403);
    assert!(refused["message"].as_str().unwrap().contains("ADMIN_ONLY"));
    assert_eq!(answer["errors"]["3"]["status"], 404);
}

#[tokio::test]
async fn the_lookup_tells_everybody_the_public_part_of_every_page() {
    let scene = scene().await;
    pages(&scene.linkedin);
    let token = scene.ada();

    let answer = scene
        .json(&token, "/rest/organizationsLookup?ids=List(2,3,4)")
        .await;

    assert_eq!(answer["statuses"], json!({ "2": 200, "3": 404, "4": 200 }));
    assert_eq!(answer["results"]["2"]["localizedName"], "Beta");
    assert_eq!(answer["results"]["4"]["primaryOrganizationType"], "BRAND");
}

#[tokio::test]
async fn who_lost_the_role_may_not_read_the_page() {
    let scene = scene().await;
    pages(&scene.linkedin);
    let token = scene.ada();

    scene
        .linkedin
        .world(|world| world.set_state("ada", 1, RoleState::Revoked));
    let answer = scene.json(&token, "/rest/organizations?ids=List(1)").await;

    assert_eq!(answer["statuses"], json!({ "1": 403 }));
}

#[tokio::test]
async fn a_renamed_page_has_its_new_name_at_once() {
    let scene = scene().await;
    pages(&scene.linkedin);
    let token = scene.ada();

    scene
        .linkedin
        .world(|world| world.rename(1, "Acme Limited"));
    let answer = scene.json(&token, "/rest/organizations?ids=List(1)").await;

    assert_eq!(answer["results"]["1"]["localizedName"], "Acme Limited");
}

#[tokio::test]
async fn a_list_must_be_encoded_as_rest_li_has_it() {
    let scene = scene().await;
    let token = scene.ada();
    for query in [
        "",
        "ids=1,2",
        "ids=List()",
        "ids=List(1",
        "ids=List%281%29",
        "ids=List(1,(2))",
        "ids=List(1%2C2)",
        "ids=List(urn%3Ali%3Aorganization%3A1)",
    ] {
        let path = format!("/rest/organizations?{query}");
        let answer = outcome(scene.call(&token, &path).send().await.unwrap()).await;

        assert_eq!(answer.0, 400, "{query}");
        assert_eq!(answer.1["code"], "PARAM_INVALID", "{query}");
    }
}

#[tokio::test]
async fn a_query_of_more_than_four_kilobytes_is_too_long() {
    let scene = scene().await;
    let token = scene.ada();
    let path = |length: usize| {
        let digits = length - "ids=List(1,)".len();
        format!("/rest/organizations?ids=List(1,{:0>digits$})", 2)
    };

    let longest = scene.call(&token, &path(4096)).send().await.unwrap();
    let too_long = scene.call(&token, &path(4097)).send().await.unwrap();

    assert_eq!(longest.status(), 200);
    assert_eq!(too_long.status(), 414);
}
