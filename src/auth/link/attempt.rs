//! What a browser keeps while its person is at LinkedIn, in cookies that nobody can read or forge.
//!
//! The key comes from our application's secret, which all instances have, so that any of them can finish what another
//! one began. Each attempt has a cookie of its own: several tabs can be at it at the same time.

use axum::http::{HeaderMap, HeaderValue, header::COOKIE};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{NaiveDateTime, TimeDelta};
use cookie::{Cookie, CookieJar, Key, SameSite};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::{
    app::App,
    domain::link::{Consent, Grant},
    linkedin::Application,
};

/// How long a person may take.
const PATIENCE: TimeDelta = TimeDelta::minutes(10);
/// More attempts at the same time are not kept.
const MAX_ATTEMPTS: usize = 8;
/// A browser keeps no longer cookie, with its name and attributes.
const MAX_COOKIE: usize = 4096;

const PATH: &str = "/api/auth/linkedin";
const ATTEMPT: &str = "linkedin_link_";
const CONSENT: &str = "linkedin_consent";

/// The cookies of one request, and those that its answer sets.
pub(super) struct Attempts {
    jar: CookieJar,
    key: Key,
    is_secure: bool,
    now: NaiveDateTime,
}

/// What is kept, with its owner and its end.
#[derive(Serialize, Deserialize)]
struct Kept<T> {
    user: String,
    ends: NaiveDateTime,
    what: T,
}

/// Why an attempt cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It is unknown, used or too old.
    Stale,
    /// Another user began it.
    OtherUser,
}

/// A consent that waits for the person to agree that it replaces another member's.
#[derive(Serialize, Deserialize)]
pub(super) struct Waiting {
    /// The id of the member who is to be replaced.
    pub(super) replaces: String,
    member_id: String,
    name: Option<String>,
    picture: Option<String>,
    access_token: String,
    expires_in: Option<u64>,
    granted_at: NaiveDateTime,
    scope: Option<String>,
    refresh_token: Option<String>,
    refresh_token_expires_in: Option<u64>,
}

impl Attempts {
    pub(super) fn read(headers: &HeaderMap, app: &App, application: &Application) -> Self {
        let mut jar = CookieJar::new();
        for header in headers.get_all(COOKIE) {
            let header = String::from_utf8_lossy(header.as_bytes());
            let cookies = Cookie::split_parse(&*header).flatten();
            for cookie in cookies.filter(|cookie| is_ours(cookie.name())) {
                jar.add_original(cookie.into_owned());
            }
        }
        Self {
            jar,
            key: key(&application.client_secret),
            is_secure: app.settings.public_url.scheme() == "https",
            now: app.clock.now(),
        }
    }

    /// Begins an attempt and returns its `state`.
    pub(super) fn begin(&mut self, user_id: &str, random: [u8; 32]) -> String {
        let begun: Vec<_> = self
            .jar
            .iter()
            .map(|cookie| cookie.name().to_owned())
            .filter(|name| name.starts_with(ATTEMPT))
            .collect();
        if begun.len() >= MAX_ATTEMPTS {
            begun.iter().for_each(|name| self.forget(name));
        }
        let state = BASE64_URL_SAFE_NO_PAD.encode(random);
        self.keep(&name_of(&state), user_id, &state);
        state
    }

    /// Ends the attempt: it cannot be ended again.
    pub(super) fn end(&mut self, user_id: &str, state: &str) -> Result<(), Unfit> {
        let kept: String = self.take(&name_of(state), user_id)?;
        if kept == state {
            Ok(())
        } else {
            Err(Unfit::Stale)
        }
    }

    /// False when it is too long for a cookie.
    pub(super) fn wait(&mut self, user_id: &str, consent: &Consent, replaces: String) -> bool {
        let mut waiting = Waiting::new(consent, replaces);
        self.keep(CONSENT, user_id, &waiting);
        if self.is_too_long(CONSENT) {
            // The next sign-in at LinkedIn brings them.
            waiting.picture = None;
            waiting.refresh_token = None;
            self.keep(CONSENT, user_id, &waiting);
        }
        let fits = !self.is_too_long(CONSENT);
        if !fits {
            self.forget(CONSENT);
        }
        fits
    }

    pub(super) fn waiting(&self, user_id: &str) -> Result<Waiting, Unfit> {
        self.look(CONSENT, user_id)
    }

    pub(super) fn stop_waiting(&mut self) {
        self.forget(CONSENT);
    }

    /// The `Set-Cookie` headers of the answer.
    pub(super) fn changes(&self) -> impl Iterator<Item = HeaderValue> {
        self.jar
            .delta()
            .filter_map(|cookie| HeaderValue::try_from(cookie.to_string()).ok())
    }

    fn keep(&mut self, name: &str, user_id: &str, what: &impl Serialize) {
        let kept = Kept {
            user: user_id.to_owned(),
            ends: self.now + PATIENCE,
            what,
        };
        // Only maps with keys that are not text cannot be written as JSON.
        let value = serde_json::to_string(&kept).unwrap_or_default();
        let cookie = Cookie::build((name.to_owned(), value))
            .path(PATH)
            .max_age(cookie::time::Duration::seconds(PATIENCE.num_seconds()))
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.is_secure);
        self.jar.private_mut(&self.key).add(cookie);
    }

    fn take<T: DeserializeOwned>(&mut self, name: &str, user_id: &str) -> Result<T, Unfit> {
        let kept = self.look(name, user_id);
        self.forget(name);
        kept
    }

    fn look<T: DeserializeOwned>(&self, name: &str, user_id: &str) -> Result<T, Unfit> {
        let cookie = self.jar.private(&self.key).get(name).ok_or(Unfit::Stale)?;
        let kept: Kept<T> = serde_json::from_str(cookie.value()).map_err(|_| Unfit::Stale)?;
        if kept.ends <= self.now {
            Err(Unfit::Stale)
        } else if kept.user == user_id {
            Ok(kept.what)
        } else {
            Err(Unfit::OtherUser)
        }
    }

    fn forget(&mut self, name: &str) {
        let cookie = Cookie::build(name.to_owned()).path(PATH);
        self.jar.remove(cookie);
    }

    fn is_too_long(&self, name: &str) -> bool {
        let cookie = self.jar.get(name);
        cookie.is_some_and(|cookie| cookie.to_string().len() > MAX_COOKIE)
    }
}

impl Waiting {
    fn new(consent: &Consent, replaces: String) -> Self {
        let grant = &consent.grant;
        Self {
            replaces,
            member_id: consent.member_id.clone(),
            name: consent.name.clone(),
            picture: consent.picture.clone(),
            granted_at: consent.granted_at,
            access_token: grant.access_token.expose_secret().to_owned(),
            expires_in: grant.expires_in,
            scope: grant.scope.clone(),
            refresh_token: grant
                .refresh_token
                .as_ref()
                .map(|token| token.expose_secret().to_owned()),
            refresh_token_expires_in: grant.refresh_token_expires_in,
        }
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    pub(super) fn consent(self) -> Consent {
        Consent {
            member_id: self.member_id,
            name: self.name,
            picture: self.picture,
            granted_at: self.granted_at,
            grant: Grant {
                access_token: self.access_token.into(),
                expires_in: self.expires_in,
                scope: self.scope,
                refresh_token: self.refresh_token.map(SecretString::from),
                refresh_token_expires_in: self.refresh_token_expires_in,
            },
        }
    }
}

fn is_ours(name: &str) -> bool {
    name.starts_with(ATTEMPT) || name == CONSENT
}

/// Tells attempts apart without telling the state.
fn name_of(state: &str) -> String {
    let digest = hex::encode(Sha256::digest(state));
    format!("{ATTEMPT}{}", digest.split_at(16).0)
}

fn key(client_secret: &SecretString) -> Key {
    let master = Sha256::new()
        .chain_update("linkedin-targets: cookies of the link flow\n")
        .chain_update(client_secret.expose_secret())
        .finalize();
    Key::derive_from(&master)
}
