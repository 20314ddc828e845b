//! The walk over a member's roles, from its first element to its last.

use std::collections::{BTreeMap, HashSet, btree_map::Entry};

use serde::Deserialize;
use url::form_urlencoded;

use super::{
    call::Operation,
    error::{Error, Failure},
};

/// Elements asked for at once; LinkedIn may give fewer.
const COUNT: usize = 100;

/// More roles than LinkedIn knows, so that a walk over so many for each page is one without end.
const ROLES_PER_PAGE: usize = 16;

const POSTING_ROLES: [&str; 2] = ["ADMINISTRATOR", "CONTENT_ADMINISTRATOR"];

/// What a page stands for, which its URN tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageKind {
    /// A company: `urn:li:organization:…`
    Organization,
    /// A showcase: `urn:li:organizationBrand:…`
    OrganizationBrand,
}

/// Why a member cannot post to a page that LinkedIn lists for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// The role, in LinkedIn's spelling, does not allow it.
    RoleMayNotPost(String),
    /// The role is not approved; its state in LinkedIn's spelling.
    NotApproved(String),
    /// The page is gone, or the member may not see it.
    NotFound,
}

/// The pages on which a member has roles, by number.
#[derive(Debug)]
pub(super) struct Roles {
    pub(super) pages: BTreeMap<u64, Standing>,
    /// Whether the walk reached its end.
    pub(super) is_complete: bool,
}

/// What all the roles on one page amount to.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) kind: PageKind,
    /// `None` if the member may post.
    pub(super) skip: Option<SkipReason>,
}

impl Operation<'_> {
    /// Walks to the end, as far as it can. What fails after the first answer leaves the walk incomplete, unless only
    /// somebody's act can help.
    pub(super) async fn roles(&self) -> Result<Roles, Error> {
        let mut walk = Walk::new(self.settings().max_pages);
        let mut start = 0;
        while start <= walk.max_elements() {
            let answer = match self.roles_from(start).await {
                Ok(answer) => answer,
                Err(error) if start > 0 && is_interruption(&error) => break,
                Err(error) => return Err(error),
            };
            let next = answer.next(start);
            match (walk.add(answer.elements)?, next) {
                (Added::Some, Next::At(next)) => start = next,
                (Added::Some, Next::None) => return Ok(walk.end(true)),
                _ => break,
            }
        }
        Ok(walk.end(false))
    }

    async fn roles_from(&self, start: usize) -> Result<Answer, Error> {
        let query = format!("q=roleAssignee&state=APPROVED&start={start}&count={COUNT}");
        self.get_rest("/rest/organizationAcls", &query).await
    }
}

fn is_interruption(error: &Error) -> bool {
    matches!(
        error,
        Error::Unavailable(_) | Error::NotFound | Error::Rejected { .. }
    )
}

/// What a walk has seen so far.
struct Walk {
    pages: BTreeMap<u64, Standing>,
    roles: HashSet<(u64, String, String)>,
    max_pages: usize,
}

/// What came of an answer's elements.
enum Added {
    /// All of them; or there were none.
    Some,
    /// Every one was seen before, so the walk goes in a circle.
    Nothing,
    /// There was no room for a page.
    Part,
}

impl Walk {
    fn new(max_pages: usize) -> Self {
        Self {
            pages: BTreeMap::new(),
            roles: HashSet::new(),
            max_pages,
        }
    }

    fn max_elements(&self) -> usize {
        self.max_pages.saturating_mul(ROLES_PER_PAGE)
    }

    fn add(&mut self, elements: Vec<Element>) -> Result<Added, Error> {
        let mut is_new = elements.is_empty();
        for element in elements {
            let (kind, number) = element.page().ok_or(Failure::UnknownShape)?;
            let skip = element.skip_reason();
            let has_room = self.pages.len() < self.max_pages;
            match self.pages.entry(number) {
                Entry::Occupied(mut known) => known.get_mut().improve(skip),
                Entry::Vacant(place) if has_room => {
                    place.insert(Standing { kind, skip });
                }
                Entry::Vacant(_) => return Ok(Added::Part),
            }
            is_new |= self.roles.insert((number, element.role, element.state));
        }
        Ok(if is_new { Added::Some } else { Added::Nothing })
    }

    fn end(self, is_complete: bool) -> Roles {
        Roles {
            pages: self.pages,
            is_complete,
        }
    }
}

impl Standing {
    /// The role that allows most counts; of the others, an approved one says more.
    fn improve(&mut self, other: Option<SkipReason>) {
        let is_better = match &other {
            None => true,
            Some(SkipReason::RoleMayNotPost(_)) => {
                matches!(self.skip, Some(SkipReason::NotApproved(_)))
            }
            Some(_) => false,
        };
        if is_better {
            self.skip = other;
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    elements: Vec<Element>,
    #[serde(default)]
    paging: Paging,
}

/// One role on one page. Which of the three keys names the page depends on LinkedIn's version.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Element {
    organization: Option<String>,
    organization_target: Option<String>,
    organizational_target: Option<String>,
    role: String,
    state: String,
}

#[derive(Default, Deserialize)]
struct Paging {
    start: Option<usize>,
    count: Option<usize>,
    /// May be absent or 0 though there are elements.
    total: Option<usize>,
    #[serde(default)]
    links: Vec<Link>,
}

#[derive(Deserialize)]
struct Link {
    rel: String,
    href: String,
}

/// How a walk goes on.
enum Next {
    At(usize),
    None,
    /// The answer contradicts itself, so nobody knows what is left out.
    Unclear,
}

impl Answer {
    /// Steps by the elements received: a server that gives fewer than it was asked for may still link as if it had
    /// given all.
    fn next(&self, start: usize) -> Next {
        let (received, paging) = (self.elements.len(), &self.paging);
        let after = start.saturating_add(received);
        if paging.start.is_some_and(|told| told != start) {
            return Next::Unclear;
        }
        let Some(link) = paging.links.iter().find(|link| link.rel == "next") else {
            return self.next_without_link(after);
        };
        match link.start() {
            Some(linked) if linked <= start => Next::Unclear,
            _ if received > 0 => Next::At(after),
            Some(linked) => Next::At(linked),
            None => Next::Unclear,
        }
    }

    /// The end is where a server gives fewer than the count that it goes by. One that does not tell its count may have
    /// clamped ours, so it is asked for more until there is none.
    fn next_without_link(&self, after: usize) -> Next {
        let (received, paging) = (self.elements.len(), &self.paging);
        let total = paging.total.unwrap_or(0);
        if after == 0 && total > 0 {
            return Next::Unclear;
        }
        if received == 0 || !paging.links.is_empty() {
            return Next::None;
        }
        match paging.count {
            Some(count) if received < count.min(COUNT) && total <= after => Next::None,
            _ => Next::At(after),
        }
    }
}

impl Link {
    /// All that is used of a link: it could lead anywhere.
    fn start(&self) -> Option<usize> {
        let (_, query) = self.href.split_once('?')?;
        form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == "start")
            .and_then(|(_, value)| value.parse().ok())
    }
}

impl Element {
    fn page(&self) -> Option<(PageKind, u64)> {
        let urn = (self.organization.as_deref())
            .or(self.organization_target.as_deref())
            .or(self.organizational_target.as_deref())?;
        let (kind, number) = urn.strip_prefix("urn:li:")?.split_once(':')?;
        let kind = match kind {
            "organization" => PageKind::Organization,
            "organizationBrand" => PageKind::OrganizationBrand,
            _ => return None,
        };
        Some((kind, number.parse().ok()?))
    }

    fn skip_reason(&self) -> Option<SkipReason> {
        if self.state != "APPROVED" {
            Some(SkipReason::NotApproved(self.state.clone()))
        } else if POSTING_ROLES.contains(&self.role.as_str()) {
            None
        } else {
            Some(SkipReason::RoleMayNotPost(self.role.clone()))
        }
    }
}
