//! The page from which one signs in as somebody of the demo.

use axum::{
    Router,
    extract::{Path, Query, Request, State},
    http::{
        StatusCode,
        header::{CACHE_CONTROL, HOST, SET_COOKIE},
    },
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use cookie::{Cookie, SameSite};
use maud::html;
use sea_orm::{DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder};
use serde::Deserialize;
use url::Url;

use crate::{
    pages,
    storage::entity::{session, user},
};

/// The session cookie's name.
pub(super) const COOKIE: &str = "session";

/// The demo's own pages in front of the server's.
pub(super) fn router(db: DatabaseConnection, linkedin: Url, server: Router) -> Router {
    let people = async move |State(db): State<DatabaseConnection>| people(&db, &linkedin).await;
    Router::new()
        .route("/", get(people))
        .route("/demo/sign-in/{username}", get(sign_in))
        .route("/integrations", get(integrations))
        .route("/login", get(async || Redirect::to("/")))
        .with_state(db)
        .fallback_service(server)
        .layer(middleware::from_fn(refuse_foreign_host))
}

/// A page elsewhere whose name is made to lead to this machine must not reach the demo.
async fn refuse_foreign_host(request: Request, next: Next) -> Response {
    let host = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if matches!(name, "localhost" | "127.0.0.1" | "[::1]") {
        next.run(request).await
    } else {
        (
            StatusCode::MISDIRECTED_REQUEST,
            "The demo answers on localhost only.\n",
        )
            .into_response()
    }
}

async fn people(db: &DatabaseConnection, linkedin: &Url) -> Result<Response, Failure> {
    let people = user::Entity::find()
        .order_by_asc(user::COLUMN.username)
        .all(db)
        .await?;
    Ok(pages::page(
        "LinkedIn targets: a demo",
        html! {
            p { "This is a demo: these people are made up, and nothing leaves this machine. Sign in as one of them:" }
            ul {
                @for person in &people {
                    li {
                        a href={ "/demo/sign-in/" (person.username) } { (person.username) }
                        @if let Some(name) = &person.display_name { " · " (name) }
                    }
                }
            }
            p {
                a href="/graphiql/" { "GraphiQL" } " · " a href="/openapi/" { "REST in Swagger UI" } " · "
                a href="/schema.graphql" { "Schema" } " · " a href="/openapi.json" { "OpenAPI" } " · "
                a href="/readyz" { "Health" }
            }
            p {
                a href="/api/auth/linkedin/authorize?link=true" { "Link LinkedIn" }
                " for the person you are. "
                a href=(linkedin) { "The LinkedIn of this demo" }
                " is a stand-in: take pages away there, or let it fail, and then sync."
            }
        },
    ))
}

#[derive(Deserialize)]
struct Told {
    linked: Option<String>,
    error: Option<String>,
}

/// What InterlinedList shows here, in short: how linking ended, and where to go on.
async fn integrations(Query(told): Query<Told>) -> Response {
    pages::page(
        "Your integrations",
        html! {
            @if let Some(error) = &told.error {
                p role="alert" { (error) }
            } @else if told.linked.is_some() {
                p role="status" { "LinkedIn is linked." }
            } @else {
                p role="status" { "Nothing was changed." }
            }
            p { "In InterlinedList this page lists what you have connected." }
            ul {
                li { a href="/api/auth/linkedin/authorize?link=true" { "Link LinkedIn" } }
                li { a href="/graphiql/" { "See your targets in GraphiQL" } }
                li { a href="/" { "Be somebody else" } }
            }
        },
    )
}

async fn sign_in(
    State(db): State<DatabaseConnection>,
    Path(username): Path<String>,
) -> Result<Response, Failure> {
    let found = session::Entity::find()
        .inner_join(user::Entity)
        .filter(user::COLUMN.username.eq(username))
        .order_by_desc(session::COLUMN.expires_at)
        .one(&db)
        .await?;
    let Some(session) = found else {
        return Ok(pages::not_found());
    };
    let cookie = Cookie::build((COOKIE, session.id.0))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax);
    let headers = [
        (SET_COOKIE, cookie.to_string()),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Redirect::to("/graphiql/")).into_response())
}

struct Failure(DbErr);

impl From<DbErr> for Failure {
    fn from(cause: DbErr) -> Self {
        Self(cause)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        tracing::error!(error = %self.0, "the demo's database failed");
        pages::failed()
    }
}
