//! Rest.li 2.0: many things by their ids, with an answer for each.

use std::collections::HashMap;

use futures_util::{StreamExt, stream};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{call::Operation, error::Error};

/// Queries are not made longer than this, in bytes, unless a single id is. LinkedIn reads no more than 4,096.
const MAX_QUERY: usize = 4_000;

/// What LinkedIn says about one id.
#[derive(Debug)]
pub(super) enum Entry<T> {
    Found(T),
    /// 404: gone, or not visible.
    Missing,
}

#[derive(Deserialize)]
struct Batch {
    results: HashMap<String, Value>,
    #[serde(default)]
    statuses: HashMap<String, Value>,
    #[serde(default)]
    errors: HashMap<String, Value>,
}

impl Operation<'_> {
    /// What is behind the ids, asked for in as few calls as fit. An id has no entry if it was refused, if its answer
    /// has an unknown shape, or if its call failed.
    ///
    /// # Errors
    /// Only those that every other call would meet too, see [`Error::is_lasting`].
    pub(super) async fn get_many<T: DeserializeOwned>(
        &self,
        path: &str,
        ids: impl IntoIterator<Item = String>,
    ) -> Result<HashMap<String, Entry<T>>, Error> {
        let lists = lists(ids, self.settings().batch_size);
        let mut answers = stream::iter(lists)
            .map(|list| async move { self.get_rest::<Batch>(path, &list).await })
            .buffer_unordered(self.settings().concurrency.max(1));

        let mut entries = HashMap::new();
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(batch) => entries.extend(batch.into_entries()),
                Err(error) if error.is_lasting() => return Err(error),
                Err(_) => {}
            }
        }
        Ok(entries)
    }
}

impl Batch {
    fn into_entries<T: DeserializeOwned>(self) -> impl Iterator<Item = (String, Entry<T>)> {
        let missing: Vec<_> = (self.errors.iter())
            .filter(|(id, error)| self.status(id, error) == Some(404))
            .map(|(id, _)| (id.clone(), Entry::Missing))
            .collect();
        let found = self.results.into_iter().filter_map(|(id, value)| {
            let thing = serde_json::from_value(value).ok()?;
            Some((id, Entry::Found(thing)))
        });
        missing.into_iter().chain(found)
    }

    fn status(&self, id: &str, error: &Value) -> Option<u64> {
        let status = error.get("status").or_else(|| self.statuses.get(id));
        status.and_then(Value::as_u64)
    }
}

/// Queries of the form `ids=List(1,2)`: parentheses and commas as they are, everything else encoded.
fn lists(ids: impl IntoIterator<Item = String>, batch_size: usize) -> Vec<String> {
    let mut lists: Vec<(usize, String)> = Vec::new();
    for id in ids {
        let id = utf8_percent_encode(&id, NON_ALPHANUMERIC).to_string();
        match lists.last_mut() {
            Some((count, list))
                if *count < batch_size && list.len() + id.len() + 2 <= MAX_QUERY =>
            {
                *count += 1;
                list.push(',');
                list.push_str(&id);
            }
            _ => lists.push((1, format!("ids=List({id}"))),
        }
    }
    lists.into_iter().map(|(_, list)| list + ")").collect()
}
