//! Links a member's LinkedIn account to a user, or connects it anew.
//!
//! A user has one identity row, whatever happens: its id, its pages and the preferences for them survive a reconnect.

use chrono::NaiveDateTime;
use sea_orm::{ConnectionTrait, DbErr};

use super::{
    connection::{Connection, scopes},
    error::Error,
    granted::Granted,
    listeners::Listeners,
};
pub(crate) use crate::linkedin::Grant;
use crate::{
    linkedin::{self, Client},
    seal::{self, Keys},
    storage::{
        Database,
        account::ProviderData,
        commit,
        connection::{self, NewIdentity},
        entity::linked_identity,
        failure, personal_page as pages, preference,
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
    pub(crate) grant: Grant,
    pub(crate) granted_at: NaiveDateTime,
}

/// What a link is made from besides the consent.
#[derive(Clone)]
pub(crate) struct Means {
    pub(crate) now: NaiveDateTime,
    /// For the row, should it be the user's first.
    pub(crate) new_id: String,
    /// Random, one for each token.
    pub(crate) nonces: [[u8; seal::NONCE_LEN]; 2],
    /// Who is told of the link.
    pub(crate) listeners: Listeners,
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
            grant,
            granted_at: now,
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
    db: &Database,
    linkedin: &Client,
    keys: &Keys,
    user_id: &str,
    consent: &Consent,
    replaces: Option<&str>,
    means: &Means,
) -> Result<Linked, Error> {
    for _ in 0..ATTEMPTS {
        let stored = connection::of_user(&**db, user_id).await?;
        if let Some(stored) = &stored {
            let is_same = stored.provider_user_id == consent.member_id;
            if !is_same && replaces != Some(&stored.provider_user_id) {
                return Ok(Linked::OtherMember {
                    linked: stored.provider_user_id.clone(),
                });
            }
            if is_same && is_wider(linkedin, keys, stored, consent, means.now).await {
                tell(user_id, "kept_wider");
                return Ok(Linked::KeptWider);
            }
        }
        match replace(db, keys, user_id, consent, stored, means).await {
            Ok(Some(outcome)) => {
                means.listeners.announce(user_id);
                tell(user_id, outcome);
                return Ok(Linked::Done);
            }
            Ok(None) => {}
            // Another transaction was in the way.
            Err(Error::Storage(cause)) if failure::is_conflict(&cause) => {}
            Err(cause) => return Err(cause),
        }
    }
    let cause = "the connection changes faster than it can be linked";
    Err(Error::Unavailable(DbErr::Custom(cause.to_owned())))
}

/// Puts the consent in the place of what is stored, and says what that means; `None` when something else is stored by
/// now.
async fn replace(
    db: &Database,
    keys: &Keys,
    user_id: &str,
    consent: &Consent,
    stored: Option<linked_identity::Model>,
    means: &Means,
) -> Result<Option<&'static str>, Error> {
    let transaction = db.begin_write().await?;
    preference::lock_and_give_way(&transaction, user_id).await?;
    if connection::of_user(&transaction, user_id).await? != stored {
        return Ok(None);
    }
    let outcome = match &stored {
        None => "linked",
        Some(stored) if stored.provider_user_id == consent.member_id => "reconnected",
        Some(_) => "replaced",
    };
    write(&transaction, keys, user_id, consent, stored, means).await?;
    commit(transaction).await?;
    Ok(Some(outcome))
}

/// Whether the stored connection may do something that the consent does not allow, and still works.
async fn is_wider(
    linkedin: &Client,
    keys: &Keys,
    stored: &linked_identity::Model,
    consent: &Consent,
    now: NaiveDateTime,
) -> bool {
    let Some(granted) = consent.grant.scope.as_deref() else {
        return false;
    };
    let connection = read(stored);
    let is_granted = |scope| scopes(granted).any(|granted| granted == scope);
    let loses_some = !connection.scopes().all(is_granted);
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
        data: Granted {
            grant: &consent.grant,
            at: consent.granted_at,
            known: same.map(read).as_ref(),
        }
        .data(keys, user_id, means.nonces),
        connected_at: same.map_or(means.now, |same| same.connected_at),
        verified_at: means.now,
    };
    connection::store(transaction, identity).await?;
    Ok(())
}

/// Leaves a line about a link that is over.
fn tell(user_id: &str, outcome: &str) {
    tracing::info!(target: "audit", action = "link", user.id = user_id, outcome, "linked LinkedIn");
}
