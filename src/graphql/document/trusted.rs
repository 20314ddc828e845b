//! Documents of an operator's list, which are the only ones to run.

use std::{collections::HashMap, sync::Arc};

use apollo_compiler::ast;

use super::{Document, Errors, Key, key};
use crate::{
    graphql::error::{Code, RequestError},
    manifest::Manifest,
};

pub(super) struct Trusted {
    by_id: HashMap<String, Arc<Document>>,
    by_form: HashMap<Key, Arc<Document>>,
}

impl Trusted {
    /// # Errors
    /// A sentence that names the first document that cannot run.
    pub(super) fn new(
        manifest: &Manifest,
        prepare: impl Fn(&str) -> Result<(ast::Document, Document), Errors>,
    ) -> Result<Self, String> {
        let (mut by_id, mut by_form) = (HashMap::new(), HashMap::new());
        for (id, text) in manifest.documents() {
            let (source, document) = prepare(text).map_err(|errors| sentence(id, &errors))?;
            let document = by_form
                .entry(form(&source))
                .or_insert_with(|| Arc::new(document));
            by_id.insert(id.clone(), document.clone());
        }
        Ok(Self { by_id, by_form })
    }

    pub(super) fn with_id(&self, id: &str) -> Result<Arc<Document>, Errors> {
        self.by_id.get(id).cloned().ok_or_else(not_in_list)
    }

    /// Clients print documents with blanks and line ends of their own.
    pub(super) fn like(&self, source: &ast::Document) -> Result<Arc<Document>, Errors> {
        self.by_form
            .get(&form(source))
            .cloned()
            .ok_or_else(not_in_list)
    }
}

/// What does not depend on blanks, commas and comments.
fn form(source: &ast::Document) -> Key {
    key(&source.serialize().no_indent().to_string())
}

fn sentence(id: &str, errors: &Errors) -> String {
    let Some(error) = errors.first() else {
        return format!("the document {id:?} cannot run");
    };
    let place = error.locations.first().map_or_else(String::new, |at| {
        format!(" at line {}, column {}", at.line, at.column)
    });
    format!("the document {id:?} cannot run: {}{place}", error.message)
}

fn not_in_list() -> Errors {
    let message =
        "This server runs only the documents of its operator's list, and this is none of them.";
    vec![RequestError::new(Code::PersistedQueryNotInList, message)]
}
