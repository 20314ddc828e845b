use std::{collections::HashMap, sync::Arc};

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

use crate::{
    domain::target::{self, PersonalPage},
    linkedin::{self, FoundPage, Listing, Logo},
    storage::{entity::personal_page, personal_page::NewPage},
};

/// The pages now, and what the sync did to them.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) at: NaiveDateTime,
    /// Whether LinkedIn's list was read to its end. Only then are pages removed.
    pub(crate) complete: bool,
    pub(crate) pages: Vec<Arc<PersonalPage>>,
    pub(crate) added: Vec<Arc<PersonalPage>>,
    pub(crate) restored: Vec<Arc<PersonalPage>>,
    /// With the names they had before.
    pub(crate) renamed: Vec<(Arc<PersonalPage>, String)>,
    pub(crate) removed: Vec<Arc<PersonalPage>>,
    pub(crate) skipped: Vec<Skipped>,
}

/// A page that LinkedIn listed and that is not a target.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Skipped {
    pub(crate) number: String,
    pub(crate) name: Option<String>,
    pub(crate) reason: SkipReason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SkipReason {
    RoleMayNotPost,
    RoleNotApproved,
    PageGone,
}

/// A report as it is stored, by the pages' ids.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Changes {
    pub(super) complete: bool,
    added: Vec<String>,
    restored: Vec<String>,
    renamed: Vec<(String, String)>,
    removed: Vec<String>,
    skipped: Vec<Skipped>,
}

/// What is to be stored, and what that changes.
pub(super) fn plan(
    before: Vec<personal_page::Model>,
    listing: Listing,
    mut new_id: impl FnMut() -> String,
) -> (Vec<NewPage>, Changes) {
    let mut before: HashMap<_, _> = before
        .into_iter()
        .map(|page| (page.linked_in_page_id.clone(), page))
        .collect();
    let mut changes = Changes {
        complete: listing.complete,
        skipped: listing.skipped.into_iter().map(Skipped::new).collect(),
        ..Changes::default()
    };
    let mut new = Vec::with_capacity(listing.pages.len());
    for found in listing.pages {
        let known = before.remove(&found.number);
        let page = merged(found, known.as_ref(), &mut new_id);
        match known {
            None => changes.added.push(page.id.clone()),
            Some(known) => {
                if known.removed_at.is_some() {
                    changes.restored.push(known.id.clone());
                }
                if known.page_name != page.name {
                    changes.renamed.push((known.id, known.page_name));
                }
            }
        }
        new.push(page);
    }
    if changes.complete {
        let gone = before
            .into_values()
            .filter(|page| page.removed_at.is_none());
        changes.removed = gone.map(|page| page.id).collect();
    }
    (new, changes)
}

/// What LinkedIn would not tell this time stays as it was known.
fn merged(
    found: FoundPage,
    known: Option<&personal_page::Model>,
    new_id: &mut impl FnMut() -> String,
) -> NewPage {
    let known_name = || known.map(|page| page.page_name.clone());
    let fallback = found.fallback_name();
    let name = found.name.and_then(storable);
    NewPage {
        id: known.map_or_else(new_id, |page| page.id.clone()),
        name: name.or_else(known_name).unwrap_or(fallback),
        logo: match found.logo {
            Logo::Url(url) => Some(url),
            Logo::None => None,
            Logo::Unknown => known.and_then(|page| page.page_logo_url.clone()),
        },
        number: found.number,
    }
}

/// PostgreSQL holds no NUL, in text or in JSON.
fn storable(name: String) -> Option<String> {
    let name = name.replace('\0', "");
    (!name.trim().is_empty()).then_some(name)
}

impl Report {
    pub(super) fn new(
        at: NaiveDateTime,
        changes: Changes,
        rows: Vec<personal_page::Model>,
    ) -> Self {
        let are_there = rows.iter().filter(|row| row.removed_at.is_none());
        let pages = target::in_order(are_there.cloned().map(PersonalPage::from).map(Arc::new));
        let rows: HashMap<_, _> = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
        let page = |id: &String| rows.get(id).cloned().map(PersonalPage::from).map(Arc::new);
        let these = |ids: &[String]| target::in_order(ids.iter().filter_map(page));
        let renamed = changes.renamed.iter();
        Self {
            at,
            complete: changes.complete,
            pages,
            added: these(&changes.added),
            restored: these(&changes.restored),
            renamed: renamed
                .filter_map(|(id, from)| Some((page(id)?, from.clone())))
                .collect(),
            removed: these(&changes.removed),
            skipped: changes.skipped,
        }
    }
}

impl Skipped {
    fn new(page: linkedin::SkippedPage) -> Self {
        Self {
            number: page.number,
            name: page.name.and_then(storable),
            reason: match page.reason {
                linkedin::SkipReason::RoleMayNotPost(_) => SkipReason::RoleMayNotPost,
                linkedin::SkipReason::NotApproved(_) => SkipReason::RoleNotApproved,
                linkedin::SkipReason::NotFound => SkipReason::PageGone,
            },
        }
    }
}
