//! What members have granted to applications: codes, access tokens, refresh tokens.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDateTime, TimeDelta};
use secrecy::{ExposeSecret, SecretString};

use crate::{StandIn, api::Refusal};

const CODE_LIFE: TimeDelta = TimeDelta::minutes(30);
const TOKEN_LIFE: Days = Days::new(60);
const REFRESH_TOKEN_LIFE: Days = Days::new(365);

/// Who may do what for whom.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) client_id: String,
    pub(crate) member: String,
    pub(crate) scopes: BTreeSet<String>,
}

#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) value: SecretString,
    pub(crate) grant: Grant,
    pub(crate) redirect_uri: String,
    pub(crate) expires_at: NaiveDateTime,
}

#[derive(Clone, Debug)]
pub(crate) struct AccessToken {
    pub(crate) value: SecretString,
    pub(crate) grant: Grant,
    pub(crate) created_at: NaiveDateTime,
    pub(crate) expires_at: NaiveDateTime,
    pub(crate) revoked: bool,
    refusals_left: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct RefreshToken {
    pub(crate) value: SecretString,
    pub(crate) grant: Grant,
    pub(crate) expires_at: NaiveDateTime,
}

#[derive(Debug, Default)]
pub(crate) struct Grants {
    codes: Vec<Code>,
    tokens: Vec<AccessToken>,
    refresh_tokens: Vec<RefreshToken>,
}

impl Grants {
    /// Takes a code out, so that nobody uses it twice, if `fits` agrees.
    pub(crate) fn take_code(
        &mut self,
        value: &str,
        fits: impl FnOnce(&Code) -> bool,
    ) -> Option<Code> {
        let place = self.codes.iter().position(|code| is(&code.value, value))?;
        fits(self.codes.get(place)?).then(|| self.codes.remove(place))
    }

    pub(crate) fn token(&self, value: &str) -> Option<&AccessToken> {
        self.tokens.iter().find(|token| is(&token.value, value))
    }

    pub(crate) fn refresh_token(&self, value: &str) -> Option<&RefreshToken> {
        self.refresh_tokens
            .iter()
            .find(|token| is(&token.value, value))
    }

    /// Whose code, token or refresh token this is.
    pub(crate) fn member_of(&self, value: &str) -> Option<String> {
        let code = self.codes.iter().find(|code| is(&code.value, value));
        let grant = code
            .map(|code| &code.grant)
            .or_else(|| self.token(value).map(|token| &token.grant))
            .or_else(|| self.refresh_token(value).map(|token| &token.grant))?;
        Some(grant.member.clone())
    }

    /// Uses a token for one call.
    pub(crate) fn admit(&mut self, value: &str, now: NaiveDateTime) -> Result<Grant, Refusal> {
        let token = self
            .tokens
            .iter_mut()
            .find(|token| is(&token.value, value))
            .ok_or_else(Refusal::invalid_token)?;
        if token.revoked {
            Err(Refusal::revoked_token())
        } else if now >= token.expires_at {
            Err(Refusal::expired_token())
        } else if token.refusals_left > 0 {
            token.refusals_left -= 1;
            Err(Refusal::revoked_token())
        } else {
            Ok(token.grant.clone())
        }
    }

    pub(crate) fn revoke(&mut self, member: &str) {
        self.tokens_of(member)
            .for_each(|token| token.revoked = true);
        self.refresh_tokens
            .retain(|token| token.grant.member != member);
    }

    pub(crate) fn expire(&mut self, member: &str) {
        self.tokens_of(member)
            .for_each(|token| token.expires_at = token.created_at);
    }

    /// How many of a member's tokens are good, and how many there are.
    pub(crate) fn count(&self, member: &str, now: NaiveDateTime) -> (usize, usize) {
        let of_member = || {
            self.tokens
                .iter()
                .filter(|token| token.grant.member == member)
        };
        let good = of_member().filter(|token| !token.revoked && now < token.expires_at);
        (good.count(), of_member().count())
    }

    fn tokens_of(&mut self, member: &str) -> impl Iterator<Item = &mut AccessToken> {
        self.tokens
            .iter_mut()
            .filter(move |token| token.grant.member == member)
    }
}

impl StandIn {
    /// Grants a token to an application, as if the member had consented and the application had exchanged the code.
    pub fn grant_token<'a>(
        &self,
        client_id: &str,
        sub: &str,
        scopes: impl IntoIterator<Item = &'a str>,
    ) -> SecretString {
        let grant = Grant {
            client_id: client_id.to_owned(),
            member: sub.to_owned(),
            scopes: scopes.into_iter().map(str::to_owned).collect(),
        };
        self.new_token(grant).value
    }

    pub(crate) fn new_code(&self, grant: Grant, redirect_uri: &str) -> SecretString {
        let code = Code {
            value: SecretString::from(format!("AQT-{}", self.new_id())),
            grant,
            redirect_uri: redirect_uri.to_owned(),
            expires_at: self.now() + CODE_LIFE,
        };
        let value = code.value.clone();
        self.world(|world| world.grants.codes.push(code));
        value
    }

    pub(crate) fn new_token(&self, grant: Grant) -> AccessToken {
        let now = self.now();
        let token = AccessToken {
            // As long as LinkedIn's own, so that nothing on the way cuts them.
            value: SecretString::from(format!("AQV-{}-{}", self.new_id(), "0".repeat(460))),
            grant,
            created_at: now,
            expires_at: now + TOKEN_LIFE,
            revoked: false,
            refusals_left: self.world(|world| world.fresh_token_refusals),
        };
        self.world(|world| world.grants.tokens.push(token.clone()));
        token
    }

    pub(crate) fn new_refresh_token(&self, grant: Grant) -> RefreshToken {
        let token = RefreshToken {
            value: SecretString::from(format!("AQR-{}-{}", self.new_id(), "0".repeat(460))),
            grant,
            expires_at: self.now() + REFRESH_TOKEN_LIFE,
        };
        self.world(|world| world.grants.refresh_tokens.push(token.clone()));
        token
    }
}

fn is(secret: &SecretString, value: &str) -> bool {
    secret.expose_secret() == value
}
