//! OAuth 2.0: the consent page, and tokens for codes.

use std::{borrow::Cow, collections::BTreeSet};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{RawForm, RawQuery, State},
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use chrono::NaiveDateTime;
use maud::html;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use crate::{
    Endpoint, StandIn,
    api::header,
    grant::{AccessToken, Grant, RefreshToken},
    page,
    world::{Application, Member, UnauthorizedScopes, World},
};

const CONSENT: &str = "/oauth/v2/authorization/consent";

pub(crate) fn router() -> Router<StandIn> {
    Router::new()
        .route(Endpoint::Authorization.path(), get(authorization))
        .route(CONSENT, post(consent))
        .route(Endpoint::AccessToken.path(), post(access_token))
        .route(Endpoint::Introspection.path(), post(introspection))
}

/// What a member does on the consent page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Signs in and allows.
    Approve {
        /// The `sub` of who signs in.
        member: String,
        /// What they allow of what was asked; `None` is all of it.
        scopes: Option<BTreeSet<String>>,
    },
    /// Signs in and cancels: `user_cancelled_authorize`.
    Cancel,
    /// Does not even sign in: `user_cancelled_login`.
    CancelLogin,
}

impl Consent {
    /// Somebody allows all that is asked.
    #[must_use]
    pub fn approve(sub: &str) -> Self {
        Self::Approve {
            member: sub.to_owned(),
            scopes: None,
        }
    }
}

/// Why somebody is shown an error at LinkedIn instead of being sent back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationError {
    /// No such application.
    #[error("The passed in client_id is invalid")]
    UnknownClient,
    /// Sending the member there would be unsafe.
    #[error("The redirect_uri does not match the registered value")]
    RedirectMismatch,
    /// See [`UnauthorizedScopes::Stranded`].
    #[error("Bummer, something went wrong")]
    Stranded,
    /// Nobody with that `sub` can sign in.
    #[error("There is no such member")]
    UnknownMember,
}

impl StandIn {
    /// Does what a member's browser would do with an authorization address, and returns where it is sent back to.
    ///
    /// # Errors
    /// Where the browser would show an error at LinkedIn.
    pub fn consent(
        &self,
        authorization: &Url,
        consent: Consent,
    ) -> Result<Url, AuthorizationError> {
        match self.world(|world| Asked::read(world, &Parameters::of_url(authorization))) {
            Ok(asked) => self.decide(&asked, consent),
            Err(SentAway::Back(address)) => Ok(address),
            Err(SentAway::Nowhere(error)) => Err(error),
        }
    }

    fn decide(&self, asked: &Asked, consent: Consent) -> Result<Url, AuthorizationError> {
        let (member, scopes) = match consent {
            Consent::Approve { member, scopes } => (member, scopes),
            Consent::Cancel => return Ok(asked.cancelled("user_cancelled_authorize")),
            Consent::CancelLogin => return Ok(asked.cancelled("user_cancelled_login")),
        };
        if self.world(|world| world.member(&member).is_none()) {
            return Err(AuthorizationError::UnknownMember);
        }
        let grant = Grant {
            client_id: asked.application.client_id.clone(),
            member,
            scopes: match scopes {
                Some(chosen) => chosen.intersection(&asked.scopes).cloned().collect(),
                None => asked.scopes.clone(),
            },
        };
        let code = self.new_code(grant, &asked.registered_uri);
        Ok(asked.back(&[("code", code.expose_secret())]))
    }
}

/// A valid request for consent.
#[derive(Debug)]
struct Asked {
    application: Application,
    /// As the application sent it, and will send it again.
    registered_uri: String,
    redirect_uri: Url,
    state: Option<String>,
    scopes: BTreeSet<String>,
}

/// Where a member goes who cannot be asked.
enum SentAway {
    Back(Url),
    Nowhere(AuthorizationError),
}

impl Asked {
    fn read(world: &World, parameters: &Parameters<'_>) -> Result<Self, SentAway> {
        let application = parameters
            .one("client_id")
            .and_then(|id| world.application(id))
            .ok_or(SentAway::Nowhere(AuthorizationError::UnknownClient))?;
        let registered_uri = parameters
            .one("redirect_uri")
            .filter(|uri| application.redirect_uris.iter().any(|known| known == uri))
            .ok_or(SentAway::Nowhere(AuthorizationError::RedirectMismatch))?;
        let redirect_uri = Url::parse(registered_uri)
            .ok()
            .filter(|uri| uri.fragment().is_none())
            .ok_or(SentAway::Nowhere(AuthorizationError::RedirectMismatch))?;

        let mut asked = Self {
            application: application.clone(),
            registered_uri: registered_uri.to_owned(),
            redirect_uri,
            state: parameters.one("state").map(str::to_owned),
            scopes: parameters.words("scope"),
        };
        if parameters.one("response_type") != Some("code") {
            return Err(asked.refused("unsupported_response_type", "response_type must be code"));
        }
        if asked.scopes.is_empty() {
            return Err(asked.refused("invalid_scope_error", "A scope is required"));
        }
        asked.drop_unauthorized_scopes()?;
        Ok(asked)
    }

    fn drop_unauthorized_scopes(&mut self) -> Result<(), SentAway> {
        let unauthorized = self.scopes.difference(&self.application.scopes).next();
        let Some(scope) = unauthorized else {
            return Ok(());
        };
        match self.application.unauthorized_scopes {
            UnauthorizedScopes::Refused => Err(self.refused(
                "unauthorized_scope_error",
                &format!("Scope \"{scope}\" is not authorized for your application"),
            )),
            UnauthorizedScopes::LeftOut => {
                self.scopes
                    .retain(|scope| self.application.scopes.contains(scope));
                Ok(())
            }
            UnauthorizedScopes::Stranded => Err(SentAway::Nowhere(AuthorizationError::Stranded)),
        }
    }

    fn cancelled(&self, error: &str) -> Url {
        let why = "The user cancelled LinkedIn's authorization";
        self.back(&[("error", error), ("error_description", why)])
    }

    fn refused(&self, error: &str, why: &str) -> SentAway {
        SentAway::Back(self.back(&[("error", error), ("error_description", why)]))
    }

    fn back(&self, answer: &[(&str, &str)]) -> Url {
        let mut address = self.redirect_uri.clone();
        let state = self.state.as_deref().map(|state| ("state", state));
        address
            .query_pairs_mut()
            .extend_pairs(answer)
            .extend_pairs(state);
        address
    }

    /// What the consent form repeats.
    fn parameters(&self) -> impl Iterator<Item = (&'static str, String)> {
        let scopes: Vec<_> = self.scopes.iter().map(String::as_str).collect();
        [
            ("response_type", "code".to_owned()),
            ("client_id", self.application.client_id.clone()),
            ("redirect_uri", self.registered_uri.clone()),
            ("scope", scopes.join(" ")),
        ]
        .into_iter()
        .chain(self.state.clone().map(|state| ("state", state)))
    }
}

impl IntoResponse for SentAway {
    fn into_response(self) -> Response {
        match self {
            Self::Back(address) => Redirect::to(address.as_str()).into_response(),
            Self::Nowhere(error) => error.into_response(),
        }
    }
}

impl IntoResponse for AuthorizationError {
    fn into_response(self) -> Response {
        let text = html! { p { (self) "." } };
        (StatusCode::BAD_REQUEST, page::page("Not LinkedIn", text)).into_response()
    }
}

/// `GET /oauth/v2/authorization`: asks a member for consent.
async fn authorization(
    State(linkedin): State<StandIn>,
    RawQuery(query): RawQuery,
) -> Result<Response, SentAway> {
    let query = query.unwrap_or_default();
    let (asked, members) = linkedin.world(|world| {
        let asked = Asked::read(world, &Parameters::of(query.as_bytes()))?;
        Ok((asked, world.members.clone()))
    })?;
    Ok(consent_page(&asked, &members))
}

fn consent_page(asked: &Asked, members: &[Member]) -> Response {
    page::page(
        "Not LinkedIn: allow access?",
        html! {
            p { (page::NOT_LINKEDIN) }
            p { "The application " b { (asked.application.client_id) } " would like to act for you." }
            form method="post" action=(CONSENT) {
                @for (name, value) in asked.parameters() {
                    input type="hidden" name=(name) value=(value);
                }
                fieldset {
                    legend { "Who are you?" }
                    @for (place, member) in members.iter().enumerate() {
                        label {
                            input type="radio" name="member" value=(member.sub) checked[place == 0] required;
                            " " (member.name)
                            @if let Some(email) = &member.email { " · " (email) }
                        }
                    }
                }
                fieldset {
                    legend { "What may it do?" }
                    @for scope in &asked.scopes {
                        label {
                            input type="checkbox" name="allowed" value=(scope) checked;
                            " " code { (scope) }
                        }
                    }
                }
                button name="decision" value="allow" { "Allow" } " "
                button name="decision" value="cancel" formnovalidate { "Cancel" } " "
                button name="decision" value="cancel-login" formnovalidate { "Cancel without signing in" }
            }
        },
    )
}

/// The consent page's form.
async fn consent(
    State(linkedin): State<StandIn>,
    RawForm(form): RawForm,
) -> Result<Redirect, SentAway> {
    let form = Parameters::of(&form);
    let asked = linkedin.world(|world| Asked::read(world, &form))?;
    let consent = match form.one("decision") {
        Some("allow") => Consent::Approve {
            member: form.one("member").unwrap_or_default().to_owned(),
            scopes: Some(form.all("allowed").map(str::to_owned).collect()),
        },
        Some("cancel-login") => Consent::CancelLogin,
        _ => Consent::Cancel,
    };
    let address = linkedin
        .decide(&asked, consent)
        .map_err(SentAway::Nowhere)?;
    Ok(Redirect::to(address.as_str()))
}

/// Why there is no token, as OAuth says it.
#[derive(Debug)]
struct TokenRefusal {
    status: StatusCode,
    error: &'static str,
    description: Cow<'static, str>,
}

impl TokenRefusal {
    fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error: "invalid_request",
            description: description.into(),
        }
    }

    fn code_does_not_fit() -> Self {
        Self::invalid_request(
            "Unable to retrieve access token: appid/redirect uri/code verifier does not match authorization code. Or authorization code expired. Or external member binding exists",
        )
    }

    fn invalid_client() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            error: "invalid_client",
            description: "Client authentication failed".into(),
        }
    }
}

impl IntoResponse for TokenRefusal {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.error, "error_description": self.description });
        (self.status, Json(body)).into_response()
    }
}

/// `POST /oauth/v2/accessToken`: a token for a code or for a refresh token.
async fn access_token(
    State(linkedin): State<StandIn>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, TokenRefusal> {
    let form = Parameters::of_body(&headers, &body)?;
    if form.one("code_verifier").is_some() {
        return Err(TokenRefusal::code_does_not_fit());
    }
    let answer = match form.required("grant_type")? {
        "authorization_code" => exchange(&linkedin, &form)?,
        "refresh_token" => refresh(&linkedin, &form)?,
        _ => {
            return Err(TokenRefusal {
                error: "unsupported_grant_type",
                ..TokenRefusal::invalid_request("The grant type is not supported")
            });
        }
    };
    Ok(([(CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

fn exchange(linkedin: &StandIn, form: &Parameters<'_>) -> Result<Value, TokenRefusal> {
    let code = form.required("code")?;
    let redirect_uri = form.required("redirect_uri")?;
    let application = authenticate(linkedin, form)?;
    let now = linkedin.now();
    let code = linkedin
        .world(|world| {
            world.grants.take_code(code, |code| {
                code.grant.client_id == application.client_id
                    && code.redirect_uri == redirect_uri
                    && now < code.expires_at
            })
        })
        .ok_or_else(TokenRefusal::code_does_not_fit)?;
    let refresh_token = application
        .partner
        .then(|| linkedin.new_refresh_token(code.grant.clone()));
    let token = linkedin.new_token(code.grant);
    Ok(token_answer(&application, &token, refresh_token.as_ref()))
}

fn refresh(linkedin: &StandIn, form: &Parameters<'_>) -> Result<Value, TokenRefusal> {
    let value = form.required("refresh_token")?;
    let application = authenticate(linkedin, form)?;
    let now = linkedin.now();
    let refresh_token = linkedin
        .world(|world| world.grants.refresh_token(value).cloned())
        .filter(|token| token.grant.client_id == application.client_id && now < token.expires_at)
        .ok_or_else(|| {
            TokenRefusal::invalid_request(
                "The provided refresh token is invalid, expired or revoked",
            )
        })?;
    let token = linkedin.new_token(refresh_token.grant.clone());
    Ok(token_answer(&application, &token, Some(&refresh_token)))
}

fn token_answer(
    application: &Application,
    token: &AccessToken,
    refresh_token: Option<&RefreshToken>,
) -> Value {
    let seconds_to = |end: NaiveDateTime| (end - token.created_at).num_seconds();
    let mut answer = json!({
        "access_token": token.value.expose_secret(),
        "expires_in": seconds_to(token.expires_at),
        "token_type": "Bearer",
    });
    if application.names_scopes {
        answer["scope"] = json!(scope_list(&token.grant));
    }
    if let Some(refresh_token) = refresh_token {
        answer["refresh_token"] = json!(refresh_token.value.expose_secret());
        answer["refresh_token_expires_in"] = json!(seconds_to(refresh_token.expires_at));
    }
    answer
}

/// Sorted and with commas, however it was asked for.
fn scope_list(grant: &Grant) -> String {
    let scopes: Vec<_> = grant.scopes.iter().map(String::as_str).collect();
    scopes.join(",")
}

/// `POST /oauth/v2/introspectToken`: how a token stands, for the application that has it.
async fn introspection(
    State(linkedin): State<StandIn>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, TokenRefusal> {
    let form = Parameters::of_body(&headers, &body)?;
    let value = form.required("token")?;
    let application = authenticate(&linkedin, &form)?;
    let token = linkedin
        .world(|world| world.grants.token(value).cloned())
        .filter(|token| token.grant.client_id == application.client_id);
    let Some(token) = token else {
        return Ok(Json(json!({ "active": false })));
    };
    let status = if token.revoked {
        "revoked"
    } else if linkedin.now() >= token.expires_at {
        "expired"
    } else {
        "active"
    };
    let created_at = token.created_at.and_utc().timestamp();
    Ok(Json(json!({
        "active": status == "active",
        "status": status,
        "client_id": token.grant.client_id,
        "authorized_at": created_at,
        "created_at": created_at,
        "expires_at": token.expires_at.and_utc().timestamp(),
        "scope": scope_list(&token.grant),
        "auth_type": "3L",
    })))
}

fn authenticate(linkedin: &StandIn, form: &Parameters<'_>) -> Result<Application, TokenRefusal> {
    let client_id = form.required("client_id")?;
    let client_secret = form.required("client_secret")?;
    linkedin
        .world(|world| world.application(client_id).cloned())
        .filter(|application| application.client_secret.expose_secret() == client_secret)
        .ok_or_else(TokenRefusal::invalid_client)
}

/// A query's or a form's parameters, decoded.
struct Parameters<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Parameters<'a> {
    fn of(encoded: &'a [u8]) -> Self {
        Self(form_urlencoded::parse(encoded).collect())
    }

    fn of_url(url: &'a Url) -> Self {
        Self(url.query_pairs().collect())
    }

    fn of_body(headers: &HeaderMap, body: &'a [u8]) -> Result<Self, TokenRefusal> {
        let kind = header(headers, CONTENT_TYPE.as_str()).unwrap_or_default();
        if kind.split(';').next() == Some("application/x-www-form-urlencoded") {
            Ok(Self::of(body))
        } else {
            Err(TokenRefusal::invalid_request(
                "The content type must be application/x-www-form-urlencoded",
            ))
        }
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_ref())
    }

    /// A value that is there, not empty, and not there twice.
    fn one(&self, name: &str) -> Option<&str> {
        let mut values = self.all(name);
        let value = values.next().filter(|value| !value.is_empty())?;
        values.next().is_none().then_some(value)
    }

    fn required(&self, name: &str) -> Result<&str, TokenRefusal> {
        self.one(name).ok_or_else(|| {
            TokenRefusal::invalid_request(format!("A required parameter \"{name}\" is missing"))
        })
    }

    fn words(&self, name: &str) -> BTreeSet<String> {
        let words = self.one(name).unwrap_or_default().split(' ');
        words
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    }
}
