use chrono::TimeDelta;
use serde_json::json;
use stand_in_linkedin::{Logo, Organization, StandIn};

use crate::support::{outcome, scene};

fn logos(linkedin: &StandIn) {
    let page = |number, asset: &str, available| Organization {
        logo: Some(Logo {
            asset: asset.to_owned(),
            available,
        }),
        ..Organization::new(number, "Acme")
    };
    linkedin.world(|world| {
        world.organizations = vec![page(1, "C4D", true), page(2, "C5E", false)];
    });
}

#[tokio::test]
async fn images_are_named_by_urn_with_an_address_once_they_are_ready() {
    let scene = scene().await;
    logos(&scene.linkedin);
    let token = scene.ada();
    let (ready, unready, unknown) = ("urn:li:image:C4D", "urn:li:image:C5E", "urn:li:image:X");

    let path =
        "/rest/images?ids=List(urn%3Ali%3Aimage%3AC4D,urn%3Ali%3Aimage%3AC5E,urn%3Ali%3Aimage%3AX)";
    let answer = scene.json(&token, path).await;

    assert_eq!(
        answer["statuses"],
        json!({ ready: 200, unready: 200, unknown: 404 })
    );
    assert_eq!(
        answer["results"],
        json!({
            ready: {
                "id": ready, "status": "AVAILABLE",
                "downloadUrl": scene.url("/media/C4D?expires=1784116800000"),
                "downloadUrlExpiresAt": 1_784_116_800_000_u64,
            },
            unready: { "id": unready, "status": "PROCESSING" },
        })
    );
}

#[tokio::test]
async fn an_address_of_an_image_expires() {
    let scene = scene().await;
    logos(&scene.linkedin);
    let token = scene.ada();
    let answer = scene
        .json(&token, "/rest/images?ids=List(urn%3Ali%3Aimage%3AC4D)")
        .await;
    let image = &answer["results"]["urn:li:image:C4D"];
    let address = image["downloadUrl"].as_str().unwrap();

    let now = scene.get(address).send().await.unwrap();
    scene.pass(TimeDelta::days(14));
    let later = scene.get(address).send().await.unwrap();

    assert_eq!(now.status(), 200);
    assert_eq!(now.headers()["content-type"], "image/svg+xml");
    assert_eq!(later.status(), 403);
}

#[tokio::test]
async fn only_encoded_image_urns_are_taken() {
    let scene = scene().await;
    logos(&scene.linkedin);
    let token = scene.ada();
    for ids in [
        "urn:li:image:C4D",
        "C4D",
        "urn%3Ali%3AdigitalmediaAsset%3AC4D",
    ] {
        let path = format!("/rest/images?ids=List({ids})");
        let answer = outcome(scene.call(&token, &path).send().await.unwrap()).await;

        assert_eq!(answer.0, 400, "{ids}");
    }
}
