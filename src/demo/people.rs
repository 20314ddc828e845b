//! The people of the demo: one for each case that a client must handle.

use chrono::TimeDelta;
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, Set, TransactionTrait};
use serde_json::{Value, json};

use super::World;
use crate::{
    app::App,
    storage::entity::{org_credential, personal_page},
};

const ALL_SCOPES: &str =
    "openid profile email w_member_social rw_organization_admin w_organization_social";
const MEMBER_SCOPES: &str = "openid profile email w_member_social";

/// Adds everybody, or nobody.
pub(super) async fn add(app: &App) -> Result<(), DbErr> {
    let transaction = app.db.writers().begin().await?;
    add_all(&World {
        db: &transaction,
        ids: &app.ids,
        now: app.clock.now(),
    })
    .await?;
    transaction.commit().await
}

async fn add_all<Db: ConnectionTrait>(world: &World<'_, Db>) -> Result<(), DbErr> {
    let alice = signed_in(
        world,
        "alice",
        "all three kinds, a page reachable both ways, a removed one; never saved",
    )
    .await?;
    let acme = world.organization("Acme", &alice).await?;
    let acme_corp = world.org_page(&acme, "12345678", "Acme Corp").await?;
    let acme_labs = world.org_page(&acme, "12345679", "Acme Labs").await?;
    let globex = world.organization("Globex", &alice).await?;
    let globex_page = world
        .org_page(&globex, "55555555", "Globex, disconnected")
        .await?;
    let disconnected = Set(Some(world.now));
    let globex = org_credential::ActiveModel {
        id: Set(globex),
        disconnected_at: disconnected,
        ..Default::default()
    };
    globex.update(world.db).await?;
    for page in [&acme_corp, &acme_labs, &globex_page] {
        world.assign(page, &alice).await?;
    }
    let own = world
        .identity(
            &alice,
            Some("Alice Example"),
            connection(world, ALL_SCOPES, 50),
        )
        .await?;
    world
        .personal_page(&own, "87654321", "Alice's Studio")
        .await?;
    world.personal_page(&own, "12345678", "Acme Corp").await?;
    let bakery = Set(world
        .personal_page(&own, "99999999", "Alice's closed bakery")
        .await?);
    let bakery = personal_page::ActiveModel {
        id: bakery,
        removed_at: Set(Some(world.now)),
        ..Default::default()
    };
    bakery.update(world.db).await?;

    let bob = signed_in(
        world,
        "bob",
        "saved: his own account and one page are enabled, the rest is not",
    )
    .await?;
    world.assign(&acme_corp, &bob).await?;
    let own = world
        .identity(&bob, Some("Bob Example"), connection(world, ALL_SCOPES, 20))
        .await?;
    let workshop = world
        .personal_page(&own, "24680246", "Bob's Workshop")
        .await?;
    world.personal_page(&own, "13579135", "Bob's Band").await?;
    world.preference(&bob, "personal", None, None).await?;
    world
        .preference(&bob, "personalPage", None, Some(&workshop))
        .await?;

    let carol = signed_in(world, "carol", "saved an empty set: nothing is enabled").await?;
    world.assign(&acme_labs, &carol).await?;
    world
        .identity(
            &carol,
            Some("Carol Example"),
            connection(world, ALL_SCOPES, 30),
        )
        .await?;
    world.preference(&carol, "none", None, None).await?;

    signed_in(world, "dave", "nothing linked, nothing assigned").await?;

    let erin = signed_in(
        world,
        "erin",
        "her own connection has expired; the organization's page stays",
    )
    .await?;
    world.assign(&acme_corp, &erin).await?;
    let own = world
        .identity(
            &erin,
            Some("Erin Example"),
            connection(world, ALL_SCOPES, -1),
        )
        .await?;
    world
        .personal_page(&own, "31415926", "Erin's Gallery")
        .await?;

    let frank = signed_in(
        world,
        "frank",
        "connected without the permission for company pages",
    )
    .await?;
    world
        .identity(
            &frank,
            Some("Frank Example"),
            connection(world, MEMBER_SCOPES, 40),
        )
        .await?;
    Ok(())
}

/// A user with a session, and what they are an example of.
async fn signed_in<Db: ConnectionTrait>(
    world: &World<'_, Db>,
    username: &str,
    case: &str,
) -> Result<String, DbErr> {
    let id = world.user(username, case).await?;
    world.session(&id, world.now + TimeDelta::days(30)).await?;
    Ok(id)
}

fn connection<Db>(world: &World<'_, Db>, scope: &str, days_left: i64) -> Option<Value> {
    let expires_at = world.now + TimeDelta::days(days_left);
    Some(json!({
        "access_token": "not a token",
        "expires_at": expires_at.format("%FT%T%.3fZ").to_string(),
        "scope": scope,
    }))
}
