use std::{collections::HashSet, sync::Arc};

use chrono::NaiveDateTime;
use sea_orm::{DatabaseConnection, DatabaseTransaction};

use super::{
    connection::Connection,
    error::Error,
    preference::Preferences,
    target::{self, OrgPage, Personal, PersonalPage, Target, TargetId},
};
use crate::{
    metrics::Metrics,
    storage::account::{self, AccountRows, Asker, IdentityRow},
};

pub(crate) use crate::storage::account::Credentials;

/// The caller, with every LinkedIn destination they can post to right now and what they prefer.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) user_id: String,
    /// In the order in which every client shows them.
    pub(crate) targets: Vec<Target>,
    pub(crate) preferences: Preferences,
    /// Whether there is connection data whose stored scope lacks the organization scope.
    pub(crate) org_scope_missing: bool,
    /// Whether the caller's own connection can post at this moment.
    pub(crate) is_connected: bool,
    pub(crate) identity: Option<Identity>,
    /// When the account is another one by time alone, as far as that is known: the session, the caller's connection
    /// or that of an organization ends.
    pub(crate) good_until: Option<NaiveDateTime>,
}

/// The caller's own account at LinkedIn, whether its connection works or not.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) avatar_url: Option<String>,
    pub(crate) connection: Connection,
}

/// The accounts of those who ask. Requests that wait for theirs at the same time share a statement.
#[derive(Clone, Debug)]
pub(crate) struct Accounts(account::Shared);

impl Accounts {
    /// Must be called within a runtime.
    pub(crate) fn new(db: &DatabaseConnection, metrics: &Metrics) -> Self {
        Self(account::Shared::new(
            db.clone(),
            Box::new(metrics.statements()),
        ))
    }

    /// Whether nobody asks at this moment, nor have several together lately.
    pub(crate) fn are_quiet(&self) -> bool {
        self.0.is_quiet()
    }

    /// Finds the caller by what they present; `now` is UTC.
    pub(crate) async fn of_caller(
        &self,
        credentials: &Credentials,
        now: NaiveDateTime,
    ) -> Result<Account, Error> {
        if credentials.is_empty() {
            return Err(Error::Unauthenticated);
        }
        let credentials = credentials.clone();
        let rows = self.0.of_caller(Asker::new(credentials, now)).await;
        Account::found(rows.map_err(|account::Gone| Error::Panicked)??, now)
    }
}

/// The same, as a transaction sees it.
pub(crate) async fn of_caller(
    transaction: &DatabaseTransaction,
    credentials: &Credentials,
    now: NaiveDateTime,
) -> Result<Account, Error> {
    let asker = Asker::new(credentials.clone(), now);
    Account::found(account::of_caller(transaction, asker).await?, now)
}

impl Account {
    fn found(rows: Option<AccountRows>, now: NaiveDateTime) -> Result<Self, Error> {
        rows.map(|rows| Self::new(rows, now))
            .ok_or(Error::Unauthenticated)
    }

    fn new(rows: AccountRows, now: NaiveDateTime) -> Self {
        let identity = rows.identity.map(Identity::new);
        let active = identity
            .as_ref()
            .filter(|identity| identity.connection.is_active(now));
        let own_end = active.and_then(|identity| identity.connection.expires_at());
        let org_ends = rows.org_pages.iter().filter_map(|page| page.at);
        let good_until = org_ends.chain(own_end).chain(rows.session_ends_at).min();
        let personal = active.map(Personal::new);
        let is_connected = active.is_some();

        let org_pages = rows.org_pages.into_iter().map(OrgPage::new);
        let org_pages = target::in_order(org_pages.map(Arc::new));

        // The organization's form of a page wins over the member's own.
        let shared: HashSet<_> = org_pages
            .iter()
            .map(|page| page.linkedin_page_id.as_str())
            .collect();
        let personal_pages = rows
            .personal_pages
            .into_iter()
            .filter(|page| is_connected && !shared.contains(page.linkedin_page_id.as_str()))
            .map(PersonalPage::new);
        let personal_pages = target::in_order(personal_pages.map(Arc::new));

        let personal = personal.into_iter().map(Arc::new).map(Target::Personal);
        let org_pages = org_pages.into_iter().map(Target::OrgPage);
        let personal_pages = personal_pages.into_iter().map(Target::PersonalPage);
        Self {
            user_id: rows.user_id,
            targets: personal.chain(org_pages).chain(personal_pages).collect(),
            preferences: Preferences::new(rows.preferences),
            org_scope_missing: identity
                .as_ref()
                .is_some_and(|identity| identity.connection.lacks_org_scope()),
            is_connected,
            identity,
            good_until,
        }
    }

    /// The target with this id, when it is the caller's.
    pub(crate) fn target(&self, id: &TargetId) -> Option<&Target> {
        self.targets.iter().find(|target| target.has(id))
    }

    /// Of the organizations whose pages are among the targets, with repetitions.
    pub(crate) fn organization_ids(&self) -> impl Iterator<Item = &str> {
        self.targets.iter().filter_map(|target| match target {
            Target::OrgPage(page) => Some(page.organization_id.as_str()),
            Target::Personal(_) | Target::PersonalPage(_) => None,
        })
    }
}

impl Identity {
    fn new(row: IdentityRow) -> Self {
        Self {
            connection: Connection::read(row.provider_data.as_ref()),
            id: row.id,
            name: row.name,
            avatar_url: row.avatar_url,
        }
    }
}
