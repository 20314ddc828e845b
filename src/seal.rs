//! Tokens at rest, under keys that the operator holds.
//!
//! A sealed value is `sealed:1:` and the base64 of a nonce and what XChaCha20-Poly1305 makes of the token. It opens for
//! the user it was sealed for and for nobody else. Values without the prefix are taken as they are.

use base64::{Engine, prelude::BASE64_STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use secrecy::{ExposeSecret, SecretString};

/// As many bytes as [`Keys::seal`] needs of randomness.
pub(crate) const NONCE_LEN: usize = 24;

const KEY_LEN: usize = 32;
const PREFIX: &str = "sealed:1:";

/// The keys for tokens at rest, the newest first. Without any, tokens are stored as they are.
#[derive(Clone, Default)]
pub struct Keys(Vec<XChaCha20Poly1305>);

/// Why a text is no key.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a key is 32 random bytes in base64, as `openssl rand -base64 32` prints them")]
pub struct BadKey;

/// None of the keys opens the value: it was sealed with another one, or for somebody else.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("none of TOKEN_KEYS opens the stored token")]
pub struct Unopened;

impl Keys {
    /// Reads keys that stand separated by commas, the newest first.
    ///
    /// # Errors
    /// When one of them is not 32 bytes in base64. The error does not repeat it.
    pub fn parse(list: &SecretString) -> Result<Self, BadKey> {
        let keys = list.expose_secret().split(',').map(|text| {
            let bytes = BASE64_STANDARD.decode(text.trim()).map_err(|_| BadKey)?;
            if bytes.len() == KEY_LEN {
                XChaCha20Poly1305::new_from_slice(&bytes).map_err(|_| BadKey)
            } else {
                Err(BadKey)
            }
        });
        keys.collect::<Result<_, _>>().map(Self)
    }

    /// What is stored for a token: sealed with the newest key, or as it is when there are no keys. `nonce` must be
    /// random.
    pub(crate) fn seal(
        &self,
        user_id: &str,
        token: &SecretString,
        nonce: [u8; NONCE_LEN],
    ) -> SecretString {
        let Some(key) = self.0.first() else {
            return token.clone();
        };
        let payload = Payload {
            msg: token.expose_secret().as_bytes(),
            aad: user_id.as_bytes(),
        };
        let nonce = XNonce::from(nonce);
        // It fails for messages of 256 GiB alone.
        let sealed = key.encrypt(&nonce, payload).unwrap_or_default();
        let bytes = [&nonce[..], &sealed].concat();
        format!("{PREFIX}{}", BASE64_STANDARD.encode(bytes)).into()
    }

    /// The token that is stored as `stored`.
    pub(crate) fn open(
        &self,
        user_id: &str,
        stored: &SecretString,
    ) -> Result<SecretString, Unopened> {
        let Some(text) = stored.expose_secret().strip_prefix(PREFIX) else {
            return Ok(stored.clone());
        };
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| Unopened)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>().ok_or(Unopened)?;
        let nonce = XNonce::from(*nonce);
        let opened = self.0.iter().find_map(|key| {
            let payload = Payload {
                msg: sealed,
                aad: user_id.as_bytes(),
            };
            key.decrypt(&nonce, payload).ok()
        });
        let token = opened.and_then(|bytes| String::from_utf8(bytes).ok());
        token.map(SecretString::from).ok_or(Unopened)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Keys({})", self.0.len())
    }
}
