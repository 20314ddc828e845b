//! A member's consent, the tokens that come of it, and who the member is.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::{
    Application, Client,
    call::{Deadline, Operation, Repeat, at},
    error::{Error, Failure},
};

/// What members are asked for. LinkedIn grants the last two to applications that it has reviewed.
pub const SCOPES: [&str; 6] = [
    "openid",
    "profile",
    "email",
    "w_member_social",
    "rw_organization_admin",
    "w_organization_social",
];

/// What LinkedIn gives for a code or for a refresh token.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Proves the member's consent to every call.
    pub access_token: SecretString,
    /// Seconds from now; 60 days as a rule.
    pub expires_in: Option<u64>,
    /// In LinkedIn's words: separated by commas or blanks, perhaps less than was asked for. `None` is "not told".
    pub scope: Option<String>,
    /// Only approved partners get one.
    pub refresh_token: Option<SecretString>,
    /// Seconds from now; 365 days from the member's consent as a rule.
    pub refresh_token_expires_in: Option<u64>,
}

/// Who has consented.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Member {
    /// The member's id. Another application gets another one for the same member.
    pub sub: String,
    /// Given and family name.
    pub name: Option<String>,
    /// An address.
    pub picture: Option<String>,
    /// Members without a confirmed one have none.
    pub email: Option<String>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    expires_in: Option<u64>,
    scope: Option<String>,
    refresh_token: Option<String>,
    refresh_token_expires_in: Option<u64>,
}

#[derive(Deserialize)]
struct Introspection {
    scope: Option<String>,
}

impl Application {
    fn credentials(&self) -> [(&str, &str); 2] {
        [
            ("client_id", self.client_id.as_str()),
            ("client_secret", self.client_secret.expose_secret()),
        ]
    }
}

impl Client {
    /// The page at LinkedIn that asks a member for consent to [`SCOPES`] and then leads back to
    /// [`Application::redirect_uri`], with `state` and either `code` or `error`. `None` without an application.
    #[must_use]
    pub fn authorize_url(&self, state: &str) -> Option<Url> {
        let application = self.application()?;
        let mut url = at(&self.settings.oauth_url, "/oauth/v2/authorization");
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", &application.client_id),
            ("redirect_uri", application.redirect_uri.as_str()),
            ("state", state),
            ("scope", &SCOPES.join(" ")),
        ]);
        Some(url)
    }

    /// Exchanges the code that a member came back with, and asks who they are. LinkedIn takes a code once, so the
    /// exchange is repeated only if LinkedIn was not reached. When the answer does not name the granted scopes,
    /// LinkedIn is asked for them; [`Grant::scope`] stays `None` when it does not tell.
    ///
    /// # Errors
    /// [`Error::Refused`] if the code does not fit, was used, or is older than 30 minutes.
    #[tracing::instrument(skip_all)]
    pub async fn redeem(&self, code: &str) -> Result<(Grant, Member), Error> {
        let application = self.application().ok_or(Error::NoApplication)?;
        let deadline = self.deadline();
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", application.redirect_uri.as_str()),
        ];
        let mut grant = self.token(application, &form, deadline).await?;
        let operation = self.operation_within(&grant.access_token, true, deadline)?;
        let member = operation.member().await?;
        if grant.scope.is_none() {
            // Known is better, but the link does not depend on it.
            grant.scope = self
                .scope_of(application, &grant.access_token, deadline)
                .await
                .unwrap_or_default();
        }
        Ok((grant, member))
    }

    /// Gets a new access token without the member.
    ///
    /// # Errors
    /// [`Error::Refused`] if the refresh token is expired, revoked or not ours.
    #[tracing::instrument(skip_all)]
    pub async fn refresh(&self, refresh_token: &SecretString) -> Result<Grant, Error> {
        let application = self.application().ok_or(Error::NoApplication)?;
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose_secret()),
        ];
        self.token(application, &form, self.deadline()).await
    }

    /// Whose token this is. `is_fresh` says that it has just been granted: it may be called revoked for some seconds,
    /// which is then waited for.
    ///
    /// # Errors
    /// See [`Error`].
    #[tracing::instrument(skip_all)]
    pub async fn member(&self, token: &SecretString, is_fresh: bool) -> Result<Member, Error> {
        self.operation(token, is_fresh)?.member().await
    }

    async fn token(
        &self,
        application: &Application,
        grant: &[(&str, &str)],
        deadline: Deadline,
    ) -> Result<Grant, Error> {
        let form = [grant, &application.credentials()].concat();
        let url = at(&self.settings.oauth_url, "/oauth/v2/accessToken");
        let request = || self.http.post(url.clone()).form(&form);
        let answer: TokenAnswer = self.call(request, Repeat::IfUnsent, deadline).await?;
        if answer.access_token.is_empty() {
            return Err(Failure::UnknownShape.into());
        }
        Ok(answer.into())
    }

    async fn scope_of(
        &self,
        application: &Application,
        token: &SecretString,
        deadline: Deadline,
    ) -> Result<Option<String>, Error> {
        let credentials = application.credentials();
        let form = [&[("token", token.expose_secret())], &credentials[..]].concat();
        let url = at(&self.settings.oauth_url, "/oauth/v2/introspectToken");
        let request = || self.http.post(url.clone()).form(&form);
        let answer: Introspection = self.call(request, Repeat::Reads, deadline).await?;
        Ok(answer.scope)
    }
}

impl Operation<'_> {
    async fn member(&self) -> Result<Member, Error> {
        let member: Member = self.get("/v2/userinfo").await?;
        if member.sub.is_empty() {
            return Err(Failure::UnknownShape.into());
        }
        Ok(member)
    }
}

impl From<TokenAnswer> for Grant {
    fn from(answer: TokenAnswer) -> Self {
        Self {
            access_token: answer.access_token.into(),
            expires_in: answer.expires_in,
            scope: answer.scope,
            refresh_token: answer.refresh_token.map(SecretString::from),
            refresh_token_expires_in: answer.refresh_token_expires_in,
        }
    }
}
