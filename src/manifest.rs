//! Lists of the documents that front ends were built with, as their build tools write them.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs,
    path::PathBuf,
};

use serde::Deserialize;

/// How GraphQL over HTTP marks an id that is the SHA-256 of the document.
pub(crate) const SHA_256: &str = "sha256:";

/// Documents by their ids, which stand here without the prefix `sha256:`: most lists leave it out.
#[derive(Clone, Debug, Default)]
pub struct Manifest(BTreeMap<String, String>);

/// The forms that are written.
#[derive(Deserialize)]
#[serde(untagged)]
enum File {
    /// By Apollo's `generate-persisted-query-manifest`.
    Operations { operations: Vec<Operation> },
    /// By graphql-codegen and relay-compiler: texts by their ids.
    Texts(BTreeMap<String, String>),
}

#[derive(Deserialize)]
struct Operation {
    id: String,
    body: String,
}

impl Manifest {
    /// Reads the lists of several front ends, or of several versions of one.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn read(paths: &[PathBuf]) -> Result<Self, String> {
        let mut all = Self::default();
        for path in paths {
            let added = fs::read(path)
                .map_err(|cause| cause.to_string())
                .and_then(|file| all.add(&file));
            added.map_err(|cause| format!("{}: {cause}", path.display()))?;
        }
        Ok(all)
    }

    fn add(&mut self, file: &[u8]) -> Result<(), String> {
        let file: File = serde_json::from_slice(file).map_err(|_| {
            "it is not a list of documents as graphql-codegen, relay-compiler or Apollo write it"
        })?;
        let documents: Vec<_> = match file {
            File::Operations { operations } => {
                operations.into_iter().map(|it| (it.id, it.body)).collect()
            }
            File::Texts(texts) => texts.into_iter().collect(),
        };
        if documents.is_empty() {
            return Err("there is no document in it".to_owned());
        }
        for (id, text) in documents {
            let id = id.strip_prefix(SHA_256).unwrap_or(&id).to_owned();
            match self.0.entry(id) {
                Entry::Vacant(place) => {
                    place.insert(text);
                }
                Entry::Occupied(other) if *other.get() == text => {}
                Entry::Occupied(other) => {
                    return Err(format!("{:?} is the id of two documents", other.key()));
                }
            }
        }
        Ok(())
    }

    /// Each document's id and text.
    pub(crate) fn documents(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }
}
