//! Linking a LinkedIn account: a browser's way to LinkedIn's consent page and back.

mod attempt;
mod confirm;
mod stop;

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Query, State, rejection::QueryRejection},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, LOCATION, SET_COOKIE},
    },
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use tower_http::set_header::SetResponseHeaderLayer;
use url::Url;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    domain::{
        account::{Account, Accounts},
        error::Error,
        link::{self, Consent, Linked, Means, Refusal},
        listeners::Listeners,
        sync::Syncer,
    },
    linkedin::Application,
};
use attempt::{Attempts, Unfit};
use stop::Stop;

/// InterlinedList's page that lists what somebody has connected.
const INTEGRATIONS: &str = "integrations";
/// InterlinedList's sign-in.
const LOGIN: &str = "login";
const MAX_FORM: usize = 1024;

/// What the routes share.
#[derive(Clone)]
pub(crate) struct Linking {
    pub(crate) app: Arc<App>,
    pub(crate) accounts: Accounts,
    pub(crate) syncer: Syncer,
    pub(crate) listeners: Listeners,
}

pub(crate) fn router(linking: Linking) -> Router {
    let (router, _) = described().split_for_parts();
    router
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .layer(SetResponseHeaderLayer::if_not_present(
            CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ))
        .with_state(linking)
}

/// The routes, and what they say about themselves.
pub(crate) fn described() -> OpenApiRouter<Linking> {
    OpenApiRouter::default()
        .routes(routes!(authorize))
        .routes(routes!(callback))
        .routes(routes!(confirm::ask, confirm::decide))
        .routes(routes!(status))
}

/// How long a request may take: LinkedIn is asked twice, once for the token and once for the pages.
pub(crate) fn timeout(app: &App) -> Duration {
    app.settings.request_timeout + app.linkedin.patience()
}

/// Whether people can link their accounts here.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LinkingStatus)]
struct Status<'a> {
    configured: bool,
    /// Where LinkedIn sends people back to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        examples("https://interlinedlist.com/api/auth/linkedin/callback")
    )]
    redirect_uri: Option<&'a str>,
}

/// Tell whether people can link their accounts
#[utoipa::path(
    get,
    path = "/api/auth/linkedin/status",
    tag = "Linking",
    operation_id = "getLinkingStatus",
    security(()),
    responses((status = OK, description = "Whether an application at LinkedIn is configured.", body = Status), Stop)
)]
async fn status(State(linking): State<Linking>) -> Response {
    let application = linking.app.linkedin.application();
    let body = Status {
        configured: application.is_some(),
        redirect_uri: application.map(|application| application.redirect_uri.as_str()),
    };
    Json(body).into_response()
}

#[derive(Deserialize)]
struct Authorize {
    link: Option<String>,
}

/// Send the person to LinkedIn
///
/// For a browser: it comes back by way of the callback. Signing in with LinkedIn is InterlinedList's affair.
#[utoipa::path(
    get,
    path = "/api/auth/linkedin/authorize",
    tag = "Linking",
    operation_id = "linkLinkedIn",
    params(("link" = Option<String>, Query, description = "`true` to link an account; else the person is sent to InterlinedList's sign-in.", example = "true")),
    security((), ("session" = [])),
    responses(
        (
            status = SEE_OTHER,
            description = "On to LinkedIn; to InterlinedList's sign-in, without a live session; or to its integrations, with an `error` for the person.",
            headers(("Location" = String, description = "Where to go."))
        ),
        Stop
    )
)]
async fn authorize(
    State(linking): State<Linking>,
    headers: HeaderMap,
    query: Result<Query<Authorize>, QueryRejection>,
) -> Result<Response, Stop> {
    let Query(query) = query?;
    if query.link.as_deref() != Some("true") {
        return Err(Stop::SignIn(linking.login()));
    }
    let account = linking.account(&headers).await?;
    let application = linking.application()?;
    let mut attempts = Attempts::read(&headers, &linking.app, application);
    let state = attempts.begin(&account.user_id, linking.app.random.next());
    let address = linking
        .app
        .linkedin
        .authorize_url(&state)
        .ok_or_else(|| linking.refused(Refusal::NotConfigured))?;
    Ok(redirect(&address, Some(&attempts)))
}

/// What LinkedIn sends a person back with.
#[derive(Deserialize)]
struct Callback {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
}

/// Receive the person from LinkedIn
///
/// For a browser, which LinkedIn sends here.
#[utoipa::path(
    get,
    path = "/api/auth/linkedin/callback",
    tag = "Linking",
    operation_id = "finishLinking",
    params(
        ("state" = Option<String>, Query, description = "What the attempt to link was begun with."),
        ("code" = Option<String>, Query, description = "LinkedIn's code, when the person allowed it."),
        ("error" = Option<String>, Query, description = "LinkedIn's word, when they did not.")
    ),
    security((), ("session" = [])),
    responses(
        (
            status = SEE_OTHER,
            description = "On to InterlinedList's integrations, with `linked=linkedin` or an `error` for the person; to the question whether another member's connection is to be replaced; or to the sign-in, without a live session.",
            headers(("Location" = String, description = "Where to go."))
        ),
        Stop
    )
)]
async fn callback(
    State(linking): State<Linking>,
    headers: HeaderMap,
    query: Result<Query<Callback>, QueryRejection>,
) -> Result<Response, Stop> {
    let Query(query) = query?;
    let account = linking.account(&headers).await?;
    let application = linking.application()?;
    let mut attempts = Attempts::read(&headers, &linking.app, application);
    let state = query.state.as_deref().unwrap_or_default();
    let begun = attempts.end(&account.user_id, state);
    let outcome = match (query.error.as_deref(), query.code) {
        (Some(error), _) => error_of(error, begun),
        (None, Some(code)) => match begun {
            Ok(()) => {
                linking
                    .redeem(&headers, account, &code, &mut attempts)
                    .await?
            }
            Err(unfit) => Outcome::Refused(unfit.into()),
        },
        (None, None) => Outcome::Refused(Refusal::Stale),
    };
    Ok(redirect(&linking.address(outcome), Some(&attempts)))
}

/// Where the person is sent, and what they are told there.
enum Outcome {
    Linked,
    /// They changed their mind, which is no error.
    Cancelled,
    Refused(Refusal),
    /// They are asked whether another member's connection is to be replaced.
    Asked,
}

/// What LinkedIn's word for its refusal means. It never reaches the person.
fn error_of(error: &str, begun: Result<(), Unfit>) -> Outcome {
    match (error, begun) {
        ("user_cancelled_login" | "user_cancelled_authorize" | "access_denied", _) => {
            Outcome::Cancelled
        }
        (_, Err(unfit)) => Outcome::Refused(unfit.into()),
        ("unauthorized_scope_error", Ok(())) => {
            tracing::error!(
                "LinkedIn does not let our application ask for all scopes: request its products at LinkedIn"
            );
            Outcome::Refused(Refusal::ScopeNotAllowed)
        }
        (_, Ok(())) => {
            tracing::warn!("LinkedIn sent somebody back with an error");
            Outcome::Refused(Refusal::NotAccepted)
        }
    }
}

impl Linking {
    async fn account(&self, headers: &HeaderMap) -> Result<Account, Stop> {
        let App {
            settings, clock, ..
        } = &*self.app;
        let credentials = super::credentials(headers, settings);
        let account = self.accounts.of_caller(&credentials, clock.now()).await;
        account.map_err(|cause| self.stop(cause))
    }

    fn application(&self) -> Result<&Application, Stop> {
        let application = self.app.linkedin.application();
        application.ok_or_else(|| self.refused(Refusal::NotConfigured))
    }

    async fn redeem(
        &self,
        headers: &HeaderMap,
        account: Account,
        code: &str,
        attempts: &mut Attempts,
    ) -> Result<Outcome, Stop> {
        let App {
            linkedin, clock, ..
        } = &*self.app;
        let consent = match link::redeem(linkedin, code, clock.now()).await {
            Ok(consent) => consent,
            Err(refusal) => return Ok(Outcome::Refused(refusal)),
        };
        Ok(match self.store(&account.user_id, &consent, None).await? {
            Linked::Done => self.discover(headers).await,
            Linked::KeptWider => Outcome::Refused(Refusal::KeptWider),
            Linked::OtherMember { linked } => {
                if attempts.wait(&account.user_id, &consent, linked) {
                    Outcome::Asked
                } else {
                    tracing::error!("LinkedIn's token is too long to be kept in a cookie");
                    Outcome::Refused(Refusal::NotAccepted)
                }
            }
        })
    }

    async fn store(
        &self,
        user_id: &str,
        consent: &Consent,
        replaces: Option<&str>,
    ) -> Result<Linked, Stop> {
        let App {
            db,
            linkedin,
            settings,
            clock,
            ids,
            random,
            ..
        } = &*self.app;
        let means = Means {
            now: clock.now(),
            new_id: ids.next(),
            nonces: random.nonces(),
            listeners: self.listeners.clone(),
        };
        let keys = &settings.token_keys;
        let stored = link::store(db, linkedin, keys, user_id, consent, replaces, &means).await;
        stored.map_err(|cause| self.stop(cause))
    }

    /// Finds the pages of a fresh connection. It is made, whatever becomes of them.
    async fn discover(&self, headers: &HeaderMap) -> Outcome {
        if let Ok(account) = self.account(headers).await {
            let sync = self.syncer.sync_fresh(&account);
            // It goes on by itself when it takes longer. What goes wrong in it is logged there.
            if let Ok(Err(cause)) = tokio::time::timeout(self.app.linkedin.patience(), sync).await {
                cause.log();
            }
        }
        Outcome::Linked
    }

    /// A page of InterlinedList.
    fn page(&self, name: &str) -> Url {
        let mut url = self.app.settings.public_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(name);
        }
        url
    }

    fn login(&self) -> Url {
        self.page(LOGIN)
    }

    fn address(&self, outcome: Outcome) -> Url {
        let mut url = self.page(INTEGRATIONS);
        match outcome {
            Outcome::Cancelled => {}
            Outcome::Linked => {
                url.query_pairs_mut().append_pair("linked", "linkedin");
            }
            Outcome::Refused(refusal) => {
                url.query_pairs_mut()
                    .append_pair("error", refusal.message());
            }
            Outcome::Asked => return self.confirmation(),
        }
        url
    }

    /// Beside the callback, where the browser sends the cookies.
    fn confirmation(&self) -> Url {
        let application = self.app.linkedin.application();
        let callback = application.map_or(&self.app.settings.public_url, |application| {
            &application.redirect_uri
        });
        callback
            .join("confirm")
            .unwrap_or_else(|_| callback.clone())
    }

    fn refused(&self, refusal: Refusal) -> Stop {
        Stop::Refused(self.address(Outcome::Refused(refusal)))
    }

    fn stop(&self, cause: Error) -> Stop {
        match cause {
            Error::Unauthenticated => Stop::SignIn(self.login()),
            cause => Stop::Failed(cause),
        }
    }
}

impl From<Unfit> for Refusal {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Stale => Self::Stale,
            Unfit::OtherUser => Self::OtherUser,
        }
    }
}

fn redirect(to: &Url, attempts: Option<&Attempts>) -> Response {
    let mut response = (StatusCode::SEE_OTHER, [(LOCATION, to.as_str())]).into_response();
    for cookie in attempts.into_iter().flat_map(Attempts::changes) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
