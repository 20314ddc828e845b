//! Names and logos that are refused, lost, or strange: no reason to lose a page.

use reqwest::StatusCode;
use serde_json::{Value, json};
use stand_in_linkedin::{Endpoint, Fault, Logo, Role, Visibility, When, World};

use super::{
    rows::{REVOKED, Row, SUNSET, Then, at, body, complete, healthy, json, world},
    scene::Stage,
};

const NAMES: Endpoint = Endpoint::Organizations;
const LOGOS: Endpoint = Endpoint::Images;

pub(super) fn rows(_: &Stage) -> Vec<Row> {
    [names(), strange_names(), logos()]
        .into_iter()
        .flatten()
        .collect()
}

/// Nobody tells names: what is known stays, what is new is called by its number.
pub(super) fn nameless() -> Then {
    complete(["Acme", "Organization 4"])
}

/// A fault wherever names are told.
pub(super) fn untold(name: &'static str, fault: Fault, then: Then) -> Row {
    let fail = move |world: &mut World| {
        for endpoint in [NAMES, Endpoint::OrganizationsLookup] {
            world.fail(fault.clone(), When::always().at(endpoint));
        }
    };
    world(name, fail, then)
}

fn seen(visibility: Visibility) -> impl Fn(&mut World) {
    move |world| world.organizations[0].visibility = visibility
}

fn names() -> Vec<Row> {
    let status = |status: u16| Fault::Status(StatusCode::from_u16(status).unwrap());
    let throttled = || Fault::Throttled {
        retry_after: Some(3_600),
    };
    let gone = complete(["Fresh"]).skipping([("1", "PAGE_GONE")]);
    vec![
        at("names fail with 500", NAMES, status(500), healthy()),
        at("names fail with 403", NAMES, Fault::AccessDenied, healthy()),
        at("names are cut off", NAMES, Fault::Truncated, healthy()),
        at("names of wrong types", NAMES, Fault::WrongTypes, healthy()),
        at("names are throttled", NAMES, throttled(), healthy()),
        at(
            "a revoked token at the names",
            NAMES,
            Fault::RevokedToken,
            REVOKED,
        ),
        at("426 at the names", NAMES, Fault::VersionSunset, SUNSET),
        world(
            "403 for one page in the batch",
            seen(Visibility::Refused),
            healthy(),
        ),
        world(
            "404 for one page in the batch",
            seen(Visibility::Missing),
            gone,
        ),
        untold("no names, 500", status(500), nameless()),
        untold("no names, throttled", throttled(), nameless()),
        untold(
            "no names, a web page",
            Fault::Html(StatusCode::OK),
            nameless(),
        ),
        untold(
            "no names, an answer without end",
            Fault::Endless,
            nameless(),
        ),
    ]
}

fn strange_names() -> Vec<Row> {
    let told = |acme: Value| {
        let fresh = json!({ "localizedName": "Fresh" });
        json(json!({ "results": { "1": acme, "4": fresh, "77": fresh }, "errors": {} }))
    };
    let name = |name: Value| told(json!({ "localizedName": name, "logoV2": null }));
    let long = "Acme".repeat(20_000);
    let known = || complete(["Acme", "Fresh"]);
    let deep = format!(r#"{{"results":{{"1":{}"#, "[".repeat(100_000));
    let analyst = |world: &mut World| {
        world.assignments.retain(|row| row.organization != 1);
        world.assign("ada", 1, Role::Analyst);
        world.organizations[0].name = "Ac\0me".to_owned();
        world.organizations[0].visibility = Visibility::Refused;
    };
    vec![
        untold("a name that is missing", told(json!({ "id": 1 })), known()),
        untold("a name that is null", name(json!(null)), known()),
        untold("a name that is a number", name(json!(7)), known()),
        untold("a name of blanks", name(json!(" \u{a0}\n")), known()),
        untold("a name of nothing but NUL", name(json!("\0")), known()),
        untold("a name with NUL", name(json!("Ac\0me Corp")), healthy()),
        untold(
            "a very long name",
            name(json!(long)),
            complete([&long, "Fresh"]),
        ),
        untold("a page that is null", told(json!(null)), known()),
        untold("no results", json(json!({ "errors": {} })), nameless()),
        untold(
            "results that are null",
            json(json!({ "results": null })),
            nameless(),
        ),
        untold(
            "results as a list",
            json(json!({ "results": [] })),
            nameless(),
        ),
        untold("deep JSON for a name", body(deep), nameless()),
        untold(
            "errors that are none",
            json(json!({ "results": {}, "errors": { "1": "gone", "4": { "status": "404" } } })),
            nameless(),
        ),
        world(
            "a name with NUL on a page that is skipped",
            analyst,
            complete(["Fresh"]).skipping([("1", "ROLE_MAY_NOT_POST")]),
        ),
    ]
}

fn logos() -> Vec<Row> {
    /// Acme has a logo, and LinkedIn says this about it.
    fn told(name: &'static str, fault: Fault) -> Row {
        let fail = move |world: &mut World| {
            world.organizations[0].logo = Some(Logo {
                asset: "C4D".to_owned(),
                available: true,
            });
            world.fail(fault.clone(), When::always().at(LOGOS));
        };
        world(name, fail, healthy())
    }
    let image =
        |url: &str| json(json!({ "results": { "urn:li:image:C4D": { "downloadUrl": url } } }));
    vec![
        told(
            "logos fail with 500",
            Fault::Status(StatusCode::INTERNAL_SERVER_ERROR),
        ),
        told("logos fail with 401", Fault::RevokedToken),
        told(
            "logos are throttled",
            Fault::Throttled { retry_after: None },
        ),
        told("logos are garbage", Fault::Garbage),
        told("logos without end", Fault::Endless),
        told("a script for a logo", image("javascript:alert(1)")),
        told("a URN for a logo", image("urn:li:image:C4D")),
        told("a logo that is nothing", image("")),
    ]
}
