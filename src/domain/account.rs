use std::collections::HashSet;

use chrono::NaiveDateTime;
use sea_orm::ConnectionTrait;

use super::{
    connection::Connection,
    error::Error,
    preference::Preferences,
    target::{OrgPage, Personal, PersonalPage, Target},
};
use crate::storage::account::{self, AccountRows};

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
}

/// Finds the caller by what they present; `now` is UTC.
pub(crate) async fn of_caller(
    db: &impl ConnectionTrait,
    credentials: &Credentials,
    now: NaiveDateTime,
) -> Result<Account, Error> {
    let rows = account::of_caller(db, credentials, now).await?;
    rows.map(|rows| Account::new(rows, now))
        .ok_or(Error::Unauthenticated)
}

impl Account {
    fn new(rows: AccountRows, now: NaiveDateTime) -> Self {
        let connection = rows
            .identity
            .as_ref()
            .map(|identity| Connection::read(identity.provider_data.as_ref()));
        let is_connected = connection
            .as_ref()
            .is_some_and(|connection| connection.is_active(now));
        let personal = rows.identity.filter(|_| is_connected).map(Personal::new);

        let mut org_pages: Vec<_> = rows.org_pages.into_iter().map(OrgPage::new).collect();
        org_pages.sort_by_cached_key(|page| order(&page.label, &page.id));

        // The organization's form of a page wins over the member's own.
        let shared: HashSet<_> = org_pages
            .iter()
            .map(|page| page.linkedin_page_id.clone())
            .collect();
        let mut personal_pages: Vec<_> = rows
            .personal_pages
            .into_iter()
            .filter(|page| is_connected && !shared.contains(&page.linkedin_page_id))
            .map(PersonalPage::new)
            .collect();
        personal_pages.sort_by_cached_key(|page| order(&page.label, &page.id));

        let personal = personal.into_iter().map(Target::Personal);
        let org_pages = org_pages.into_iter().map(Target::OrgPage);
        let personal_pages = personal_pages.into_iter().map(Target::PersonalPage);
        Self {
            user_id: rows.user_id,
            targets: personal.chain(org_pages).chain(personal_pages).collect(),
            preferences: Preferences::new(rows.preferences),
            org_scope_missing: connection.is_some_and(|connection| connection.lacks_org_scope()),
            is_connected,
        }
    }

    /// Of the organizations whose pages are among the targets, with repetitions.
    pub(crate) fn organization_ids(&self) -> impl Iterator<Item = &str> {
        self.targets.iter().filter_map(|target| match target {
            Target::OrgPage(page) => Some(page.organization_id.as_str()),
            Target::Personal(_) | Target::PersonalPage(_) => None,
        })
    }

    /// Each target with whether it is enabled.
    pub(crate) fn posting_targets(&self) -> impl Iterator<Item = (&Target, bool)> {
        self.targets
            .iter()
            .map(|target| (target, self.preferences.enables(&target.id())))
    }
}

fn order(label: &str, id: &str) -> (String, String) {
    (label.to_lowercase(), id.to_owned())
}
