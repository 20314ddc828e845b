//! Logos: where to load them from, for how long, and the images themselves.

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use chrono::{Days, NaiveDateTime};
use maud::html;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Endpoint, StandIn,
    api::{Refusal, RestCall},
    restli::batch,
    world::{Logo, World},
};

const ADDRESS_LIFE: Days = Days::new(14);

pub(crate) fn router() -> Router<StandIn> {
    Router::new()
        .route(Endpoint::Images.path(), get(images))
        .route("/media/{asset}", get(media))
}

async fn images(State(linkedin): State<StandIn>, call: RestCall) -> Result<Json<Value>, Refusal> {
    call.query.only(&["ids"])?;
    let urns = call.query.list::<String>("ids")?;
    if urns.iter().any(|urn| !urn.starts_with("urn:li:image:")) {
        return Err(Refusal::invalid("ids"));
    }
    let expires_at = linkedin.now() + ADDRESS_LIFE;
    Ok(Json(linkedin.world(|world| {
        batch(urns.into_iter().map(|urn| {
            let image = urn
                .strip_prefix("urn:li:image:")
                .and_then(|asset| logo(world, asset))
                .map(|logo| image(&linkedin, &urn, logo, expires_at))
                .ok_or_else(|| Refusal::not_found(&urn));
            (urn, image)
        }))
    })))
}

fn logo<'a>(world: &'a World, asset: &str) -> Option<&'a Logo> {
    world
        .organizations
        .iter()
        .filter_map(|page| page.logo.as_ref())
        .find(|logo| logo.asset == asset)
}

fn image(linkedin: &StandIn, urn: &str, logo: &Logo, expires_at: NaiveDateTime) -> Value {
    if !logo.available {
        return json!({ "id": urn, "status": "PROCESSING" });
    }
    let millis = expires_at.and_utc().timestamp_millis();
    let mut address = linkedin.base_url().clone();
    address.set_path(&format!("/media/{}", logo.asset));
    address.set_query(Some(&format!("expires={millis}")));
    json!({
        "id": urn,
        "status": "AVAILABLE",
        "downloadUrl": address.as_str(),
        "downloadUrlExpiresAt": millis,
    })
}

#[derive(Deserialize)]
struct Address {
    /// Milliseconds since 1970.
    expires: i64,
}

/// The page's initial, drawn; 403 once the address has expired.
async fn media(
    State(linkedin): State<StandIn>,
    Path(asset): Path<String>,
    Query(address): Query<Address>,
) -> Response {
    if linkedin.now().and_utc().timestamp_millis() >= address.expires {
        return StatusCode::FORBIDDEN.into_response();
    }
    let name = linkedin.world(|world| {
        let has_it = |logo: &Logo| logo.asset == asset && logo.available;
        let page = world
            .organizations
            .iter()
            .find(|page| page.logo.as_ref().is_some_and(has_it))?;
        Some(page.name.clone())
    });
    let Some(name) = name else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let drawing = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" {
            rect width="100" height="100" rx="12" fill="#56687a" {}
            text x="50" y="70" font-size="60" font-family="sans-serif" text-anchor="middle" fill="#fff" {
                (name.chars().next().unwrap_or('?'))
            }
        }
    };
    ([(CONTENT_TYPE, "image/svg+xml")], drawing.into_string()).into_response()
}
