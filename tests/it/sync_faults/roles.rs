//! Lists that hold more than pages to post to.

use serde_json::json;
use stand_in_linkedin::{Kind, Role, RoleState, UrnKey, World};

use super::{
    rows::{Row, UNAVAILABLE, complete, healthy, json, list, role, world},
    scene::Stage,
};

pub(super) fn rows(_: &Stage) -> Vec<Row> {
    let acme = |state: RoleState| move |world: &mut World| world.set_state("ada", 1, state);
    let listed = |state: &str, role_of_acme: &str| {
        let mut acme = role(1);
        acme["state"] = json!(state);
        acme["role"] = json!(role_of_acme);
        json(json!({ "elements": [acme, role(4)], "paging": { "start": 0, "count": 100 } }))
    };
    let fresh = || complete(["Fresh"]);
    let not_approved = || fresh().skipping([("1", "ROLE_NOT_APPROVED")]);
    let may_not = || fresh().skipping([("1", "ROLE_MAY_NOT_POST")]);
    let held = |role: Role| {
        move |world: &mut World| {
            world.assignments.retain(|row| row.organization != 1);
            world.assign("ada", 1, role.clone());
        }
    };
    let thrice = |world: &mut World| {
        world.assign("ada", 1, Role::Analyst);
        world.assign("ada", 1, Role::ContentAdministrator);
        world.assign("ada", 4, Role::Curator);
    };
    let keyed = |key: UrnKey| move |world: &mut World| world.listing.urn_key = key;
    let showcase = |world: &mut World| world.organizations[0].kind = Kind::Showcase;
    vec![
        world("requested", acme(RoleState::Requested), fresh()),
        world("rejected", acme(RoleState::Rejected), fresh()),
        world("revoked", acme(RoleState::Revoked), fresh()),
        list(
            "requested, and listed all the same",
            listed("REQUESTED", "ADMINISTRATOR"),
            not_approved(),
        ),
        list(
            "rejected, and listed all the same",
            listed("REJECTED", "ADMINISTRATOR"),
            not_approved(),
        ),
        list(
            "revoked, and listed all the same",
            listed("REVOKED", "ADMINISTRATOR"),
            not_approved(),
        ),
        list(
            "a state of the future",
            listed("PENDING_2FA", "ADMINISTRATOR"),
            not_approved(),
        ),
        list(
            "a state in small letters",
            listed("approved", "ADMINISTRATOR"),
            not_approved(),
        ),
        list(
            "a role of the future",
            listed("APPROVED", "OVERLORD"),
            may_not(),
        ),
        world("an analyst", held(Role::Analyst), may_not()),
        world(
            "a poster of adverts",
            held(Role::DirectSponsoredContentPoster),
            may_not(),
        ),
        world(
            "a content administrator",
            held(Role::ContentAdministrator),
            healthy(),
        ),
        world("several roles on one page", thrice, healthy()),
        world(
            "organizationTarget",
            keyed(UrnKey::OrganizationTarget),
            healthy(),
        ),
        world(
            "organizationalTarget",
            keyed(UrnKey::OrganizationalTarget),
            healthy(),
        ),
        world("no URN at all", keyed(UrnKey::Absent), UNAVAILABLE),
        world("a showcase", showcase, healthy()),
    ]
}
