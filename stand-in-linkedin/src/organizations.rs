//! Pages, and the roles that members have on them.

use axum::{Json, Router, extract::State, routing::get};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use crate::{
    Endpoint, StandIn,
    api::{Refusal, RestCall},
    restli::batch,
    world::{Assignment, Kind, Organization, RoleState, Total, Visibility, World},
};

const SCOPE: &str = "rw_organization_admin";

pub(crate) fn router() -> Router<StandIn> {
    Router::new()
        .route(Endpoint::OrganizationAcls.path(), get(acls))
        .route(Endpoint::Organizations.path(), get(organizations))
        .route(Endpoint::OrganizationsLookup.path(), get(lookup))
}

/// The caller's roles, one element for each.
async fn acls(State(linkedin): State<StandIn>, call: RestCall) -> Result<Json<Value>, Refusal> {
    call.grant
        .needs(SCOPE, "organizationAcls.FINDER-roleAssignee")?;
    let asked = Asked::of(&call)?;
    linkedin.world(|world| {
        let count = asked
            .count
            .unwrap_or(world.listing.default_count)
            .min(world.listing.max_count);
        let rows: Vec<_> = world
            .assignments
            .iter()
            .filter(|row| row.member == call.grant.member && asked.wants(row))
            .collect();
        let elements: Vec<_> = rows
            .iter()
            .skip(asked.start)
            .take(count)
            .map(|row| element(world, row))
            .collect();

        let mut paging = json!({
            "start": asked.start,
            "count": count,
            "links": asked.links(world, count, rows.len()),
        });
        match world.listing.total {
            Total::Absent => {}
            Total::Zero => paging["total"] = json!(0),
            Total::Exact => paging["total"] = json!(rows.len()),
        }
        Ok(Json(json!({ "elements": elements, "paging": paging })))
    })
}

/// What a listing is asked for.
struct Asked {
    role: Option<String>,
    state: Option<RoleState>,
    start: usize,
    count: Option<usize>,
}

impl Asked {
    fn of(call: &RestCall) -> Result<Self, Refusal> {
        let query = &call.query;
        query.only(&["q", "role", "state", "start", "count"])?;
        if query.text("q")?.as_deref() != Some("roleAssignee") {
            return Err(Refusal::invalid("q"));
        }
        let state = query
            .text("state")?
            .map(|text| RoleState::parse(&text).ok_or_else(|| Refusal::invalid("state")))
            .transpose()?;
        let count = query.number("count")?;
        if count == Some(0) {
            return Err(Refusal::invalid("count"));
        }
        Ok(Self {
            role: query.text("role")?,
            state,
            start: query.number("start")?.unwrap_or(0),
            count,
        })
    }

    fn wants(&self, row: &Assignment) -> bool {
        self.state.is_none_or(|state| state == row.state)
            && self
                .role
                .as_ref()
                .is_none_or(|role| *role == row.role.to_string())
    }

    fn links(&self, world: &World, count: usize, total: usize) -> Vec<Value> {
        if !world.listing.links {
            return Vec::new();
        }
        let link = |rel: &str, start: usize| json!({ "rel": rel, "type": "application/json", "href": self.href(start, count) });
        let previous = (self.start > 0).then(|| link("prev", self.start.saturating_sub(count)));
        let next = self.start.saturating_add(count);
        let next = (next < total).then(|| link("next", next));
        previous.into_iter().chain(next).collect()
    }

    fn href(&self, start: usize, count: usize) -> String {
        let mut query = Serializer::new(String::new());
        query.append_pair("q", "roleAssignee");
        if let Some(role) = &self.role {
            query.append_pair("role", role);
        }
        if let Some(state) = self.state {
            query.append_pair("state", state.as_str());
        }
        query.append_pair("start", &start.to_string());
        query.append_pair("count", &count.to_string());
        format!("{}?{}", Endpoint::OrganizationAcls.path(), query.finish())
    }
}

fn element(world: &World, row: &Assignment) -> Value {
    let mut element = json!({
        "roleAssignee": format!("urn:li:person:{}", row.member),
        "role": row.role.to_string(),
        "state": row.state.as_str(),
    });
    if let Some(key) = world.listing.urn_key.as_str() {
        let urn = world.organization(row.organization).map_or_else(
            || format!("urn:li:organization:{}", row.organization),
            Organization::urn,
        );
        element[key] = json!(urn);
    }
    element
}

/// Pages as their administrators see them.
async fn organizations(
    State(linkedin): State<StandIn>,
    call: RestCall,
) -> Result<Json<Value>, Refusal> {
    call.grant.needs(SCOPE, "organizations.BATCH_GET")?;
    let numbers = numbers(&call)?;
    Ok(Json(linkedin.world(|world| {
        batch(numbers.into_iter().map(|number| {
            let page = readable(world, &call.grant.member, number).map(details);
            (number.to_string(), page)
        }))
    })))
}

/// Pages as everybody sees them.
async fn lookup(State(linkedin): State<StandIn>, call: RestCall) -> Result<Json<Value>, Refusal> {
    call.grant.needs(SCOPE, "organizationsLookup.BATCH_GET")?;
    let numbers = numbers(&call)?;
    Ok(Json(linkedin.world(|world| {
        batch(
            numbers
                .into_iter()
                .map(|number| (number.to_string(), existing(world, number).map(public))),
        )
    })))
}

fn numbers(call: &RestCall) -> Result<Vec<u64>, Refusal> {
    call.query.only(&["ids"])?;
    call.query.list("ids")
}

fn existing(world: &World, number: u64) -> Result<&Organization, Refusal> {
    world
        .organization(number)
        .filter(|page| page.visibility != Visibility::Missing)
        .ok_or_else(|| Refusal::not_found(&format!("Organization {number}")))
}

fn readable<'a>(world: &'a World, sub: &str, number: u64) -> Result<&'a Organization, Refusal> {
    let page = existing(world, number)?;
    if page.visibility == Visibility::Administrators && world.administers(sub, number) {
        Ok(page)
    } else {
        Err(Refusal::admin_only(number))
    }
}

fn public(page: &Organization) -> Value {
    let mut body = json!({
        "id": page.number,
        "localizedName": page.name,
        "name": { "localized": { "en_US": page.name }, "preferredLocale": { "country": "US", "language": "en" } },
        "vanityName": page.vanity_name,
        "primaryOrganizationType": match page.kind {
            Kind::Company => "NONE",
            Kind::Showcase => "BRAND",
        },
        "locations": [],
    });
    if let Some(logo) = &page.logo {
        let urn = format!("urn:li:digitalmediaAsset:{}", logo.asset);
        body["logoV2"] = json!({ "original": urn, "cropped": urn });
    }
    body
}

fn details(page: &Organization) -> Value {
    let mut body = public(page);
    body["versionTag"] = json!("1");
    body["defaultLocale"] = json!({ "country": "US", "language": "en" });
    body["localizedSpecialties"] = json!([]);
    body
}
