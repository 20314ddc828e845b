//! Linking a LinkedIn account: a browser's way to LinkedIn's consent page and back.

mod attempt;
mod confirm;

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Query, State},
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, LOCATION, RETRY_AFTER, SET_COOKIE},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use crate::{
    app::App,
    domain::{
        account::{self, Account},
        error::Error,
        link::{self, Consent, Linked, Means, Refusal},
        sync::Syncer,
    },
    linkedin::Application,
    pages,
};
use attempt::{Attempts, Unfit};

/// InterlinedList's page that lists what somebody has connected.
const INTEGRATIONS: &str = "integrations";
/// InterlinedList's sign-in.
const LOGIN: &str = "login";
const MAX_FORM: usize = 1024;

/// What the routes share.
#[derive(Clone)]
pub(crate) struct Linking {
    pub(crate) app: Arc<App>,
    pub(crate) syncer: Syncer,
}

pub(crate) fn router(linking: Linking) -> Router {
    Router::new()
        .route("/api/auth/linkedin/authorize", get(authorize))
        .route("/api/auth/linkedin/callback", get(callback))
        .route(
            "/api/auth/linkedin/confirm",
            get(confirm::ask).post(confirm::decide),
        )
        .route("/api/auth/linkedin/status", get(status))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .with_state(linking)
}

/// How long a request may take: LinkedIn is asked twice, once for the token and once for the pages.
pub(crate) fn timeout(app: &App) -> Duration {
    app.settings.request_timeout + app.linkedin.patience()
}

/// `GET /api/auth/linkedin/status`: whether people can link their accounts here.
async fn status(State(linking): State<Linking>) -> Response {
    let body = match linking.app.linkedin.application() {
        Some(application) => json!({
            "configured": true,
            "redirectUri": application.redirect_uri.as_str(),
        }),
        None => json!({ "configured": false }),
    };
    ([(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

#[derive(Deserialize)]
struct Authorize {
    link: Option<String>,
}

/// `GET /api/auth/linkedin/authorize?link=true`: sends the person to LinkedIn. Signing in with LinkedIn is
/// InterlinedList's affair.
async fn authorize(
    State(linking): State<Linking>,
    headers: HeaderMap,
    Query(query): Query<Authorize>,
) -> Result<Response, Stop> {
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

/// `GET /api/auth/linkedin/callback`: where LinkedIn sends people back to.
async fn callback(
    State(linking): State<Linking>,
    headers: HeaderMap,
    Query(query): Query<Callback>,
) -> Result<Response, Stop> {
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
            db,
            settings,
            clock,
            ..
        } = &*self.app;
        let credentials = super::credentials(headers, settings);
        let account = account::of_caller(db, &credentials, clock.now()).await;
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
        } = &*self.app;
        let means = Means {
            now: clock.now(),
            new_id: ids.next(),
            nonces: random.nonces(),
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

/// Why the way ends here.
enum Stop {
    SignIn(Url),
    Refused(Url),
    CrossSite,
    Failed(Error),
}

impl IntoResponse for Stop {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn(address) | Self::Refused(address) => redirect(&address, None),
            Self::CrossSite => {
                (StatusCode::FORBIDDEN, "Cross-site request refused.\n").into_response()
            }
            Self::Failed(cause) => {
                cause.log();
                if matches!(cause, Error::Unavailable(_)) {
                    let text = "The database is not available. Please try again in a moment.\n";
                    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")], text).into_response()
                } else {
                    pages::failed()
                }
            }
        }
    }
}

fn redirect(to: &Url, attempts: Option<&Attempts>) -> Response {
    let headers = [(LOCATION, to.as_str()), (CACHE_CONTROL, "no-store")];
    let mut response = (StatusCode::SEE_OTHER, headers).into_response();
    for cookie in attempts.into_iter().flat_map(Attempts::changes) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
