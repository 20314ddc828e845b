use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use secrecy::SecretString;
use serde_json::value::RawValue;

use crate::{lenient_json as json, storage::account::ProviderData};

/// LinkedIn's scope for organization pages.
const ORG_SCOPE: &str = "rw_organization_admin";

/// What `providerData` says of a member's own LinkedIn connection. Rows that old versions left behind hold
/// anything in it; nothing there is ever an error.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    has_data: bool,
    token: Option<SecretString>,
    scope: String,
    expiry: Expiry,
    refresh_token: Option<SecretString>,
    refresh_expiry: Expiry,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Expiry {
    /// Absent or unreadable.
    Never,
    /// Milliseconds since 1970.
    At(f64),
}

impl Connection {
    pub(crate) fn read(data: Option<&ProviderData>) -> Self {
        let value = data.and_then(|data| json::document(&data.0));
        let members = value.and_then(json::object);
        let member = |key| members.as_ref().and_then(|members| members.get(key));
        let text = |key| member(key).and_then(json::string);
        let token = |key| {
            text(key)
                .filter(|token| !token.is_empty())
                .map(SecretString::from)
        };
        let expiry = |key| member(key).map_or(Expiry::Never, Expiry::read);
        Self {
            has_data: value.is_some_and(json::is_truthy),
            token: token("access_token"),
            scope: text("scope").unwrap_or_default(),
            expiry: expiry("expires_at"),
            refresh_token: token("refresh_token"),
            refresh_expiry: expiry("refresh_token_expires_at"),
        }
    }

    pub(crate) fn is_active(&self, now: NaiveDateTime) -> bool {
        self.token.is_some() && !self.expires_by(now)
    }

    /// Whether it has ended at `time`, or will have.
    pub(super) fn expires_by(&self, time: NaiveDateTime) -> bool {
        self.expiry.is_past(time)
    }

    /// When it ends, as far as the calendar goes; `None` when it is not known to.
    pub(crate) fn expires_at(&self) -> Option<NaiveDateTime> {
        self.expiry.moment()
    }

    /// The same of the refresh token.
    pub(super) fn refresh_token_expires_at(&self) -> Option<NaiveDateTime> {
        self.refresh_expiry.moment()
    }

    pub(crate) fn scopes(&self) -> impl Iterator<Item = &str> {
        scopes(&self.scope)
    }

    /// As it is stored, perhaps sealed.
    pub(super) fn token(&self) -> Option<&SecretString> {
        self.token.as_ref()
    }

    /// What renews the connection without the member, as it is stored. Only approved partners of LinkedIn have one.
    pub(super) fn refresh_token(&self, now: NaiveDateTime) -> Option<&SecretString> {
        let token = self.refresh_token.as_ref();
        token.filter(|_| !self.refresh_expiry.is_past(now))
    }

    pub(super) fn has_org_scope(&self) -> bool {
        self.scopes().any(|scope| scope == ORG_SCOPE)
    }

    pub(super) fn lacks_org_scope(&self) -> bool {
        self.has_data && !self.has_org_scope()
    }
}

/// LinkedIn answers them with commas, although they are asked for with blanks.
pub(super) fn scopes(text: &str) -> impl Iterator<Item = &str> {
    text.split(separates_scopes).filter(|word| !word.is_empty())
}

fn separates_scopes(character: char) -> bool {
    character == ',' || character.is_whitespace()
}

impl Expiry {
    fn is_past(self, time: NaiveDateTime) -> bool {
        match self {
            Self::Never => false,
            #[expect(
                clippy::cast_precision_loss,
                reason = "milliseconds of this era are exact in a double"
            )]
            Self::At(end) => end <= time.and_utc().timestamp_millis() as f64,
        }
    }

    fn moment(self) -> Option<NaiveDateTime> {
        match self {
            Self::Never => None,
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a Date holds whole milliseconds, far fewer than an i64 can"
            )]
            Self::At(end) => DateTime::from_timestamp_millis(end as i64).map(|at| at.naive_utc()),
        }
    }

    /// As a JavaScript `Date` reads the value.
    fn read(value: &RawValue) -> Self {
        /// The last moment that a `Date` can hold, either way from 1970.
        const LIMIT: f64 = 8.64e15;
        if !json::is_truthy(value) {
            return Self::Never;
        }
        if value.get() == "true" {
            return Self::At(1.0);
        }
        let time = json::number(value)
            .or_else(|| json::string(value).and_then(|text| milliseconds(&text)));
        match time {
            Some(time) if time.abs() <= LIMIT => Self::At(time.trunc()),
            _ => Self::Never,
        }
    }
}

/// ISO 8601 (a blank may stand for the `T`; without an offset it is UTC) or RFC 2822, in milliseconds since 1970.
fn milliseconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let iso = || iso_8601(text).map(|time| time.and_utc().timestamp_millis());
    // A Date does not mind which day of the week is named.
    let dayless = text.split_once(',').map_or(text, |(_, rest)| rest);
    let rfc = || {
        DateTime::parse_from_rfc2822(dayless.trim())
            .ok()
            .map(|time| time.timestamp_millis())
    };
    #[expect(clippy::cast_precision_loss, reason = "a Date is a double")]
    iso().or_else(rfc).map(|time| time as f64)
}

fn iso_8601(text: &str) -> Option<NaiveDateTime> {
    // As InterlinedList writes it: then no formats have to be read.
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.naive_utc());
    }
    let is_between = |character: char| matches!(character, 'T' | 't' | ' ');
    let Some((day, time)) = text.split_once(is_between) else {
        return Some(date(text)?.and_time(NaiveTime::MIN));
    };
    let zoned = format!("{day}T{}", time.trim().to_ascii_uppercase());
    for format in ["%FT%T%.f%#z", "%FT%R%#z"] {
        if let Ok(time) = DateTime::parse_from_str(&zoned, format) {
            return Some(time.naive_utc());
        }
    }
    ["%FT%T%.fZ", "%FT%T%.f", "%FT%RZ", "%FT%R"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(&zoned, format).ok())
}

/// `2026-06-12`, `2026-06` or `2026`.
fn date(text: &str) -> Option<NaiveDate> {
    let first_day = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    NaiveDate::parse_from_str(&first_day, "%F").ok()
}
