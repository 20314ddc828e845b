//! What a row of the tables says: how LinkedIn fails, and what must come of it.

use axum::body::Bytes;
use reqwest::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde_json::{Value, json};
use stand_in_linkedin::{Endpoint, Fault, When, World};

use crate::support::wire::Script;

/// One way in which LinkedIn fails, and what must come of it.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) asked: Server,
    pub(super) spoil: Spoil,
    pub(super) then: Then,
}

/// Which server is asked to sync.
pub(super) enum Server {
    Patient,
    /// For what never ends by itself.
    Hasty,
    /// Its LinkedIn speaks no HTTP. Hasty.
    Wired,
    /// Its LinkedIn is not there.
    Unlinked,
}

pub(super) enum Spoil {
    World(Box<dyn Fn(&mut World)>),
    Wire(Script),
    Nothing,
}

pub(super) enum Then {
    /// Nothing has changed. `retry_after` is in seconds from now.
    Fails {
        code: &'static str,
        retry_after: Option<i64>,
    },
    /// The person must reconnect. `ends`: for the web application too, as LinkedIn said why.
    Refuses {
        code: &'static str,
        ends: bool,
    },
    Syncs(Synced),
}

pub(super) struct Synced {
    pub(super) complete: bool,
    /// All pages that the member has then, by label.
    pub(super) pages: Vec<String>,
    /// Number and reason.
    pub(super) skipped: Vec<(&'static str, &'static str)>,
}

/// As if there were no fault.
pub(super) fn healthy() -> Then {
    complete(["Acme Corp", "Fresh"])
}

pub(super) fn complete<const N: usize>(pages: [&str; N]) -> Then {
    synced(true, pages.map(str::to_owned).into())
}

pub(super) fn incomplete<const N: usize>(pages: [&str; N]) -> Then {
    synced(false, pages.map(str::to_owned).into())
}

pub(super) fn synced(complete: bool, pages: Vec<String>) -> Then {
    Then::Syncs(Synced {
        complete,
        pages,
        skipped: Vec::new(),
    })
}

impl Then {
    pub(super) fn skipping<const N: usize>(
        self,
        skipped: [(&'static str, &'static str); N],
    ) -> Self {
        match self {
            Self::Syncs(synced) => Self::Syncs(Synced {
                skipped: skipped.into(),
                ..synced
            }),
            other => other,
        }
    }
}

pub(super) const UNAVAILABLE: Then = Then::Fails {
    code: "LINKEDIN_UNAVAILABLE",
    retry_after: None,
};

pub(super) const SUNSET: Then = Then::Fails {
    code: "LINKEDIN_VERSION_SUNSET",
    retry_after: None,
};

pub(super) fn throttled(retry_after: Option<i64>) -> Then {
    Then::Fails {
        code: "LINKEDIN_THROTTLED",
        retry_after,
    }
}

pub(super) const EXPIRED: Then = Then::Refuses {
    code: "CONNECTION_EXPIRED",
    ends: true,
};

pub(super) const REVOKED: Then = Then::Refuses {
    code: "CONNECTION_REVOKED",
    ends: true,
};

/// Refused by somebody who does not say, in LinkedIn's words, that the token is at fault.
pub(super) const REFUSED: Then = Then::Refuses {
    code: "CONNECTION_REVOKED",
    ends: false,
};

pub(super) const DENIED: Then = Then::Refuses {
    code: "ORG_SCOPE_MISSING",
    ends: false,
};

impl Row {
    /// The same, for a server that does not wait long.
    pub(super) fn hasty(self) -> Self {
        Self {
            asked: Server::Hasty,
            ..self
        }
    }
}

/// LinkedIn's world is another than it was.
pub(super) fn world(name: &'static str, change: impl Fn(&mut World) + 'static, then: Then) -> Row {
    Row {
        name,
        asked: Server::Patient,
        spoil: Spoil::World(Box::new(change)),
        then,
    }
}

/// A fault at one kind of call.
pub(super) fn at(name: &'static str, endpoint: Endpoint, fault: Fault, then: Then) -> Row {
    let fail = move |world: &mut World| world.fail(fault.clone(), When::always().at(endpoint));
    world(name, fail, then)
}

/// A fault at the list of roles.
pub(super) fn list(name: &'static str, fault: Fault, then: Then) -> Row {
    at(name, Endpoint::OrganizationAcls, fault, then)
}

/// A fault from the second part of the list on; each part has one role.
pub(super) fn second(name: &'static str, fault: Fault, then: Then) -> Row {
    let fail = move |world: &mut World| {
        world.listing.max_count = 1;
        let when = When::always().at(Endpoint::OrganizationAcls).from_start(1);
        world.fail(fault.clone(), when);
    };
    world(name, fail, then)
}

/// The connection itself is the fault.
pub(super) fn wire(name: &'static str, script: Script) -> Row {
    Row {
        name,
        asked: Server::Wired,
        spoil: Spoil::Wire(script),
        then: UNAVAILABLE,
    }
}

/// 200 with these bytes, said to be JSON.
pub(super) fn body(bytes: impl Into<Vec<u8>>) -> Fault {
    answer(StatusCode::OK, [], bytes)
}

/// 200 with this JSON.
pub(super) fn json(value: Value) -> Fault {
    Fault::Json(StatusCode::OK, value)
}

/// Any answer; said to be JSON unless the headers say otherwise.
pub(super) fn answer<const N: usize>(
    status: StatusCode,
    headers: [(&'static str, &'static str); N],
    bytes: impl Into<Vec<u8>>,
) -> Fault {
    let mut all = HeaderMap::new();
    all.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in headers {
        let name = HeaderName::from_static(name);
        all.insert(name, HeaderValue::from_static(value));
    }
    Fault::Answer(status, all, Bytes::from(bytes.into()))
}

/// A role that may post.
pub(super) fn role(number: u64) -> Value {
    role_of(&format!("urn:li:organization:{number}"))
}

pub(super) fn role_of(urn: &str) -> Value {
    json!({ "organization": urn, "role": "ADMINISTRATOR", "state": "APPROVED" })
}

/// The right list, as JSON.
pub(super) fn right_list() -> Value {
    json!({ "elements": [role(1), role(4)], "paging": { "start": 0, "count": 100, "links": [] } })
}
