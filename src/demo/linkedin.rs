//! The LinkedIn of the demo: a stand-in on this machine, in which the demo's people administer their pages.

use std::collections::HashMap;

use sea_orm::{ActiveModelTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, Set};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use stand_in_linkedin::{Application, Member, Organization, Role, RoleState, StandIn};

use url::Url;

use crate::{
    linkedin,
    storage::entity::{SecretJson, linked_identity, personal_page},
};

const CLIENT_ID: &str = "linkedin-targets-demo";

/// The demo, as it is registered at its LinkedIn.
pub(super) fn application(address: &Url) -> Result<linkedin::Application, url::ParseError> {
    Ok(linkedin::Application {
        client_id: CLIENT_ID.to_owned(),
        client_secret: SecretString::from("not a secret"),
        redirect_uri: address.join(linkedin::CALLBACK)?,
    })
}

/// Tells LinkedIn about everybody who has connected it, and gives each connection a token that works.
///
/// The stand-in forgets all when it ends, and the database may have been kept.
pub(super) async fn introduce(
    db: &DatabaseConnection,
    stand_in: &StandIn,
    application: &linkedin::Application,
) -> Result<(), DbErr> {
    stand_in.world(|world| {
        world.applications.push(Application::new(
            &application.client_id,
            application.client_secret.clone(),
            application.redirect_uri.as_str(),
        ));
    });
    let identities = linked_identity::Entity::find()
        .filter(linked_identity::COLUMN.provider.eq("linkedin"))
        .all(db)
        .await?;
    let mut pages = HashMap::<_, Vec<_>>::new();
    for page in personal_page::Entity::find().all(db).await? {
        pages
            .entry(page.identity_id.clone())
            .or_default()
            .push(page);
    }
    for identity in identities {
        let pages = pages.remove(&identity.id).unwrap_or_default();
        add_member(stand_in, &identity, pages);
        give_token(db, stand_in, identity).await?;
    }
    Ok(())
}

fn add_member(
    stand_in: &StandIn,
    identity: &linked_identity::Model,
    pages: Vec<personal_page::Model>,
) {
    let sub = identity.provider_user_id.as_str();
    let name = identity.provider_username.as_deref().unwrap_or("LinkedIn");
    stand_in.world(|world| {
        world.members.push(Member::new(sub, name));
        let known = pages.iter().filter_map(|page| {
            let number = page.linked_in_page_id.parse().ok()?;
            Some((number, page.page_name.clone(), page.removed_at))
        });
        // What no sync has found yet.
        let number = 700_000 + world.members.len() as u64;
        let unknown = [(number, format!("{name}: a page to discover"), None)];
        for (number, name, removed_at) in known.chain(unknown) {
            if world
                .organizations
                .iter()
                .all(|known| known.number != number)
            {
                world.organizations.push(Organization::new(number, &name));
            }
            world.assign(sub, number, Role::Administrator);
            if removed_at.is_some() {
                world.set_state(sub, number, RoleState::Revoked);
            }
        }
    });
}

async fn give_token(
    db: &DatabaseConnection,
    stand_in: &StandIn,
    identity: linked_identity::Model,
) -> Result<(), DbErr> {
    let Some(SecretJson(Value::Object(mut data))) = identity.provider_data else {
        return Ok(());
    };
    let scopes = data
        .get("scope")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let scopes = scopes.split([' ', ',']).filter(|scope| !scope.is_empty());
    let token = stand_in.grant_token(CLIENT_ID, &identity.provider_user_id, scopes);
    data.insert("access_token".to_owned(), token.expose_secret().into());
    let identity = linked_identity::ActiveModel {
        id: Set(identity.id),
        provider_data: Set(Some(SecretJson(Value::Object(data)))),
        ..Default::default()
    };
    identity.update(db).await?;
    Ok(())
}
