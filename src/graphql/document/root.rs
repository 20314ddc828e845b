use std::collections::HashMap;

use async_graphql::{
    Name, Positioned,
    parser::types::{
        DocumentOperations, ExecutableDocument, FragmentDefinition, OperationDefinition,
        OperationType, Selection,
    },
};

type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// Puts the field of each subscription where async-graphql looks for it: directly into the operation, not into a
/// fragment. Validation has made sure that there is one field, without conditions.
pub(super) fn bare_subscriptions(document: &mut ExecutableDocument) {
    let ExecutableDocument {
        operations,
        fragments,
    } = document;
    let bare = |operation: &mut OperationDefinition| {
        if operation.ty == OperationType::Subscription {
            let items = &mut operation.selection_set.node.items;
            *items = fields(std::mem::take(items), fragments);
        }
    };
    match operations {
        DocumentOperations::Single(operation) => bare(&mut operation.node),
        DocumentOperations::Multiple(operations) => operations
            .values_mut()
            .for_each(|operation| bare(&mut operation.node)),
    }
}

fn fields(
    selections: Vec<Positioned<Selection>>,
    fragments: &Fragments,
) -> Vec<Positioned<Selection>> {
    let inside = |selection: Positioned<Selection>| match selection.node {
        Selection::Field(_) => vec![selection],
        Selection::InlineFragment(fragment) => {
            fields(fragment.node.selection_set.node.items, fragments)
        }
        Selection::FragmentSpread(spread) => {
            let fragment = fragments.get(&spread.node.fragment_name.node);
            let items = fragment.map(|fragment| fragment.node.selection_set.node.items.clone());
            fields(items.unwrap_or_default(), fragments)
        }
    };
    selections.into_iter().flat_map(inside).collect()
}
