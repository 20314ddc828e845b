use std::collections::HashMap;

use apollo_compiler::{
    Name,
    ast::{Definition, DirectiveList, Document, Field, FragmentDefinition, Selection},
};
use apollo_parser::{Lexer, Token, TokenKind};
use serde_json::{Map, Value};

use super::Errors;
use crate::{
    config::Limits,
    graphql::error::{Code, RequestError},
};

pub(super) fn exceeded(what: &str, most: usize) -> Errors {
    let message = format!("The document has too many {what}: at most {most} are allowed.");
    vec![RequestError::new(Code::QueryTooComplex, message)]
}

impl Limits {
    pub(super) fn check_bytes(&self, text: &str) -> Result<(), Errors> {
        if text.len() > self.bytes {
            return Err(exceeded("bytes", self.bytes));
        }
        Ok(())
    }

    pub(super) fn check_tokens(&self, text: &str) -> Result<(), Errors> {
        let is_ignored = |token: &Token<'_>| {
            matches!(
                token.kind(),
                TokenKind::Whitespace | TokenKind::Comment | TokenKind::Comma | TokenKind::Eof
            )
        };
        // What is no token at all is for the parser to refuse, but not thousands of times.
        let tokens = Lexer::new(text).filter(|it| !it.as_ref().is_ok_and(is_ignored));
        if tokens.take(self.tokens + 1).count() > self.tokens {
            return Err(exceeded("tokens", self.tokens));
        }
        Ok(())
    }

    /// Each list and object, and each value in it, as tokens of a document are counted.
    pub(super) fn check_values(&self, values: &Map<String, Value>) -> Result<(), Errors> {
        let mut count = 0_usize;
        let mut rest: Vec<_> = values.values().collect();
        while let Some(value) = rest.pop() {
            count += 1;
            match value {
                Value::Array(items) => rest.extend(items),
                Value::Object(entries) => rest.extend(entries.values()),
                _ => {}
            }
        }
        if count > self.tokens {
            let most = self.tokens;
            let message =
                format!("The variables have too many values: at most {most} are allowed.");
            return Err(vec![RequestError::new(Code::QueryTooComplex, message)]);
        }
        Ok(())
    }

    /// Walks the document once and tells whether it asks about the schema.
    pub(super) fn check_cost(&self, document: &Document) -> Result<bool, Errors> {
        let operations = document
            .definitions
            .iter()
            .filter_map(|it| it.as_operation_definition());
        if operations.clone().count() > self.operations {
            return Err(exceeded("operations", self.operations));
        }
        let mut walk = Walk::new(document);
        let mut introspects = false;
        for operation in operations {
            let mut cost = walk.selections(&operation.selection_set)?;
            cost.directives += operation.directives.len();
            self.check(&cost)?;
            introspects |= cost.introspects;
        }
        // Those that no operation spreads are still validated; in their order, so that all who send them are told the same.
        let fragments = document
            .definitions
            .iter()
            .filter_map(|it| it.as_fragment_definition());
        for fragment in fragments {
            let Some(fragment) = walk.fragments.get(&fragment.name).copied() else {
                continue;
            };
            let cost = walk.fragment(fragment)?;
            // What stands at the top of a fragment need not stand at the top of an operation.
            self.check(&Cost { width: 0, ..cost })?;
        }
        Ok(introspects)
    }

    fn check(&self, cost: &Cost) -> Result<(), Errors> {
        let counts = [
            ("selections", cost.selections, self.selections),
            ("aliases", cost.aliases, self.aliases),
            ("directives", cost.directives, self.directives),
            ("fields inside each other", cost.depth, self.depth),
            ("selections inside each other", cost.nesting, 2 * self.depth),
            ("root fields", cost.width, self.root_fields),
            (
                "introspection lists inside each other",
                cost.introspection_lists,
                self.introspection_lists,
            ),
        ];
        match counts.into_iter().find(|(_, count, most)| count > most) {
            Some((what, _, most)) => Err(exceeded(what, most)),
            None => Ok(()),
        }
    }
}

/// As how many selections one counts that is answered for every item of a list of the schema's: such lists are long.
const LONG: usize = 2;

/// What a set of selections costs with all its fragments spread. All sums saturate.
#[derive(Clone, Default)]
struct Cost {
    selections: usize,
    aliases: usize,
    directives: usize,
    depth: usize,
    nesting: usize,
    /// Fields at the top.
    width: usize,
    introspection_lists: usize,
    introspects: bool,
}

impl Cost {
    fn add(&mut self, other: &Self) {
        self.selections = self.selections.saturating_add(other.selections);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.width = self.width.saturating_add(other.width);
        self.depth = self.depth.max(other.depth);
        self.nesting = self.nesting.max(other.nesting);
        self.introspection_lists = self.introspection_lists.max(other.introspection_lists);
        self.introspects |= other.introspects;
    }
}

/// Fragments that are done are remembered, so that fragments that spread each other twice cost no more than one walk.
struct Walk<'a> {
    fragments: HashMap<&'a Name, &'a FragmentDefinition>,
    /// `None` while a fragment's own selections are walked.
    costs: HashMap<&'a Name, Option<Cost>>,
}

impl<'a> Walk<'a> {
    fn new(document: &'a Document) -> Self {
        let fragment = |definition: &'a Definition| {
            let fragment = definition.as_fragment_definition()?;
            Some((&fragment.name, &**fragment))
        };
        Self {
            fragments: document.definitions.iter().filter_map(fragment).collect(),
            costs: HashMap::new(),
        }
    }

    fn selections(&mut self, selections: &'a [Selection]) -> Result<Cost, Errors> {
        let mut sum = Cost::default();
        for selection in selections {
            let cost = match selection {
                Selection::Field(field) => self.field(field)?,
                Selection::InlineFragment(inline) => {
                    let inner = self.selections(&inline.selection_set)?;
                    spread(inner, &inline.directives)
                }
                Selection::FragmentSpread(named) => {
                    let inner = match self.fragments.get(&named.fragment_name).copied() {
                        Some(fragment) => self.fragment(fragment)?,
                        // Validation says what is wrong with it.
                        None => Cost::default(),
                    };
                    spread(inner, &named.directives)
                }
            };
            sum.add(&cost);
        }
        Ok(sum)
    }

    fn field(&mut self, field: &'a Field) -> Result<Cost, Errors> {
        let mut cost = self.selections(&field.selection_set)?;
        cost.selections = cost.selections.saturating_add(1);
        cost.aliases = cost.aliases.saturating_add(field.alias.is_some().into());
        cost.directives = cost.directives.saturating_add(field.directives.len());
        cost.depth += 1;
        cost.nesting += 1;
        cost.width = 1;
        match field.name.as_str() {
            // A gateway reads the schema from `_service`.
            "__schema" | "__type" | "_service" => cost.introspects = true,
            "types" | "enumValues" => cost.selections = cost.selections.saturating_mul(LONG),
            "fields" | "inputFields" | "interfaces" | "possibleTypes" => {
                cost.introspection_lists += 1;
                cost.selections = cost.selections.saturating_mul(LONG);
            }
            _ => {}
        }
        Ok(cost)
    }

    fn fragment(&mut self, fragment: &'a FragmentDefinition) -> Result<Cost, Errors> {
        match self.costs.insert(&fragment.name, None) {
            Some(Some(cost)) => {
                self.costs.insert(&fragment.name, Some(cost.clone()));
                Ok(cost)
            }
            Some(None) => {
                let message = format!("The fragment \"{}\" spreads itself.", fragment.name);
                Err(vec![RequestError::new(Code::ValidationFailed, message)])
            }
            None => {
                let mut cost = self.selections(&fragment.selection_set)?;
                cost.directives = cost.directives.saturating_add(fragment.directives.len());
                self.costs.insert(&fragment.name, Some(cost.clone()));
                Ok(cost)
            }
        }
    }
}

fn spread(mut inner: Cost, directives: &DirectiveList) -> Cost {
    inner.selections = inner.selections.saturating_add(1);
    inner.directives = inner.directives.saturating_add(directives.len());
    inner.nesting += 1;
    inner
}
