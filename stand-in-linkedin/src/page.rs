//! The page at `/`, on which a person changes the world.

use axum::{
    Form, Router,
    extract::State,
    http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Deserialize;

use crate::{
    Endpoint, StandIn,
    fault::Fault,
    when::When,
    world::{Assignment, Kind, Member, RoleState, World},
};

pub(crate) const NOT_LINKEDIN: &str = "This is a stand-in, not LinkedIn: everybody and everything here is made up, and nothing leaves this machine.";

pub(crate) fn router() -> Router<StandIn> {
    Router::new()
        .route("/", get(front))
        .route("/change/role", post(change_role))
        .route("/change/name", post(change_name))
        .route("/change/tokens", post(change_tokens))
        .route("/faults/add", post(add_fault))
        .route("/faults/clear", post(clear_faults))
}

async fn front(State(linkedin): State<StandIn>) -> Response {
    let calls = recent_calls(&linkedin);
    linkedin.world(|world| {
        page(
            "Not LinkedIn",
            html! {
                p { (NOT_LINKEDIN) }
                @for member in &world.members { (of_member(&linkedin, world, member)) }
                h2 { "Pages" }
                (pages(world))
                h2 { "Faults" }
                (faults(world))
                h2 { "Last calls" }
                (calls)
            },
        )
    })
}

fn of_member(linkedin: &StandIn, world: &World, member: &Member) -> Markup {
    let (good, all) = world.grants.count(&member.sub, linkedin.now());
    html! {
        h2 { (member.name) }
        p {
            code { (member.sub) }
            @if let Some(email) = &member.email { " · " (email) }
            " · " (good) " of " (all) " tokens are good"
        }
        form method="post" action="/change/tokens" {
            input type="hidden" name="member" value=(member.sub);
            button name="become" value="revoked" { "Revoke the tokens" } " "
            button name="become" value="expired" { "Let the tokens expire" }
        }
        table {
            @for row in world.assignments.iter().filter(|row| row.member == member.sub) {
                (role(world, row))
            }
        }
    }
}

fn role(world: &World, row: &Assignment) -> Markup {
    let name = world
        .organization(row.organization)
        .map_or("a page that is gone", |page| &page.name);
    let (state, change) = match row.state {
        RoleState::Approved => (RoleState::Revoked, "Lose this page"),
        _ => (RoleState::Approved, "Get this page"),
    };
    html! {
        tr {
            td { (name) }
            td { code { (row.role) } }
            td { (row.state.as_str()) }
            td {
                form method="post" action="/change/role" {
                    input type="hidden" name="member" value=(row.member);
                    input type="hidden" name="organization" value=(row.organization);
                    button name="state" value=(state.as_str()) { (change) }
                }
            }
        }
    }
}

fn pages(world: &World) -> Markup {
    html! {
        @for page in &world.organizations {
            form method="post" action="/change/name" {
                input type="hidden" name="organization" value=(page.number);
                label {
                    (page.number)
                    @if page.kind == Kind::Showcase { " (showcase)" }
                    " "
                    input name="name" value=(page.name) required;
                }
                " " button { "Rename" }
            }
        }
    }
}

fn faults(world: &World) -> Markup {
    html! {
        ul {
            @for plan in &world.faults { li { (plan.fault) ": " (plan.when) } }
        }
        form method="post" action="/faults/add" {
            select name="fault" aria-label="Fault" {
                @for fault in Fault::examples() { option { (fault) } }
            }
            " for "
            select name="member" aria-label="Member" {
                option value="" { "everybody" }
                @for member in &world.members { option value=(member.sub) { (member.name) } }
            }
            " at "
            select name="path" aria-label="Call" {
                option value="" { "every call" }
                @for endpoint in Endpoint::ALL { option { (endpoint.path()) } }
            }
            " "
            select name="times" aria-label="How often" {
                option value="" { "always" }
                option value="1" { "once" }
                option value="2" { "twice" }
                option value="5" { "five times" }
            }
            label { " from element " input type="number" name="from_start" value="0" min="0" required; " on " }
            button { "Add" }
        }
        form method="post" action="/faults/clear" {
            button { "Clear all faults, and let waiting calls go on" }
        }
    }
}

fn recent_calls(linkedin: &StandIn) -> Markup {
    let calls = linkedin.calls();
    html! {
        ol reversed start=(calls.len()) {
            @for call in calls.iter().rev().take(20) {
                li {
                    code { (call.endpoint.path()) @if !call.query.is_empty() { "?" (call.query) } }
                    @if let Some(member) = &call.member { " by " (member) }
                }
            }
        }
    }
}

#[derive(Deserialize)]
struct RoleChange {
    member: String,
    organization: u64,
    state: String,
}

async fn change_role(State(linkedin): State<StandIn>, Form(form): Form<RoleChange>) -> Redirect {
    if let Some(state) = RoleState::parse(&form.state) {
        linkedin.world(|world| world.set_state(&form.member, form.organization, state));
    }
    Redirect::to("/")
}

#[derive(Deserialize)]
struct NameChange {
    organization: u64,
    name: String,
}

async fn change_name(State(linkedin): State<StandIn>, Form(form): Form<NameChange>) -> Redirect {
    linkedin.world(|world| world.rename(form.organization, &form.name));
    Redirect::to("/")
}

#[derive(Deserialize)]
struct TokenChange {
    member: String,
    r#become: Standing,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Standing {
    Revoked,
    Expired,
}

async fn change_tokens(State(linkedin): State<StandIn>, Form(form): Form<TokenChange>) -> Redirect {
    linkedin.world(|world| match form.r#become {
        Standing::Revoked => world.revoke_tokens(&form.member),
        Standing::Expired => world.expire_tokens(&form.member),
    });
    Redirect::to("/")
}

/// The empty text stands for no choice.
#[derive(Deserialize)]
struct FaultChoice {
    fault: String,
    member: String,
    path: String,
    times: String,
    from_start: usize,
}

impl FaultChoice {
    fn when(&self) -> When {
        let mut when = When::always().from_start(self.from_start);
        if !self.member.is_empty() {
            when = when.by(&self.member);
        }
        if let Some(endpoint) = Endpoint::at(&self.path) {
            when = when.at(endpoint);
        }
        if let Ok(times) = self.times.parse() {
            when = when.times(times);
        }
        when
    }
}

async fn add_fault(State(linkedin): State<StandIn>, Form(form): Form<FaultChoice>) -> Redirect {
    let chosen = Fault::examples()
        .into_iter()
        .find(|fault| fault.to_string() == form.fault);
    if let Some(fault) = chosen {
        linkedin.world(|world| world.fail(fault, form.when()));
    }
    Redirect::to("/")
}

async fn clear_faults(State(linkedin): State<StandIn>) -> Redirect {
    linkedin.world(World::heal);
    linkedin.release();
    Redirect::to("/")
}

/// A whole page around some text.
pub(crate) fn page(title: &str, text: Markup) -> Response {
    const STYLE: &str = ":root{color-scheme:light dark}\
        body{font:1rem/1.6 system-ui,sans-serif;max-width:52rem;margin:3rem auto;padding:0 1rem}\
        button,input,select{font:inherit}fieldset{margin:1rem 0}fieldset label{display:block}\
        form{margin:.4rem 0}td{padding:0 1rem 0 0}td form{margin:0}code{overflow-wrap:anywhere}";
    // No `form-action`: the consent form leads back to the application, at whatever address that is.
    const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
        base-uri 'none'; frame-ancestors 'none'";
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                (text)
            }
        }
    };
    let headers = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, markup).into_response()
}
