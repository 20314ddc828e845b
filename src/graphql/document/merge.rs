use std::collections::{HashMap, hash_map::Entry};

use async_graphql::{
    Positioned,
    parser::types::{
        DocumentOperations, ExecutableDocument, OperationDefinition, Selection, SelectionSet,
    },
};

/// Makes one field of those that stand side by side under one name, as the specification has it: async-graphql would
/// resolve each of them. Validation has made sure that they ask for the same.
pub(super) fn fields_of_one_name(document: &mut ExecutableDocument) {
    let ExecutableDocument {
        operations,
        fragments,
    } = document;
    let in_operation =
        |operation: &mut OperationDefinition| merge(&mut operation.selection_set.node);
    match operations {
        DocumentOperations::Single(operation) => in_operation(&mut operation.node),
        DocumentOperations::Multiple(operations) => operations
            .values_mut()
            .for_each(|operation| in_operation(&mut operation.node)),
    }
    for fragment in fragments.values_mut() {
        merge(&mut fragment.node.selection_set.node);
    }
}

fn merge(selections: &mut SelectionSet) {
    let mut merged: Vec<Positioned<Selection>> = Vec::new();
    let (mut leaves, mut objects) = (HashMap::new(), HashMap::new());
    for mut selection in std::mem::take(&mut selections.items) {
        match &mut selection.node {
            Selection::Field(field) if field.node.directives.is_empty() => {
                let items = &mut field.node.selection_set.node.items;
                let key = field.node.alias.as_ref().unwrap_or(&field.node.name);
                let places = if items.is_empty() {
                    &mut leaves
                } else {
                    &mut objects
                };
                match places.entry(key.node.clone()) {
                    Entry::Vacant(place) => {
                        place.insert(merged.len());
                    }
                    Entry::Occupied(place) => {
                        let first = inner(&mut merged[*place.get()].node);
                        if let Some(first) = first {
                            first.items.append(items);
                        }
                        continue;
                    }
                }
            }
            // What an object is asked for in a fragment comes before what it is asked for after it.
            _ => objects.clear(),
        }
        merged.push(selection);
    }
    for selection in &mut merged {
        if let Some(inner) = inner(&mut selection.node) {
            merge(inner);
        }
    }
    selections.items = merged;
}

/// What is selected inside, unless that stands elsewhere.
fn inner(selection: &mut Selection) -> Option<&mut SelectionSet> {
    match selection {
        Selection::Field(field) => Some(&mut field.node.selection_set.node),
        Selection::InlineFragment(fragment) => Some(&mut fragment.node.selection_set.node),
        Selection::FragmentSpread(_) => None,
    }
}
