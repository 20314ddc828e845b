//! Links a member's LinkedIn account to a user, or connects it anew.
//!
//! A user has one identity row, whatever happens: its id, its pages and the preferences for them survive a reconnect.

use chrono::{NaiveDateTime, TimeDelta};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::{
    connection::{Connection, scopes},
    error::Error,
};
use crate::{
    linkedin::{self, Client},
    seal::{self, Keys},
    storage::{
        account::ProviderData,
        begin_write,
        connection::{self, NewIdentity},
        entity::{SecretJson, linked_identity},
        personal_page as pages, preference,
    },
};

/// How often the link is looked at again because somebody else changed it meanwhile.
const ATTEMPTS: usize = 3;

/// A member's consent, as LinkedIn confirmed it.
#[derive(Clone, Debug)]
pub(crate) struct Consent {
    /// The member's id at LinkedIn.
    pub(crate) member_id: String,
    pub(crate) name: Option<String>,
    pub(crate) picture: Option<String>,
    pub(crate) access_token: SecretString,
    /// Seconds, from when it was granted.
    pub(crate) expires_in: Option<u64>,
    pub(crate) granted_at: NaiveDateTime,
    /// In LinkedIn's words; `None` is "not told".
    pub(crate) scope: Option<String>,
    /// Only approved partners get one.
    pub(crate) refresh_token: Option<SecretString>,
    /// Seconds, from when it was granted.
    pub(crate) refresh_token_expires_in: Option<u64>,
}

/// What a link is made from besides the consent.
#[derive(Clone, Debug)]
pub(crate) struct Means {
    pub(crate) now: NaiveDateTime,
    /// For the row, should it be the user's first.
    pub(crate) new_id: String,
    /// Random, one for each token.
    pub(crate) nonces: [[u8; seal::NONCE_LEN]; 2],
}

/// What became of a consent.
#[derive(Clone, Debug)]
pub(crate) enum Linked {
    Done,
    /// Another member is linked, with pages and preferences of their own: nothing is replaced unless the person
    /// agrees.
    OtherMember {
        /// The member who is linked now.
        linked: String,
    },
    /// The stored token still works and may do more, so it stays.
    KeptWider,
}

/// Why nothing was linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    NotConfigured,
    /// The attempt is too old, was used, or began in another browser.
    Stale,
    /// It was begun by another of the accounts that are signed in.
    OtherUser,
    /// LinkedIn does not let our application ask for all scopes.
    ScopeNotAllowed,
    /// LinkedIn took neither the member nor the code.
    NotAccepted,
    KeptWider,
    Throttled,
    Unavailable,
}

impl Refusal {
    /// The sentence that the person reads.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::NotConfigured => "LinkedIn is not set up on this server.",
            Self::Stale => {
                "This attempt to link LinkedIn is too old or was begun elsewhere. Please try again."
            }
            Self::OtherUser => {
                "You have switched to another account since you began to link LinkedIn. Please try again."
            }
            Self::ScopeNotAllowed => {
                "LinkedIn does not let this application ask for all the permissions it needs. Its operator must act."
            }
            Self::NotAccepted => "LinkedIn did not accept the sign-in. Please try again.",
            Self::KeptWider => {
                "You allowed less than your LinkedIn connection already may do, so it was kept as it was. \
                 To renew it, allow everything."
            }
            Self::Throttled => "LinkedIn takes no more requests for now. Please try again later.",
            Self::Unavailable => "LinkedIn could not be reached. Please try again later.",
        }
    }

    fn new(cause: &linkedin::Error) -> Self {
        match cause {
            linkedin::Error::NoApplication => Self::NotConfigured,
            linkedin::Error::Throttled { .. } => Self::Throttled,
            linkedin::Error::Refused { .. }
            | linkedin::Error::InvalidToken
            | linkedin::Error::Unauthorized
            | linkedin::Error::RevokedToken
            | linkedin::Error::ExpiredToken
            | linkedin::Error::AccessDenied => Self::NotAccepted,
            _ => Self::Unavailable,
        }
    }
}

/// Exchanges the code that a member came back with.
pub(crate) async fn redeem(
    linkedin: &Client,
    code: &str,
    now: NaiveDateTime,
) -> Result<Consent, Refusal> {
    match linkedin.redeem(code).await {
        Ok((grant, member)) => Ok(Consent {
            member_id: member.sub,
            name: member.name,
            picture: member.picture,
            access_token: grant.access_token,
            expires_in: grant.expires_in,
            granted_at: now,
            scope: grant.scope,
            refresh_token: grant.refresh_token,
            refresh_token_expires_in: grant.refresh_token_expires_in,
        }),
        Err(cause) => {
            tracing::warn!(
                error = &cause as &dyn std::error::Error,
                "LinkedIn gave no connection for a code"
            );
            Err(Refusal::new(&cause))
        }
    }
}

/// Stores a consent as the user's connection. `replaces` is the id of the member whom the person agreed to replace.
///
/// LinkedIn may be asked whether the stored token still works, so no transaction is open until all is decided.
pub(crate) async fn store(
    db: &DatabaseConnection,
    linkedin: &Client,
    keys: &Keys,
    user_id: &str,
    consent: &Consent,
    replaces: Option<&str>,
    means: &Means,
) -> Result<Linked, Error> {
    for _ in 0..ATTEMPTS {
        let stored = connection::of_user(db, user_id).await?;
        if let Some(stored) = &stored {
            let is_same = stored.provider_user_id == consent.member_id;
            if !is_same && replaces != Some(&stored.provider_user_id) {
                return Ok(Linked::OtherMember {
                    linked: stored.provider_user_id.clone(),
                });
            }
            if is_same && is_wider(linkedin, keys, stored, consent, means.now).await {
                return Ok(Linked::KeptWider);
            }
        }
        let transaction = begin_write(db).await?;
        preference::lock(&transaction, user_id).await?;
        if connection::of_user(&transaction, user_id).await? == stored {
            write(&transaction, keys, user_id, consent, stored, means).await?;
            transaction.commit().await?;
            return Ok(Linked::Done);
        }
    }
    let cause = "the connection changes faster than it can be linked";
    Err(Error::Unavailable(DbErr::Custom(cause.to_owned())))
}

/// Whether the stored connection may do something that the consent does not allow, and still works.
async fn is_wider(
    linkedin: &Client,
    keys: &Keys,
    stored: &linked_identity::Model,
    consent: &Consent,
    now: NaiveDateTime,
) -> bool {
    let Some(granted) = consent.scope.as_deref().map(scopes) else {
        return false;
    };
    let connection = read(stored);
    let loses_some = connection
        .scopes()
        .iter()
        .any(|scope| !granted.contains(scope));
    if !loses_some || !connection.is_active(now) {
        return false;
    }
    let token = connection
        .token()
        .and_then(|token| keys.open(&stored.user_id, token).ok());
    let Some(token) = token else {
        return false;
    };
    !matches!(
        linkedin.member(&token, false).await,
        Err(linkedin::Error::InvalidToken
            | linkedin::Error::Unauthorized
            | linkedin::Error::RevokedToken
            | linkedin::Error::ExpiredToken)
    )
}

fn read(identity: &linked_identity::Model) -> Connection {
    let data = identity.provider_data.as_ref();
    Connection::read(data.map(|data| ProviderData(data.0.to_string())).as_ref())
}

async fn write(
    transaction: &impl ConnectionTrait,
    keys: &Keys,
    user_id: &str,
    consent: &Consent,
    stored: Option<linked_identity::Model>,
    means: &Means,
) -> Result<(), Error> {
    let other = stored
        .as_ref()
        .filter(|stored| stored.provider_user_id != consent.member_id);
    if let Some(other) = other {
        // They are the other member's; those that the new one administers too come back with the next sync.
        pages::remove_others(transaction, &other.id, &[], means.now).await?;
    }
    let same = stored.as_ref().filter(|_| other.is_none());
    let identity = NewIdentity {
        id: means.new_id.clone(),
        user_id: user_id.to_owned(),
        member_id: consent.member_id.clone(),
        name: consent
            .name
            .clone()
            .or_else(|| same?.provider_username.clone()),
        picture: consent.picture.clone(),
        data: data(keys, user_id, consent, same.map(read).as_ref(), means),
        connected_at: same.map_or(means.now, |same| same.connected_at),
        verified_at: means.now,
    };
    connection::store(transaction, identity).await?;
    tracing::info!(
        user.id = user_id,
        reconnected = same.is_some(),
        replaced = other.is_some(),
        "linked LinkedIn"
    );
    Ok(())
}

/// The connection data, as InterlinedList writes it. `known` is the same member's connection before.
pub(super) fn data(
    keys: &Keys,
    user_id: &str,
    consent: &Consent,
    known: Option<&Connection>,
    means: &Means,
) -> SecretJson {
    let [nonce, refresh_nonce] = means.nonces;
    let mut data = Map::new();
    let mut put = |key: &str, value: Value| data.insert(key.to_owned(), value);
    let token = keys.seal(user_id, &consent.access_token, nonce);
    put("access_token", token.expose_secret().into());
    if let Some(seconds) = consent.expires_in {
        put("expires_in", seconds.into());
    }
    if let Some(end) = end(consent.granted_at, consent.expires_in) {
        put("expires_at", end.into());
    }
    // What LinkedIn does not tell is what it was before, as far as anybody knows.
    let known_scope = || known.map(|known| known.scopes().join(","));
    if let Some(scope) = consent.scope.clone().or_else(known_scope) {
        put("scope", scope.into());
    }
    if let Some(token) = &consent.refresh_token {
        let token = keys.seal(user_id, token, refresh_nonce);
        put("refresh_token", token.expose_secret().into());
        if let Some(end) = end(consent.granted_at, consent.refresh_token_expires_in) {
            put("refresh_token_expires_at", end.into());
        }
    }
    SecretJson(Value::Object(data))
}

fn end(granted_at: NaiveDateTime, seconds: Option<u64>) -> Option<String> {
    let lifetime = TimeDelta::try_seconds(i64::try_from(seconds?).ok()?)?;
    let end = granted_at.checked_add_signed(lifetime)?;
    Some(end.format("%FT%T%.3fZ").to_string())
}
