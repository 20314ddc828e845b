//! How often somebody may ask: every user and every address has a bucket, which fills by itself.

use std::{
    hash::{BuildHasher, Hash, RandomState},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use axum::{
    http::{HeaderName, header::RETRY_AFTER},
    response::Response,
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::{InMemoryState, NotKeyed},
};
use moka::sync::Cache;

/// How many buckets are kept for each policy; the least used go first. A bucket that is full need not be kept.
const MOST_BUCKETS: u64 = 50_000;

/// So many requests in so long: all at once, or spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: NonZeroU32,
    /// In how long.
    pub period: Duration,
}

/// The policies. Without a rate, there is no limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rates {
    /// Of requests with one user's credentials.
    pub user: Option<Rate>,
    /// Of requests from one address.
    pub address: Option<Rate>,
    /// Of syncs with one user's credentials.
    pub sync: Option<Rate>,
}

/// All buckets of one server. Clones share them.
#[derive(Clone)]
pub(crate) struct RateLimits(Arc<Inner>);

struct Inner {
    user: Option<Policy>,
    address: Option<Policy>,
    sync: Option<Policy>,
    /// Which bucket counts for a credential that was used lately. Credentials are not kept as they are.
    buckets: Cache<u64, u64>,
    /// Which one counts for a user: that of the first credential.
    users: Cache<u64, u64>,
    hasher: RandomState,
}

/// What is limited, as the headers name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    User,
    Address,
    Sync,
}

impl Subject {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Address => "address",
            Self::Sync => "sync",
        }
    }
}

/// How somebody stands with a policy after one more request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub(crate) subject: Subject,
    pub(crate) rate: Rate,
    /// How many more may follow at once.
    pub(crate) left: u32,
    /// How long until all of them may.
    pub(crate) full_in: Duration,
    /// How long to wait, when this one was too many.
    pub(crate) wait: Option<Duration>,
}

type Bucket = RateLimiter<NotKeyed, InMemoryState, DefaultClock, StateInformationMiddleware>;

struct Policy {
    subject: Subject,
    rate: Rate,
    quota: Quota,
    buckets: Cache<u64, Arc<Bucket>>,
}

impl Policy {
    fn new(subject: Subject, rate: Rate) -> Option<Self> {
        let quota = Quota::with_period(rate.period / rate.count.get())?.allow_burst(rate.count);
        let buckets = Cache::builder()
            .max_capacity(MOST_BUCKETS)
            .time_to_idle(rate.period)
            .build();
        Some(Self {
            subject,
            rate,
            quota,
            buckets,
        })
    }

    fn take(&self, key: u64) -> Standing {
        let new = || {
            let bucket = RateLimiter::direct(self.quota);
            Arc::new(bucket.with_middleware())
        };
        // To look is cheaper than to be ready to add.
        let known = self.buckets.get(&key);
        let bucket = known.unwrap_or_else(|| self.buckets.get_with(key, new));
        let each = self.quota.replenish_interval();
        let (left, wait) = match bucket.check() {
            Ok(state) => (state.remaining_burst_capacity(), None),
            Err(refused) => (0, Some(refused.wait_time_from(bucket.clock().now()))),
        };
        Standing {
            subject: self.subject,
            rate: self.rate,
            left,
            full_in: each * (self.rate.count.get() - left),
            wait,
        }
    }
}

impl RateLimits {
    /// Buckets that are all full.
    pub(crate) fn new(rates: Rates) -> Self {
        let policy = |subject, rate: Option<Rate>| rate.and_then(|rate| Policy::new(subject, rate));
        Self(Arc::new(Inner {
            user: policy(Subject::User, rates.user),
            address: policy(Subject::Address, rates.address),
            sync: policy(Subject::Sync, rates.sync),
            buckets: Cache::new(MOST_BUCKETS),
            users: Cache::new(MOST_BUCKETS),
            hasher: RandomState::new(),
        }))
    }

    /// A request by whoever has these credentials, if it has any.
    pub(crate) fn ask<'a>(&self, credentials: impl Iterator<Item = &'a str>) -> Option<Standing> {
        let policy = self.0.user.as_ref()?;
        Some(policy.take(self.user(credentials)?))
    }

    /// A request from an address.
    pub(crate) fn ask_from(&self, address: impl Hash) -> Option<Standing> {
        let policy = self.0.address.as_ref()?;
        Some(policy.take(self.0.hasher.hash_one(address)))
    }

    /// A sync by whoever has these credentials.
    pub(crate) fn sync<'a>(&self, credentials: impl Iterator<Item = &'a str>) -> Option<Standing> {
        let policy = self.0.sync.as_ref()?;
        Some(policy.take(self.user(credentials)?))
    }

    /// Remembers whose the credentials are, so that all of somebody's count as one.
    pub(crate) fn learn<'a>(&self, credentials: impl Iterator<Item = &'a str>, user_id: &str) {
        let user = self.0.hasher.hash_one(user_id);
        for credential in self.hashes(credentials) {
            let known = self.0.users.get(&user);
            let bucket = known.unwrap_or_else(|| self.0.users.get_with(user, || credential));
            if self.0.buckets.get(&credential) != Some(bucket) {
                self.0.buckets.insert(credential, bucket);
            }
        }
    }

    /// The bucket of whoever has these credentials; one of their own, as long as it is not known who that is.
    fn user<'a>(&self, credentials: impl Iterator<Item = &'a str>) -> Option<u64> {
        let mut hashes = self.hashes(credentials).peekable();
        let unknown = *hashes.peek()?;
        let known = hashes.find_map(|credential| self.0.buckets.get(&credential));
        Some(known.unwrap_or(unknown))
    }

    fn hashes<'a>(&self, credentials: impl Iterator<Item = &'a str>) -> impl Iterator<Item = u64> {
        let hashes = credentials.map(|credential| self.0.hasher.hash_one(credential));
        hashes.take(MOST_CREDENTIALS)
    }
}

/// Adds to an answer how its sender stands, as the draft of `RateLimit` header fields for HTTP has it (httpapi, 10).
pub(crate) fn tell(
    mut response: Response,
    standings: impl IntoIterator<Item = Standing>,
) -> Response {
    for standing in standings {
        let Standing { rate, left, .. } = standing;
        let name = standing.subject.name();
        let policy = format!("\"{name}\";q={};w={}", rate.count, seconds(rate.period));
        let state = format!("\"{name}\";r={left};t={}", seconds(standing.full_in));
        let headers = response.headers_mut();
        for (header, value) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, state)] {
            if let Ok(value) = value.try_into() {
                headers.append(header, value);
            }
        }
        if let Some(wait) = standing.wait {
            headers.insert(RETRY_AFTER, seconds(wait).max(1).into());
        }
    }
    response
}

/// Whole ones, and none too few.
fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

pub(crate) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub(crate) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// A cookie may hold any number of session ids; those beyond are not looked at here.
const MOST_CREDENTIALS: usize = 64;

impl std::fmt::Debug for RateLimits {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("RateLimits")
    }
}
