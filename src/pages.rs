//! What people and probes look at: the front page, the schema, and the server's health.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER,
        },
    },
    response::{Html, IntoResponse, Response},
    routing::get,
};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::json;
use url::Url;

use crate::{app::App, domain::ready, graphql};

/// A probe that waits longer than this has its answer.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(front))
        .route("/schema.graphql", get(schema))
        .route("/healthz", get(async || Json(json!({ "status": "ok" }))))
        .route("/readyz", get(ready))
        .with_state(app)
}

async fn front(State(app): State<Arc<App>>) -> Response {
    page(
        "LinkedIn targets",
        html! {
            p { "Where InterlinedList's users can post on LinkedIn, over GraphQL and REST." }
            ul {
                @if app.settings.graphiql {
                    li { a href="/graphiql/" { "GraphiQL" } ": explore the API at " code { "/graphql" } }
                    li { a href="/openapi/" { "Swagger UI" } ": explore the REST paths" }
                }
                @if app.settings.introspection {
                    li { a href="/schema.graphql" { "The GraphQL schema" } }
                    li { a href="/openapi.json" { "The REST paths, described as OpenAPI" } }
                }
                li { a href="/healthz" { "Is the process alive?" } }
                li { a href="/readyz" { "Can it answer?" } }
            }
        },
    )
}

async fn schema(State(app): State<Arc<App>>) -> Response {
    if app.settings.introspection {
        (
            [(CONTENT_TYPE, "text/plain; charset=utf-8")],
            graphql::sdl(),
        )
            .into_response()
    } else {
        not_found()
    }
}

/// Whether the database answers and holds what the server needs.
async fn ready(State(app): State<Arc<App>>) -> Response {
    let reason = match tokio::time::timeout(PROBE_TIMEOUT, ready::obstacle(&app.db)).await {
        Ok(Ok(None)) => {
            return (NO_STORE, Json(json!({ "status": "ready" }))).into_response();
        }
        Ok(Ok(Some(reason))) => reason,
        Ok(Err(cause)) => {
            tracing::warn!(error = %cause, "not ready");
            "the database cannot be reached".to_owned()
        }
        Err(_) => "the database does not answer".to_owned(),
    };
    let body = Json(json!({ "status": "unavailable", "reason": reason }));
    (StatusCode::SERVICE_UNAVAILABLE, NO_STORE, body).into_response()
}

pub(crate) fn not_found() -> Response {
    let text = html! { p { "There is nothing at this address. " a href="/" { "Start here." } } };
    (StatusCode::NOT_FOUND, page("Not found", text)).into_response()
}

pub(crate) fn timed_out() -> Response {
    (
        StatusCode::SERVICE_UNAVAILABLE,
        NO_STORE,
        [(RETRY_AFTER, "1")],
        "The request took too long.\n",
    )
        .into_response()
}

pub(crate) fn busy() -> Response {
    (
        StatusCode::SERVICE_UNAVAILABLE,
        NO_STORE,
        [(RETRY_AFTER, "1")],
        "The server has too much to do.\n",
    )
        .into_response()
}

pub(crate) fn limited() -> Response {
    (
        StatusCode::TOO_MANY_REQUESTS,
        NO_STORE,
        "You ask too often.\n",
    )
        .into_response()
}

pub(crate) fn failed() -> Response {
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        NO_STORE,
        "Something went wrong on our side.\n",
    )
        .into_response()
}

const NO_STORE: [(HeaderName, HeaderValue); 1] =
    [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];

/// A whole page around some text.
pub(crate) fn page(title: &str, text: Markup) -> Response {
    whole(title, text, "'self'")
}

/// A page whose form leads on to InterlinedList. A browser looks at every address that a form's answer leads to, and
/// without a referrer it would not tell the form's own origin either.
pub(crate) fn form(title: &str, text: Markup, public_url: &Url) -> Response {
    let origin = public_url.origin().ascii_serialization();
    let page = whole(title, text, &format!("'self' {origin}"));
    ([(REFERRER_POLICY, "same-origin")], page).into_response()
}

fn whole(title: &str, text: Markup, form_action: &str) -> Response {
    const STYLE: &str = ":root{color-scheme:light dark}\
        body{font:1rem/1.6 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}\
        li{margin:.4rem 0}button{font:inherit}";
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action {form_action}; \
        frame-ancestors 'none'"
    );
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
    let headers = [(CONTENT_SECURITY_POLICY, policy)];
    (headers, NO_STORE, Html(markup.into_string())).into_response()
}
