//! Lists of roles that break off or lead nowhere.

use reqwest::StatusCode;
use serde_json::{Value, json};
use stand_in_linkedin::{Endpoint, Fault, Total, When, World};

use super::{
    rows::{
        DENIED, REVOKED, Row, SUNSET, UNAVAILABLE, answer, body, complete, healthy, incomplete,
        json, list, role, second, synced, throttled, world,
    },
    scene::Stage,
};
use crate::support::member::administers;

pub(super) fn rows(stage: &Stage) -> Vec<Row> {
    [interrupted(), links(&stage.elsewhere()), counts()]
        .into_iter()
        .flatten()
        .collect()
}

/// What was seen before the fault: Acme. Of the Bakery nobody knows.
fn first_part() -> super::rows::Then {
    incomplete(["Acme Corp", "Bakery"])
}

fn interrupted() -> Vec<Row> {
    let silence = |world: &mut World| {
        world.listing.max_count = 1;
        let more = When::always().at(Endpoint::OrganizationAcls).from_start(1);
        let names = When::always().at(Endpoint::Organizations);
        let public_names = When::always().at(Endpoint::OrganizationsLookup);
        for when in [more, names, public_names] {
            world.fail(Fault::Hang, when);
        }
    };
    let number = |number: u64| json(json!({ "elements": [{ "organization": number }] }));
    vec![
        second(
            "then 500",
            Fault::Status(StatusCode::INTERNAL_SERVER_ERROR),
            first_part(),
        ),
        second(
            "then 404",
            Fault::Status(StatusCode::NOT_FOUND),
            first_part(),
        ),
        second(
            "then 400",
            Fault::Status(StatusCode::BAD_REQUEST),
            first_part(),
        ),
        second("then a web page", Fault::Html(StatusCode::OK), first_part()),
        second("then garbage", Fault::Garbage, first_part()),
        second("then half an answer", Fault::Truncated, first_part()),
        second("then a lost connection", Fault::Reset, first_part()),
        world(
            "then silence about everything",
            silence,
            incomplete(["Acme", "Bakery"]),
        )
        .hasty(),
        second("then an answer without end", Fault::Endless, first_part()),
        second("then numbers for names", number(4), first_part()),
        second("then nothing", body(""), first_part()),
        second(
            "then a redirect",
            Fault::Redirect("http://elsewhere.invalid/".to_owned()),
            first_part(),
        ),
        second(
            "then 429",
            Fault::Throttled {
                retry_after: Some(60),
            },
            throttled(Some(60)),
        ),
        second("then a revoked token", Fault::RevokedToken, REVOKED),
        second("then a missing scope", Fault::AccessDenied, DENIED),
        second("then 426", Fault::VersionSunset, SUNSET),
    ]
}

fn links(elsewhere: &str) -> Vec<Row> {
    let linked = |elements: Vec<Value>, href: &str| {
        json(
            json!({ "elements": elements, "paging": { "links": [{ "rel": "next", "href": href }] } }),
        )
    };
    let here =
        |start: usize| format!("/rest/organizationAcls?q=roleAssignee&start={start}&count=1");
    let abroad = elsewhere.to_owned();
    let elsewhere = move |world: &mut World| {
        let once = When::always().times(1);
        world.fail(linked(vec![role(1)], &abroad), once);
    };
    vec![
        list(
            "a link to the same place",
            linked(vec![role(1)], &here(0)),
            first_part(),
        ),
        list(
            "links without end",
            linked(vec![role(1)], "?"),
            first_part(),
        ),
        list(
            "links without end, and nothing there",
            linked(vec![], &here(1)),
            incomplete(["Acme", "Bakery"]),
        ),
        list(
            "a link that is no address",
            linked(vec![], "\u{0}"),
            incomplete(["Acme", "Bakery"]),
        ),
        list(
            "a link beyond all numbers",
            linked(vec![], "?start=99999999999999999999"),
            incomplete(["Acme", "Bakery"]),
        ),
        list(
            "a link far away",
            linked(vec![], &here(usize::MAX)),
            incomplete(["Acme", "Bakery"]),
        ),
        world("a link elsewhere", elsewhere, healthy()),
    ]
}

fn counts() -> Vec<Row> {
    let part = |elements: Vec<Value>, paging: Value| {
        json(json!({ "elements": elements, "paging": paging }))
    };
    let pages = |world: &mut World| {
        world.organizations.clear();
        world.assignments.clear();
        for number in 1..=5_000 {
            administers(world, "ada", number, &format!("Page {number:04}"));
        }
    };
    let five_hundred = (1..=500).map(|number| format!("Page {number:04}"));
    let five_hundred = five_hundred.collect();
    let untold = |world: &mut World| {
        let at = |start| {
            When::always()
                .at(Endpoint::OrganizationAcls)
                .from_start(start)
        };
        world.fail(json(json!({ "elements": [] })), at(2));
        world.fail(json(json!({ "elements": [role(1), role(4)] })), at(0));
    };
    let clamped = |links: bool, total: Total| {
        move |world: &mut World| {
            world.listing.max_count = 1;
            world.listing.links = links;
            world.listing.total = total;
        }
    };
    vec![
        world(
            "one at a time, with links",
            clamped(true, Total::Absent),
            healthy(),
        ),
        world(
            "one at a time, without links",
            clamped(false, Total::Absent),
            healthy(),
        ),
        world(
            "one at a time, and a total of 0",
            clamped(false, Total::Zero),
            healthy(),
        ),
        world("five thousand pages", pages, synced(false, five_hundred)),
        list(
            "nobody says that this is all",
            json(json!({ "elements": [role(1), role(4)] })),
            incomplete(["Acme Corp", "Bakery", "Fresh"]),
        ),
        world("nobody says that this is all, and it is", untold, healthy()),
        list(
            "nothing, of fifty",
            part(vec![], json!({ "start": 0, "count": 100, "total": 50 })),
            incomplete(["Acme", "Bakery"]),
        ),
        list(
            "another part than asked for",
            part(vec![role(1)], json!({ "start": 10, "count": 100 })),
            first_part(),
        ),
        list(
            "the same part again and again",
            part(vec![role(1)], json!({ "count": 1 })),
            first_part(),
        ),
        list(
            "a count of 0",
            part(vec![role(1)], json!({ "count": 0 })),
            first_part(),
        ),
        list(
            "paging that is null",
            json(json!({ "elements": [role(1)], "paging": null })),
            UNAVAILABLE,
        ),
        list(
            "links that are null",
            part(vec![role(1)], json!({ "links": null })),
            UNAVAILABLE,
        ),
        list(
            "nothing, and that is all",
            part(vec![], json!({ "start": 0, "count": 100, "links": [] })),
            complete([]),
        ),
        list(
            "a total beyond all numbers",
            answer(
                StatusCode::OK,
                [],
                r#"{"elements":[],"paging":{"total":99999999999999999999}}"#,
            ),
            UNAVAILABLE,
        ),
    ]
}
