//! What every request shares, built once.

use std::{fmt, sync::Arc, time::Duration};

use ipnet::IpNet;
use url::Url;

use crate::{
    config::Limits, linkedin, manifest::Manifest, metrics::Metrics, rate_limits::Rates, seal,
    storage::Database, streams::Streams,
};

pub use crate::clock::Clock;

/// The database, the settings that requests depend on, the clock and the source of new ids.
#[derive(Clone, Debug)]
pub struct App {
    /// Where all rows are.
    pub db: Database,
    /// The way to LinkedIn.
    pub linkedin: linkedin::Client,
    /// See [`Settings`].
    pub settings: Settings,
    /// See [`Clock`].
    pub clock: Clock,
    /// Ids, so that a test can foretell them.
    pub ids: Ids,
    /// What nobody may guess.
    pub random: Random,
    /// Answers that go on after their request.
    pub streams: Streams,
    /// What is counted.
    pub metrics: Metrics,
}

/// What an operator decides about requests.
#[derive(Clone, Debug)]
pub struct Settings {
    /// InterlinedList's address as browsers see it.
    pub public_url: Url,
    /// Names of the session cookie, the preferred one first.
    pub session_cookies: Vec<String>,
    /// Origins, besides the public URL's, whose pages may call with the visitor's cookie.
    pub allowed_origins: Vec<String>,
    /// Whether /graphiql/ and /openapi/ are served.
    pub graphiql: bool,
    /// Whether the schema may be asked for.
    pub introspection: bool,
    /// How much one GraphQL request may ask for.
    pub limits: Limits,
    /// The only documents that run, where not any do.
    pub trusted_documents: Option<Manifest>,
    /// Whether a gateway of Apollo Federation may use this server as a subgraph.
    pub federation: bool,
    /// How long the result of a sync with LinkedIn stays good enough not to ask again.
    pub sync_interval: Duration,
    /// How often a subscription looks for changes that nobody announces.
    pub subscription_interval: Duration,
    /// What LinkedIn's tokens are sealed with.
    pub token_keys: seal::Keys,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// How often somebody may ask.
    pub rates: Rates,
    /// Requests that are worked on at one time; those beyond are turned away at once.
    pub max_requests: usize,
    /// What may say in `X-Forwarded-For` whose requests it passes on.
    pub trusted_proxies: Vec<IpNet>,
}

/// Makes ids that nobody has used.
#[derive(Clone)]
pub struct Ids(Arc<dyn Fn() -> String + Send + Sync>);

impl Ids {
    /// Random UUIDs (version 4), in their 36-character form.
    #[must_use]
    pub fn random() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that makes random ids"
        )]
        Self::new(|| uuid::Uuid::new_v4().to_string())
    }

    /// Ids as `next` returns them.
    pub fn new(next: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(next))
    }

    pub(crate) fn next(&self) -> String {
        (self.0)()
    }
}

/// Makes bytes that nobody can guess.
#[derive(Clone)]
pub struct Random(Arc<dyn Fn() -> [u8; 32] + Send + Sync>);

impl Random {
    /// The operating system's.
    #[must_use]
    pub fn system() -> Self {
        Self::new(rand::random)
    }

    /// Bytes as `next` returns them.
    pub fn new(next: impl Fn() -> [u8; 32] + Send + Sync + 'static) -> Self {
        Self(Arc::new(next))
    }

    pub(crate) fn next(&self) -> [u8; 32] {
        (self.0)()
    }

    /// Two for [`seal::Keys::seal`].
    pub(crate) fn nonces(&self) -> [[u8; seal::NONCE_LEN]; 2] {
        let nonce = || {
            let [nonce @ .., _, _, _, _, _, _, _, _] = self.next();
            nonce
        };
        [nonce(), nonce()]
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Random")
    }
}

impl fmt::Debug for Ids {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Ids")
    }
}
