//! One call to LinkedIn: sent, tried again where that helps, read and judged.

use std::{fmt, sync::Arc, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use chrono::{DateTime, NaiveDateTime};
use reqwest::{
    Request, RequestBuilder, Response,
    header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER},
};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use tokio::time::{Instant, timeout};
use tracing::Instrument;
use url::Url;

use super::{
    Client,
    error::{Error, Failure, Refusal},
};

/// Longer answers are not read; in bytes.
const MAX_ANSWER: usize = 1 << 20;

/// One attempt at one call, when it is over.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// How long it took, to the last byte of the answer.
    pub took: Duration,
    /// Why there was no answer to use.
    pub error: Option<&'a Error>,
}

/// Who is told of each attempt.
#[derive(Clone)]
pub(super) struct Observer(Arc<dyn Fn(&Call<'_>) + Send + Sync>);

impl Observer {
    pub(super) fn new(observe: impl Fn(&Call<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(observe))
    }

    pub(super) fn nobody() -> Self {
        Self::new(|_| {})
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Observer")
    }
}

/// LinkedIn, as it answers somebody without a token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probe {
    /// What it takes for the time, in UTC.
    pub(crate) time: Option<NaiveDateTime>,
}

/// What is left of the time that an operation may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    began: Instant,
    total: Duration,
}

impl Deadline {
    fn left(self) -> Duration {
        self.total.saturating_sub(self.began.elapsed())
    }
}

/// Which failed calls are made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Those whose fault passes: the call only reads.
    Reads,
    /// Those, and those that find the token revoked, as LinkedIn may say of a fresh one for some seconds.
    ReadsWithFreshToken,
    /// Those that never reached LinkedIn: the call uses something up.
    IfUnsent,
}

impl Repeat {
    fn covers(self, error: &Error) -> bool {
        match error {
            Error::Unavailable(Failure::Unreachable(_)) => true,
            Error::Unavailable(failure) => self != Self::IfUnsent && failure.is_transient(),
            Error::Throttled { .. } => self != Self::IfUnsent,
            Error::RevokedToken => self == Self::ReadsWithFreshToken,
            _ => false,
        }
    }

    fn times(self) -> usize {
        match self {
            Self::Reads | Self::IfUnsent => 2,
            Self::ReadsWithFreshToken => 4,
        }
    }
}

impl Client {
    pub(super) fn deadline(&self) -> Deadline {
        Deadline {
            began: Instant::now(),
            total: self.settings.deadline,
        }
    }

    /// The answer to a call, after as many attempts as it takes and the deadline allows. A limit that LinkedIn says
    /// will end before the deadline is waited for, once.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        request: impl Fn() -> RequestBuilder,
        repeat: Repeat,
        deadline: Deadline,
    ) -> Result<T, Error> {
        let attempt = || async {
            let (began, request) = (Instant::now(), request().build()?);
            let span = tracing::info_span!(
                target: "otel",
                "LinkedIn",
                otel.kind = "client",
                http.request.method = %request.method(),
                server.address = request.url().host_str(),
                url.path = request.url().path(),
            );
            let outcome = timeout(deadline.left(), self.send(request).instrument(span))
                .await
                .unwrap_or(Err(Failure::Deadline.into()));
            (self.observer.0)(&Call {
                took: began.elapsed(),
                error: outcome.as_ref().err(),
            });
            outcome
        };
        let pauses = ExponentialBuilder::new()
            .with_min_delay(self.settings.retry_pause)
            .with_max_times(repeat.times())
            .with_jitter();
        let mut waited = false;
        attempt
            .retry(pauses)
            .when(|error| repeat.covers(error))
            .adjust(|error, pause| {
                let pause = match error {
                    Error::Throttled { .. } if waited => None,
                    Error::Throttled { retry_after } => {
                        waited = true;
                        *retry_after
                    }
                    _ => pause,
                };
                pause.filter(|pause| *pause < deadline.left())
            })
            .await
    }

    /// What LinkedIn says to somebody without a token, whom it refuses politely.
    pub(crate) async fn probe(&self) -> Result<Probe, Error> {
        let mut url = at(&self.settings.api_url, "/rest/organizationAcls");
        url.set_query(Some("q=roleAssignee"));
        let request = self
            .http
            .get(url)
            .header("LinkedIn-Version", &self.settings.version)
            .header("X-Restli-Protocol-Version", "2.0.0");
        let response = request.send().await?;
        let time = text(response.headers(), "date")
            .and_then(|date| DateTime::parse_from_rfc2822(date).ok())
            .map(|time| time.naive_utc());
        match self.read::<serde_json::Value>(response).await {
            Ok(_) | Err(Error::InvalidToken | Error::Unauthorized) => Ok(Probe { time }),
            Err(error) => Err(error),
        }
    }

    /// One attempt. What goes wrong is logged with the id under which LinkedIn's support finds the call.
    async fn send<T: DeserializeOwned>(&self, request: Request) -> Result<T, Error> {
        let path = request.url().path().to_owned();
        let mut li_uuid = None;
        let outcome = async {
            let response = self.http.execute(request).await?;
            li_uuid = text(response.headers(), "x-li-uuid").map(str::to_owned);
            self.read(response).await
        }
        .await;
        if let Err(error) = &outcome {
            log(error, &path, li_uuid.as_deref());
        }
        outcome
    }

    async fn read<T: DeserializeOwned>(&self, mut response: Response) -> Result<T, Error> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(Failure::TooLong.into());
            }
            body.extend_from_slice(&chunk);
        }
        if response.status().is_success() {
            return Ok(parse(&body)?);
        }
        let refusal = Refusal {
            status: response.status(),
            retry_after: retry_after(response.headers()),
            body: serde_json::from_slice(&body).unwrap_or_default(),
        };
        Err(refusal.into_error(&self.settings.version))
    }
}

/// The parser's own message may quote the answer, and with it a token, so it is not kept.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    // The parser does not look into texts that nobody asks for.
    let text = std::str::from_utf8(body).map_err(|_| Failure::NotJson)?;
    serde_json::from_str(text).map_err(|cause| match cause.classify() {
        Category::Data => Failure::UnknownShape,
        Category::Io | Category::Syntax | Category::Eof => Failure::NotJson,
    })
}

/// In seconds; LinkedIn is not known to send dates.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = text(headers, RETRY_AFTER.as_str())?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn log(error: &Error, path: &str, li_uuid: Option<&str>) {
    let cause = std::error::Error::source(error).map(tracing::field::display);
    match error {
        Error::VersionSunset { .. }
        | Error::Throttled { .. }
        | Error::Rejected { .. }
        | Error::Unavailable(_) => {
            tracing::warn!(path, li_uuid, %error, cause, "a call to LinkedIn failed");
        }
        _ => tracing::debug!(path, li_uuid, %error, "LinkedIn refused a call"),
    }
}

/// Calls with a member's token, all within one deadline.
#[derive(Debug)]
pub(super) struct Operation<'a> {
    client: &'a Client,
    authorization: HeaderValue,
    repeat: Repeat,
    deadline: Deadline,
}

impl Client {
    /// Begins now. `is_fresh` says that the token has just been granted.
    pub(super) fn operation(
        &self,
        token: &SecretString,
        is_fresh: bool,
    ) -> Result<Operation<'_>, Error> {
        self.operation_within(token, is_fresh, self.deadline())
    }

    pub(super) fn operation_within(
        &self,
        token: &SecretString,
        is_fresh: bool,
        deadline: Deadline,
    ) -> Result<Operation<'_>, Error> {
        // No token that LinkedIn granted has a character that a header cannot hold.
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))
            .map_err(|_| Error::InvalidToken)?;
        authorization.set_sensitive(true);
        Ok(Operation {
            client: self,
            authorization,
            repeat: if is_fresh {
                Repeat::ReadsWithFreshToken
            } else {
                Repeat::Reads
            },
            deadline,
        })
    }
}

impl Operation<'_> {
    pub(super) fn settings(&self) -> &super::Settings {
        &self.client.settings
    }

    /// A call outside `/rest`, which has no versions.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        let url = at(&self.settings().api_url, path);
        let request = || self.authorized(url.clone());
        self.client.call(request, self.repeat, self.deadline).await
    }

    /// A call under `/rest`; the query is sent as it is.
    pub(super) async fn get_rest<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &str,
    ) -> Result<T, Error> {
        let mut url = at(&self.settings().api_url, path);
        url.set_query(Some(query));
        let request = || {
            self.authorized(url.clone())
                .header("LinkedIn-Version", &self.settings().version)
                .header("X-Restli-Protocol-Version", "2.0.0")
        };
        self.client.call(request, self.repeat, self.deadline).await
    }

    fn authorized(&self, url: Url) -> RequestBuilder {
        let request = self.client.http.get(url);
        request.header(AUTHORIZATION, self.authorization.clone())
    }
}

/// A path at LinkedIn, or at what stands for it.
pub(super) fn at(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(path);
    url
}
