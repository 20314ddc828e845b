//! Watching the calls that arrive, and handing them their faults.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, StatusCode, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use url::form_urlencoded;

use crate::{StandIn, api};

/// Longer request bodies are refused; in bytes.
const MAX_BODY: usize = 64 * 1024;

/// A call that LinkedIn offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// The page on which a member consents.
    Authorization,
    /// Codes and refresh tokens are exchanged here.
    AccessToken,
    /// How a token stands.
    Introspection,
    /// Who the member is.
    UserInfo,
    /// The member's roles.
    OrganizationAcls,
    /// Pages, for those who administer them.
    Organizations,
    /// Pages, for everybody.
    OrganizationsLookup,
    /// Where logos are.
    Images,
}

impl Endpoint {
    /// In the order in which linking and syncing use them.
    pub const ALL: [Self; 8] = [
        Self::Authorization,
        Self::AccessToken,
        Self::Introspection,
        Self::UserInfo,
        Self::OrganizationAcls,
        Self::Organizations,
        Self::OrganizationsLookup,
        Self::Images,
    ];

    /// Where it is, below [`StandIn::base_url`].
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Authorization => "/oauth/v2/authorization",
            Self::AccessToken => "/oauth/v2/accessToken",
            Self::Introspection => "/oauth/v2/introspectToken",
            Self::UserInfo => "/v2/userinfo",
            Self::OrganizationAcls => "/rest/organizationAcls",
            Self::Organizations => "/rest/organizations",
            Self::OrganizationsLookup => "/rest/organizationsLookup",
            Self::Images => "/rest/images",
        }
    }

    pub(crate) fn at(path: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|endpoint| endpoint.path() == path)
    }
}

/// A call that arrived. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What was called.
    pub endpoint: Endpoint,
    /// The `sub` of the member whose token, code or refresh token came along.
    pub member: Option<String>,
    /// The query as it was sent, of calls under `/rest` alone.
    pub query: String,
}

impl Call {
    /// A number in the query.
    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        form_urlencoded::parse(self.query.as_bytes())
            .find(|(known, _)| known == name)
            .and_then(|(_, value)| value.parse().ok())
    }
}

/// Which calls arrived, and how many are being answered.
#[derive(Debug, Default)]
pub(crate) struct Log {
    calls: Vec<Call>,
    /// Where the calls went that are over.
    over: Vec<Endpoint>,
    open: usize,
    most_open: usize,
}

impl Log {
    fn count(&self, endpoint: Endpoint) -> usize {
        self.calls
            .iter()
            .filter(|call| call.endpoint == endpoint)
            .count()
    }
}

impl StandIn {
    /// The calls so far, the oldest first, refused and spoilt ones included.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.0.calls.borrow().calls.clone()
    }

    /// How many of [`StandIn::calls`] went to one endpoint.
    #[must_use]
    pub fn calls_to(&self, endpoint: Endpoint) -> usize {
        self.0.calls.borrow().count(endpoint)
    }

    /// The most calls that were being answered at the same time. Hold them with [`crate::Fault::Hang`] to have it exact.
    #[must_use]
    pub fn most_calls_at_once(&self) -> usize {
        self.0.calls.borrow().most_open
    }

    /// Starts [`StandIn::calls`] and [`StandIn::most_calls_at_once`] anew.
    pub fn forget_calls(&self) {
        self.0.calls.send_modify(|log| {
            log.calls.clear();
            log.over.clear();
            log.most_open = log.open;
        });
    }

    /// Waits until an endpoint has had so many calls.
    pub async fn called(&self, endpoint: Endpoint, times: usize) {
        let mut calls = self.0.calls.subscribe();
        // An error would say that the stand-in is gone, but `self` holds it.
        let _log = calls.wait_for(|log| log.count(endpoint) >= times).await;
    }

    /// Waits until so many calls to an endpoint are over: their answers begin to leave, or nobody waits for them.
    pub async fn answered(&self, endpoint: Endpoint, times: usize) {
        let mut calls = self.0.calls.subscribe();
        let count = |log: &Log| log.over.iter().filter(|over| **over == endpoint).count();
        // As above.
        let _log = calls.wait_for(|log| count(log) >= times).await;
    }

    fn open(&self, call: Call) -> Open {
        let endpoint = call.endpoint;
        self.0.calls.send_modify(|log| {
            log.calls.push(call);
            log.open += 1;
            log.most_open = log.most_open.max(log.open);
        });
        Open(self.clone(), endpoint)
    }
}

/// A call that is being answered, or whose caller has not gone yet.
struct Open(StandIn, Endpoint);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.0.calls.send_modify(|log| {
            log.over.push(self.1);
            log.open -= 1;
        });
    }
}

/// Logs a call, lets it meet its fault, and marks the answer as LinkedIn does.
pub(crate) async fn observe(
    State(linkedin): State<StandIn>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match Endpoint::at(request.uri().path()) {
        Some(endpoint) => answer(&linkedin, endpoint, request, next).await,
        None => next.run(request).await,
    };
    if let Ok(id) = HeaderValue::from_str(&linkedin.new_id()) {
        response.headers_mut().insert("x-li-uuid", id);
    }
    response
}

async fn answer(linkedin: &StandIn, endpoint: Endpoint, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let call = Call {
        endpoint,
        member: member(linkedin, &parts, &body),
        query: if parts.uri.path().starts_with("/rest/") {
            parts.uri.query().unwrap_or_default().to_owned()
        } else {
            String::new()
        },
    };
    let fault = linkedin.meet_fault(&call);
    // Before anybody can see the call, so that nobody releases it too early.
    let released = linkedin.released();
    let _open = linkedin.open(call);
    let request = Request::from_parts(parts, Body::from(body));
    match fault {
        Some(fault) => fault.play(request, next, released).await,
        None => next.run(request).await,
    }
}

/// Whose call it is, whatever the state of what proves it.
fn member(linkedin: &StandIn, parts: &Parts, body: &Bytes) -> Option<String> {
    let member_of = |value: &str| linkedin.world(|world| world.grants.member_of(value));
    match api::bearer(&parts.headers) {
        Some(token) => member_of(token),
        None => form_urlencoded::parse(body)
            .filter(|(name, _)| matches!(name.as_ref(), "code" | "refresh_token" | "token"))
            .find_map(|(_, value)| member_of(&value)),
    }
}
