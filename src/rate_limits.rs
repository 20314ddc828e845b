//! How often somebody may ask: every user and every address has a bucket, which fills by itself.

use std::{
    convert::Infallible,
    hash::{BuildHasher, Hash, RandomState},
    num::NonZeroU32,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    extract::Request,
    http::{self, HeaderMap, HeaderName, header::RETRY_AFTER},
    response::Response,
};
use governor::{
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
};
use quick_cache::sync::Cache;
use tower::{Service, ServiceExt, util::Either};
use tower_governor::{
    GovernorError,
    governor::{Governor, GovernorConfig, GovernorConfigBuilder},
    key_extractor::KeyExtractor,
};

/// How many credentials, and how many users, are known; the least used go first.
const MOST_KNOWN: usize = 50_000;

/// A policy never has more than twice as many buckets.
const MANY_BUCKETS: usize = 50_000;

/// So many requests in so long: all at once, or spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: NonZeroU32,
    /// In how long.
    pub period: Duration,
}

impl Rate {
    /// How long one takes to come back.
    fn each(self) -> Duration {
        self.period / self.count.get()
    }
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
    known: Cache<u64, Bucket>,
    /// Which one counts for a user: that of the first credential.
    users: Cache<u64, Bucket>,
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
    rate: Rate,
    /// How many more may follow at once.
    left: u32,
    /// How long to wait, when this one was too many.
    pub(crate) wait: Option<Duration>,
}

/// Who sends a request, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender {
    user: Option<Bucket>,
    address: Option<Bucket>,
}

/// The hash of whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bucket(u64);

/// A request's bucket is known before the limit is put around what answers it: without one, there is no limit.
impl KeyExtractor for Bucket {
    type Key = u64;

    fn extract<T>(&self, _: &http::Request<T>) -> Result<u64, GovernorError> {
        Ok(self.0)
    }
}

/// What answers a request.
pub(crate) trait Answers:
    Service<Request, Response = Response, Error = Infallible, Future: Send> + Send
{
}

impl<S> Answers for S where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send> + Send
{
}

struct Policy {
    subject: Subject,
    rate: Rate,
    /// How many requests have taken from the buckets.
    taken: AtomicUsize,
    buckets: RwLock<Arc<Buckets>>,
}

type Buckets = GovernorConfig<Bucket, StateInformationMiddleware>;

impl Policy {
    fn new(subject: Subject, rate: Rate) -> Option<Self> {
        Some(Self {
            subject,
            rate,
            taken: AtomicUsize::new(0),
            buckets: RwLock::new(Arc::new(full(rate)?)),
        })
    }

    /// For one more request. Full buckets need not be kept, so now and then they go; when that leaves too many, all are
    /// full again.
    fn buckets(&self) -> Arc<Buckets> {
        let held = self.buckets.read().unwrap_or_else(PoisonError::into_inner);
        let buckets = held.clone();
        drop(held);
        let taken = self.taken.fetch_add(1, Ordering::Relaxed) + 1;
        if taken.is_multiple_of(MANY_BUCKETS) {
            buckets.limiter().retain_recent();
            if buckets.limiter().len() > MANY_BUCKETS
                && let Some(full) = full(self.rate)
            {
                let mut held = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
                *held = Arc::new(full);
            }
        }
        buckets
    }

    /// Lets a request reach what answers it, as long as there is something in the bucket.
    fn around(
        &self,
        bucket: Bucket,
        refuse: impl Fn(Subject) -> Response + Send + Sync + 'static,
        answers: impl Answers,
    ) -> impl Answers {
        let (subject, rate) = (self.subject, self.rate);
        let refuse = move |error: GovernorError| {
            let mut response = refuse(subject);
            let (refusal, _) = error.into_response().into_parts();
            response.headers_mut().extend(refusal.headers);
            response
        };
        let mut limited = Governor::new(answers, &self.buckets()).error_handler(refuse);
        limited.key_extractor = bucket;
        limited.map_response(move |mut response: Response| {
            let standing = Standing::taken_from(response.headers_mut(), subject, rate);
            tell(response, standing)
        })
    }

    fn take(&self, bucket: Bucket) -> Standing {
        let taken = self.buckets().limiter().check_key(&bucket.0);
        let (left, wait) = match taken {
            Ok(state) => (state.remaining_burst_capacity(), None),
            Err(refused) => {
                let now = DefaultClock::default().now();
                (0, Some(refused.wait_time_from(now)))
            }
        };
        Standing {
            subject: self.subject,
            rate: self.rate,
            left,
            wait,
        }
    }
}

/// None, as all that are missing are full.
fn full(rate: Rate) -> Option<Buckets> {
    GovernorConfigBuilder::default()
        .key_extractor(Bucket(0))
        .use_headers()
        .period(rate.each())
        .burst_size(rate.count.get())
        .finish()
}

impl RateLimits {
    /// Buckets that are all full.
    pub(crate) fn new(rates: Rates) -> Self {
        let policy = |subject, rate: Option<Rate>| rate.and_then(|rate| Policy::new(subject, rate));
        Self(Arc::new(Inner {
            user: policy(Subject::User, rates.user),
            address: policy(Subject::Address, rates.address),
            sync: policy(Subject::Sync, rates.sync),
            known: Cache::new(MOST_KNOWN),
            users: Cache::new(MOST_KNOWN),
            hasher: RandomState::new(),
        }))
    }

    /// Who has these credentials, if any, and asks from this address, if it is known.
    pub(crate) fn sender<'a>(
        &self,
        credentials: impl Iterator<Item = &'a str>,
        address: Option<impl Hash>,
    ) -> Sender {
        Sender {
            user: self.user(credentials),
            address: address.map(|address| Bucket(self.0.hasher.hash_one(address))),
        }
    }

    /// Turns a sender away who asks too often, and tells everybody how they stand. Who is turned away for their address
    /// takes nothing from their user's bucket.
    pub(crate) fn around(
        &self,
        sender: Sender,
        refuse: impl Fn(Subject) -> Response + Clone + Send + Sync + 'static,
        answers: impl Answers,
    ) -> impl Answers {
        let Inner { user, address, .. } = &*self.0;
        let answers = match user.as_ref().zip(sender.user) {
            Some((policy, bucket)) => Either::Left(policy.around(bucket, refuse.clone(), answers)),
            None => Either::Right(answers),
        };
        match address.as_ref().zip(sender.address) {
            Some((policy, bucket)) => Either::Left(policy.around(bucket, refuse, answers)),
            None => Either::Right(answers),
        }
    }

    /// One more request by whoever has these credentials, if any.
    pub(crate) fn ask<'a>(&self, credentials: impl Iterator<Item = &'a str>) -> Option<Standing> {
        let policy = self.0.user.as_ref()?;
        Some(policy.take(self.user(credentials)?))
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
            let first = || Ok::<_, Infallible>(Bucket(credential));
            let Ok(bucket) = self.0.users.get_or_insert_with(&user, first);
            if self.0.known.get(&credential) != Some(bucket) {
                self.0.known.insert(credential, bucket);
            }
        }
    }

    /// The bucket of whoever has these credentials; one of their own, as long as it is not known who that is.
    fn user<'a>(&self, credentials: impl Iterator<Item = &'a str>) -> Option<Bucket> {
        let mut hashes = self.hashes(credentials).peekable();
        let unknown = Bucket(*hashes.peek()?);
        let known = hashes.find_map(|credential| self.0.known.get(&credential));
        Some(known.unwrap_or(unknown))
    }

    fn hashes<'a>(&self, credentials: impl Iterator<Item = &'a str>) -> impl Iterator<Item = u64> {
        let hashes = credentials.map(|credential| self.0.hasher.hash_one(credential));
        hashes.take(MOST_CREDENTIALS)
    }
}

impl Standing {
    /// As the layer put it into an answer's headers, in names of its own.
    fn taken_from(headers: &mut HeaderMap, subject: Subject, rate: Rate) -> Option<Self> {
        let mut take = |name| headers.remove(name)?.to_str().ok()?.parse().ok();
        let (_, left, wait) = (take(LIMIT), take(LEFT)?, take(WAIT));
        Some(Self {
            subject,
            rate,
            left,
            // Whole seconds, and what is above them is left off.
            wait: wait.map(|seconds| Duration::from_secs(u64::from(seconds) + 1)),
        })
    }

    /// How long until all may be asked for at once.
    fn full_in(&self) -> Duration {
        self.rate.each() * (self.rate.count.get() - self.left)
    }
}

const LIMIT: &str = "x-ratelimit-limit";
const LEFT: &str = "x-ratelimit-remaining";
const WAIT: &str = "x-ratelimit-after";

/// Adds to an answer how its sender stands, as the draft of `RateLimit` header fields for HTTP has it (httpapi, 10).
pub(crate) fn tell(mut response: Response, standing: Option<Standing>) -> Response {
    let Some(standing) = standing else {
        return response;
    };
    let Standing { rate, left, .. } = standing;
    let name = standing.subject.name();
    let policy = format!("\"{name}\";q={};w={}", rate.count, seconds(rate.period));
    let state = format!("\"{name}\";r={left};t={}", seconds(standing.full_in()));
    let headers = response.headers_mut();
    for (header, value) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, state)] {
        if let Ok(value) = value.try_into() {
            headers.append(header, value);
        }
    }
    if let Some(wait) = standing.wait {
        headers.insert(RETRY_AFTER, seconds(wait).max(1).into());
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
