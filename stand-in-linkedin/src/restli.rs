//! Rest.li 2.0 as strictly as LinkedIn reads it: queries and batch answers.

use std::str::FromStr;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::api::Refusal;

/// Longer queries are refused; in bytes.
const MAX_QUERY: usize = 4096;

/// A query's parameters, still encoded.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(raw: &str) -> Result<Self, Refusal> {
        if raw.len() > MAX_QUERY {
            return Err(Refusal::query_too_long());
        }
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or_else(|| Refusal::invalid(pair))?;
            if pairs.iter().any(|(known, _)| known == name) {
                return Err(Refusal::invalid(name));
            }
            pairs.push((name.to_owned(), value.to_owned()));
        }
        Ok(Self(pairs))
    }

    /// Refuses parameters with other names than these.
    pub(crate) fn only(&self, names: &[&str]) -> Result<(), Refusal> {
        match self
            .0
            .iter()
            .find(|(name, _)| !names.contains(&name.as_str()))
        {
            Some((name, _)) => Err(Refusal::not_allowed(name)),
            None => Ok(()),
        }
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        self.raw(name).map(|raw| decode(name, raw)).transpose()
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<usize>, Refusal> {
        self.raw(name).map(|raw| parse(name, raw)).transpose()
    }

    /// The items of `List(…)`: parentheses and commas raw, whatever else is reserved percent-encoded.
    pub(crate) fn list<T: FromStr>(&self, name: &str) -> Result<Vec<T>, Refusal> {
        let items = self
            .raw(name)
            .and_then(|raw| raw.strip_prefix("List("))
            .and_then(|rest| rest.strip_suffix(')'))
            .filter(|items| !items.contains(['(', ')', ':', '\'']))
            .ok_or_else(|| Refusal::invalid(name))?;
        items
            .split(',')
            .map(|item| parse(name, &decode(name, item)?))
            .collect()
    }

    fn raw(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        Some(value)
    }
}

fn decode(name: &str, raw: &str) -> Result<String, Refusal> {
    percent_decode_str(raw)
        .decode_utf8()
        .map(Into::into)
        .map_err(|_| Refusal::invalid(name))
}

fn parse<T: FromStr>(name: &str, text: &str) -> Result<T, Refusal> {
    text.parse().map_err(|_| Refusal::invalid(name))
}

/// What a batch answers: each thing that was found, and for each a status, and why the others were not.
pub(crate) fn batch(found: impl IntoIterator<Item = (String, Result<Value, Refusal>)>) -> Value {
    let (mut results, mut statuses, mut errors) = (Map::new(), Map::new(), Map::new());
    for (key, outcome) in found {
        match outcome {
            Ok(thing) => {
                statuses.insert(key.clone(), json!(200));
                results.insert(key, thing);
            }
            Err(refusal) => {
                statuses.insert(key.clone(), json!(refusal.status.as_u16()));
                errors.insert(key, refusal.body());
            }
        }
    }
    json!({ "results": results, "statuses": statuses, "errors": errors })
}
