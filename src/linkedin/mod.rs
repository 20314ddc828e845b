//! LinkedIn's HTTP API: consent, who a member is, and which pages they administer.
//!
//! It knows nothing of the rest of the crate. [`Client`] is the one way to LinkedIn: every operation ends within
//! [`Settings::deadline`], with an answer or with an [`Error`] that says what to do about it. `call` sends and judges
//! a single call; `oauth`, `roles` and `pages` know what to ask for.

mod call;
mod error;
mod oauth;
mod pages;
mod restli;
mod roles;

use std::{sync::Arc, time::Duration};

use call::Observer;
use reqwest::redirect::Policy;
use secrecy::SecretString;
use url::Url;

pub use call::Call;
pub(crate) use call::Probe;
pub use error::{Error, Failure, SetupError};
pub use oauth::{Grant, Member, SCOPES};
pub use pages::{FoundPage, Listing, Logo, SkippedPage};
pub use roles::{PageKind, SkipReason};

/// The path of this server that LinkedIn sends people back to.
pub const CALLBACK: &str = "/api/auth/linkedin/callback";

/// Where LinkedIn is, who we are there, and how much patience we have.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who we are. Without it nobody can be asked for consent; tokens that others got work all the same.
    pub application: Option<Application>,
    /// The month of the API that calls are made for, as `YYYYMM`. LinkedIn serves a month for about a year.
    pub version: String,
    /// `https://www.linkedin.com`, or what stands for it.
    pub oauth_url: Url,
    /// `https://api.linkedin.com`, or what stands for it.
    pub api_url: Url,
    /// How long a connection may take to open.
    pub connect_timeout: Duration,
    /// How long one attempt at one call may take, to the last byte of its answer.
    pub call_timeout: Duration,
    /// How long an operation may take, with all its calls, attempts and pauses.
    pub deadline: Duration,
    /// The first pause before another attempt. Each later one is twice as long, and all are lengthened at random.
    pub retry_pause: Duration,
    /// Pages that a member administers beyond this number are not looked at, and the listing says that it is not
    /// complete.
    pub max_pages: usize,
    /// How many pages or logos one call asks for. LinkedIn reads no query longer than 4 KB.
    pub batch_size: usize,
    /// How many calls one operation may have open at the same time.
    pub concurrency: usize,
}

/// Our application, as it is registered at LinkedIn.
#[derive(Clone, Debug)]
pub struct Application {
    /// Its public id.
    pub client_id: String,
    /// What only it knows.
    pub client_secret: SecretString,
    /// Where members come back to; LinkedIn compares it character by character.
    pub redirect_uri: Url,
}

impl Settings {
    /// Patience that suits somebody who waits for a web page.
    #[must_use]
    pub fn new(application: Option<Application>, oauth_url: Url, api_url: Url) -> Self {
        Self {
            application,
            version: "202607".to_owned(),
            oauth_url,
            api_url,
            connect_timeout: Duration::from_secs(3),
            call_timeout: Duration::from_secs(5),
            deadline: Duration::from_secs(20),
            retry_pause: Duration::from_millis(200),
            max_pages: 500,
            batch_size: 50,
            concurrency: 4,
        }
    }
}

/// LinkedIn, as our application sees it. Clones share connections.
#[derive(Clone, Debug)]
pub struct Client {
    settings: Arc<Settings>,
    http: reqwest::Client,
    observer: Observer,
}

impl Client {
    /// Who we are at LinkedIn, if the operator has said so.
    #[must_use]
    pub fn application(&self) -> Option<&Application> {
        self.settings.application.as_ref()
    }

    /// How long one operation may take.
    pub(crate) fn patience(&self) -> Duration {
        self.settings.deadline
    }

    /// A client that opens its first connection with its first call.
    ///
    /// Redirects are never followed: they could carry a token elsewhere. Proxies of the environment are not used.
    ///
    /// # Errors
    /// Where the machine's certificates cannot be read.
    pub fn new(settings: Settings) -> Result<Self, SetupError> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("linkedin-targets/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.call_timeout)
            .build()?;
        Ok(Self {
            settings: Arc::new(settings),
            http,
            observer: Observer::nobody(),
        })
    }

    /// The same client, which tells `observer` of each attempt at a call when it is over.
    #[must_use]
    pub fn observed_by(self, observer: impl Fn(&Call<'_>) + Send + Sync + 'static) -> Self {
        Self {
            observer: Observer::new(observer),
            ..self
        }
    }
}
