//! A member's consent, the tokens that come of it, and who the member is.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::{
    Client,
    call::{Repeat, at},
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

impl Client {
    /// The page at LinkedIn that asks a member for consent to [`SCOPES`] and then leads back to
    /// [`super::Settings::redirect_uri`], with `state` and either `code` or `error`.
    #[must_use]
    pub fn authorize_url(&self, state: &str) -> Url {
        let settings = &self.settings;
        let mut url = at(&settings.oauth_url, "/oauth/v2/authorization");
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", &settings.client_id),
            ("redirect_uri", settings.redirect_uri.as_str()),
            ("state", state),
            ("scope", &SCOPES.join(" ")),
        ]);
        url
    }

    /// Exchanges the code that a member came back with. LinkedIn takes a code once, so the exchange is repeated only
    /// if LinkedIn was not reached.
    ///
    /// # Errors
    /// [`Error::Refused`] if the code does not fit, was used, or is older than 30 minutes.
    #[tracing::instrument(skip_all)]
    pub async fn exchange_code(&self, code: &str) -> Result<Grant, Error> {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.settings.redirect_uri.as_str()),
        ])
        .await
    }

    /// Gets a new access token without the member.
    ///
    /// # Errors
    /// [`Error::Refused`] if the refresh token is expired, revoked or not ours.
    #[tracing::instrument(skip_all)]
    pub async fn refresh(&self, refresh_token: &SecretString) -> Result<Grant, Error> {
        self.token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose_secret()),
        ])
        .await
    }

    /// Whose token this is. `is_fresh` says that it has just been granted: it may be called revoked for some seconds,
    /// which is then waited for.
    ///
    /// # Errors
    /// See [`Error`].
    #[tracing::instrument(skip_all)]
    pub async fn member(&self, token: &SecretString, is_fresh: bool) -> Result<Member, Error> {
        let member: Member = self.operation(token, is_fresh)?.get("/v2/userinfo").await?;
        if member.sub.is_empty() {
            return Err(Failure::UnknownShape.into());
        }
        Ok(member)
    }

    async fn token(&self, grant: &[(&str, &str)]) -> Result<Grant, Error> {
        let settings = &self.settings;
        let credentials = [
            ("client_id", settings.client_id.as_str()),
            ("client_secret", settings.client_secret.expose_secret()),
        ];
        let form = [grant, &credentials].concat();
        let url = at(&settings.oauth_url, "/oauth/v2/accessToken");
        let request = || self.http.post(url.clone()).form(&form);
        let answer: TokenAnswer = self
            .call(request, Repeat::IfUnsent, self.deadline())
            .await?;
        if answer.access_token.is_empty() {
            return Err(Failure::UnknownShape.into());
        }
        Ok(answer.into())
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
