//! What LinkedIn granted, as the connection data of an identity.

use chrono::{NaiveDateTime, TimeDelta};
use secrecy::ExposeSecret;
use serde_json::{Map, Value};

use super::connection::Connection;
use crate::{
    linkedin::Grant,
    seal::{Keys, NONCE_LEN},
    storage::entity::SecretJson,
};

/// A grant for a member, whose connection before may be known.
#[derive(Debug)]
pub(super) struct Granted<'a> {
    pub(super) grant: &'a Grant,
    pub(super) at: NaiveDateTime,
    /// What LinkedIn does not tell now is what it was here.
    pub(super) known: Option<&'a Connection>,
}

impl Granted<'_> {
    /// With the keys and in the forms of InterlinedList. `nonces` are random.
    pub(super) fn data(
        &self,
        keys: &Keys,
        user_id: &str,
        nonces: [[u8; NONCE_LEN]; 2],
    ) -> SecretJson {
        let Grant {
            access_token,
            expires_in,
            scope,
            refresh_token,
            refresh_token_expires_in,
        } = self.grant;
        let [nonce, refresh_nonce] = nonces;
        let mut data = Map::new();
        let mut put = |key: &str, value: Value| data.insert(key.to_owned(), value);
        let sealed = keys.seal(user_id, access_token, nonce);
        put("access_token", sealed.expose_secret().into());
        if let Some(seconds) = *expires_in {
            put("expires_in", seconds.into());
        }
        if let Some(end) = self.end(*expires_in) {
            put("expires_at", iso_8601(end));
        }
        let known_scope = || Some(Vec::from_iter(self.known?.scopes()).join(","));
        if let Some(scope) = scope.clone().or_else(known_scope) {
            put("scope", scope.into());
        }
        if let Some(token) = refresh_token {
            let sealed = keys.seal(user_id, token, refresh_nonce);
            put("refresh_token", sealed.expose_secret().into());
            let known_end = || self.known?.refresh_token_expires_at();
            if let Some(end) = self.end(*refresh_token_expires_in).or_else(known_end) {
                put("refresh_token_expires_at", iso_8601(end));
            }
        }
        SecretJson(Value::Object(data))
    }

    fn end(&self, seconds: Option<u64>) -> Option<NaiveDateTime> {
        let lifetime = TimeDelta::try_seconds(i64::try_from(seconds?).ok()?)?;
        self.at.checked_add_signed(lifetime)
    }
}

fn iso_8601(at: NaiveDateTime) -> Value {
    at.format("%FT%T%.3fZ").to_string().into()
}
