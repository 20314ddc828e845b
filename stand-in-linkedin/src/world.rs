//! Who and what there is at LinkedIn.

use std::{collections::BTreeSet, fmt};

use secrecy::SecretString;

use crate::{
    fault::Fault,
    grant::Grants,
    when::{Plan, When},
};

/// Everything that the stand-in knows, and how it behaves. It starts without members, pages and applications.
#[derive(Debug)]
pub struct World {
    /// In the order in which the consent page offers them.
    pub members: Vec<Member>,
    /// Company and showcase pages.
    pub organizations: Vec<Organization>,
    /// In the order in which they are listed.
    pub assignments: Vec<Assignment>,
    /// Who may ask members for consent.
    pub applications: Vec<Application>,
    /// How roles are listed.
    pub listing: Listing,
    /// Which values of `LinkedIn-Version` are served, as `YYYYMM`.
    pub versions: BTreeSet<String>,
    /// How many calls a new token is refused as revoked, as LinkedIn may do for some seconds.
    pub fresh_token_refusals: u32,
    pub(crate) faults: Vec<Plan>,
    pub(crate) grants: Grants,
}

/// A person at LinkedIn.
#[derive(Clone, Debug)]
pub struct Member {
    /// The id that applications see.
    pub sub: String,
    /// Given name, blank, family name.
    pub name: String,
    /// Some have none that is confirmed.
    pub email: Option<String>,
    /// An address.
    pub picture: Option<String>,
}

/// A page that members have roles on.
#[derive(Clone, Debug)]
pub struct Organization {
    /// LinkedIn's id, which companies and showcases share.
    pub number: u64,
    /// What people see.
    pub name: String,
    /// The end of the page's address.
    pub vanity_name: String,
    /// Company or showcase.
    pub kind: Kind,
    /// The image, if there is one.
    pub logo: Option<Logo>,
    /// Who may read it.
    pub visibility: Visibility,
}

/// What a page stands for, which its URN tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `urn:li:organization:…`
    Company,
    /// `urn:li:organizationBrand:…`
    Showcase,
}

/// The image of a page.
#[derive(Clone, Debug)]
pub struct Logo {
    /// The end of `urn:li:digitalmediaAsset:…` and of `urn:li:image:…`; letters, digits, `-` and `_`.
    pub asset: String,
    /// False while LinkedIn is still working on it: there is no address to load it from yet.
    pub available: bool,
}

/// Who may read a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Its administrators; everybody else gets 403, and the public part by `organizationsLookup`.
    Administrators,
    /// 403 even for its administrators, and the public part by `organizationsLookup`.
    Refused,
    /// 404 for everybody and everywhere.
    Missing,
}

/// One role of one member on one page. Who has several roles on a page has several of these.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The member's `sub`.
    pub member: String,
    /// The page's number.
    pub organization: u64,
    /// What the member may do there.
    pub role: Role,
    /// Only approved ones count.
    pub state: RoleState,
}

/// What somebody may do on a page.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are all that LinkedIn tells")]
pub enum Role {
    Administrator,
    ContentAdministrator,
    DirectSponsoredContentPoster,
    Analyst,
    Curator,
    RecruitingPoster,
    LeadGenFormsManager,
    /// A role that LinkedIn might invent, in LinkedIn's spelling.
    Other(String),
}

/// How far a role has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are all that LinkedIn tells")]
pub enum RoleState {
    Approved,
    Requested,
    Rejected,
    Revoked,
}

/// Software that acts for members.
#[derive(Clone, Debug)]
pub struct Application {
    /// Its public id.
    pub client_id: String,
    /// What only it knows.
    pub client_secret: SecretString,
    /// Where members may be sent back to; compared character by character.
    pub redirect_uris: Vec<String>,
    /// What it may ask for.
    pub scopes: BTreeSet<String>,
    /// What happens when it asks for more.
    pub unauthorized_scopes: UnauthorizedScopes,
    /// Whether its token answers name the scopes.
    pub names_scopes: bool,
    /// Whether it gets refresh tokens, as approved partners do.
    pub partner: bool,
}

/// What happens to an application that asks for scopes it may not have. All of these have been seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnauthorizedScopes {
    /// The member is sent back with `unauthorized_scope_error`.
    Refused,
    /// The member is asked for the others only, and nobody says so.
    LeftOut,
    /// The member is shown an error at LinkedIn, and never comes back.
    Stranded,
}

/// How roles are listed.
#[derive(Clone, Debug)]
pub struct Listing {
    /// How many are listed when nobody says.
    pub default_count: usize,
    /// More are never listed at once, whatever is asked for. At least 1.
    pub max_count: usize,
    /// What `paging.total` says.
    pub total: Total,
    /// Whether `paging.links` leads on.
    pub links: bool,
    /// Under which key a role names its page.
    pub urn_key: UrnKey,
}

/// What `paging.total` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Total {
    Absent,
    Zero,
    Exact,
}

/// Under which key a role names its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the keys are the names in camel case")]
pub enum UrnKey {
    Organization,
    OrganizationTarget,
    OrganizationalTarget,
    /// The page is not named at all.
    Absent,
}

impl Default for World {
    fn default() -> Self {
        Self {
            members: Vec::new(),
            organizations: Vec::new(),
            assignments: Vec::new(),
            applications: Vec::new(),
            listing: Listing::default(),
            versions: ["202604", "202605", "202606", "202607"]
                .map(str::to_owned)
                .into(),
            fresh_token_refusals: 0,
            faults: Vec::new(),
            grants: Grants::default(),
        }
    }
}

impl World {
    /// Gives a member an approved role, or approves the one they have.
    pub fn assign(&mut self, sub: &str, organization: u64, role: Role) {
        let known = self
            .assignments
            .iter_mut()
            .find(|row| row.is(sub, organization) && row.role == role);
        match known {
            Some(row) => row.state = RoleState::Approved,
            None => self.assignments.push(Assignment {
                member: sub.to_owned(),
                organization,
                role,
                state: RoleState::Approved,
            }),
        }
    }

    /// Changes the state of every role that a member has on a page: [`RoleState::Revoked`] takes the page away.
    pub fn set_state(&mut self, sub: &str, organization: u64, state: RoleState) {
        self.assignments
            .iter_mut()
            .filter(|row| row.is(sub, organization))
            .for_each(|row| row.state = state);
    }

    /// Gives a page another name.
    pub fn rename(&mut self, organization: u64, name: &str) {
        self.organizations
            .iter_mut()
            .filter(|page| page.number == organization)
            .for_each(|page| page.name = name.to_owned());
    }

    /// Makes every token that a member has granted so far a revoked one.
    pub fn revoke_tokens(&mut self, sub: &str) {
        self.grants.revoke(sub);
    }

    /// Makes every access token that a member has granted so far an expired one. Refresh tokens stay.
    pub fn expire_tokens(&mut self, sub: &str) {
        self.grants.expire(sub);
    }

    /// Spoils calls. Where several faults fit a call, it meets the one that was planned first.
    pub fn fail(&mut self, fault: Fault, when: When) {
        self.faults.push(Plan::new(fault, when));
    }

    /// Forgets all faults.
    pub fn heal(&mut self) {
        self.faults.clear();
    }

    pub(crate) fn member(&self, sub: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.sub == sub)
    }

    pub(crate) fn organization(&self, number: u64) -> Option<&Organization> {
        self.organizations.iter().find(|page| page.number == number)
    }

    pub(crate) fn application(&self, client_id: &str) -> Option<&Application> {
        self.applications
            .iter()
            .find(|application| application.client_id == client_id)
    }

    pub(crate) fn administers(&self, sub: &str, organization: u64) -> bool {
        self.assignments.iter().any(|row| {
            row.is(sub, organization)
                && row.role == Role::Administrator
                && row.state == RoleState::Approved
        })
    }
}

impl Member {
    /// Somebody without address or picture.
    #[must_use]
    pub fn new(sub: &str, name: &str) -> Self {
        Self {
            sub: sub.to_owned(),
            name: name.to_owned(),
            email: None,
            picture: None,
        }
    }
}

impl Organization {
    /// A company's page without a logo, which its administrators can read.
    #[must_use]
    pub fn new(number: u64, name: &str) -> Self {
        Self {
            number,
            name: name.to_owned(),
            vanity_name: name.to_lowercase().replace(' ', "-"),
            kind: Kind::Company,
            logo: None,
            visibility: Visibility::Administrators,
        }
    }

    pub(crate) fn urn(&self) -> String {
        match self.kind {
            Kind::Company => format!("urn:li:organization:{}", self.number),
            Kind::Showcase => format!("urn:li:organizationBrand:{}", self.number),
        }
    }
}

impl Assignment {
    fn is(&self, sub: &str, organization: u64) -> bool {
        self.member == sub && self.organization == organization
    }
}

impl Application {
    /// An application that may ask for every scope that linkedin-targets knows, and is no partner.
    #[must_use]
    pub fn new(client_id: &str, client_secret: SecretString, redirect_uri: &str) -> Self {
        Self {
            client_id: client_id.to_owned(),
            client_secret,
            redirect_uris: vec![redirect_uri.to_owned()],
            scopes: [
                "openid",
                "profile",
                "email",
                "w_member_social",
                "rw_organization_admin",
                "w_organization_social",
            ]
            .map(str::to_owned)
            .into(),
            unauthorized_scopes: UnauthorizedScopes::Refused,
            names_scopes: true,
            partner: false,
        }
    }
}

impl Default for Listing {
    fn default() -> Self {
        Self {
            default_count: 10,
            max_count: 100,
            total: Total::Absent,
            links: true,
            urn_key: UrnKey::Organization,
        }
    }
}

impl UrnKey {
    pub(crate) fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Organization => Some("organization"),
            Self::OrganizationTarget => Some("organizationTarget"),
            Self::OrganizationalTarget => Some("organizationalTarget"),
            Self::Absent => None,
        }
    }
}

impl RoleState {
    const ALL: [Self; 4] = [
        Self::Approved,
        Self::Requested,
        Self::Rejected,
        Self::Revoked,
    ];

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "APPROVED",
            Self::Requested => "REQUESTED",
            Self::Rejected => "REJECTED",
            Self::Revoked => "REVOKED",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Administrator => "ADMINISTRATOR",
            Self::ContentAdministrator => "CONTENT_ADMINISTRATOR",
            Self::DirectSponsoredContentPoster => "DIRECT_SPONSORED_CONTENT_POSTER",
            Self::Analyst => "ANALYST",
            Self::Curator => "CURATOR",
            Self::RecruitingPoster => "RECRUITING_POSTER",
            Self::LeadGenFormsManager => "LEAD_GEN_FORMS_MANAGER",
            Self::Other(name) => name,
        })
    }
}
