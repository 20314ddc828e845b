//! What is executed of an operation, as the specification's `CollectFields` and `CoerceArgumentValues` have it:
//! async-graphql would resolve each of the fields that share a name, and take a variable without a value for null.

use std::{
    cell::Cell,
    collections::{HashMap, HashSet},
};

use apollo_compiler::{Schema, collections::IndexMap, schema::ExtendedType};
use async_graphql::{
    Name, Pos, Positioned, Value as ConstValue, Variables,
    parser::types::{
        Directive, Field, FragmentDefinition, InlineFragment, OperationDefinition, Selection,
        SelectionSet, TypeCondition,
    },
};
use async_graphql_value::Value;

/// A document's fragments, by their names.
pub(super) type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// The types of the objects that each interface and each union stands for.
pub(super) struct Possible(HashMap<apollo_compiler::Name, Vec<Name>>);

impl Possible {
    pub(super) fn new(schema: &Schema) -> Self {
        let objects = |ty: &ExtendedType| match ty {
            ExtendedType::Interface(_) => {
                let types = schema.types.values();
                let objects = types.filter(|other| other.is_object());
                let objects = objects.filter(|object| schema.is_subtype(ty.name(), object.name()));
                Some(objects.map(|object| Name::new(object.name())).collect())
            }
            ExtendedType::Union(union) => Some(union.members.iter().map(Name::new).collect()),
            _ => None,
        };
        let abstract_types = schema.types.iter();
        let abstract_types =
            abstract_types.filter_map(|(name, ty)| Some((name.clone(), objects(ty)?)));
        Self(abstract_types.collect())
    }
}

/// All that decides what is collected, and where it is collected from.
pub(super) struct Collector<'a> {
    schema: &'a Schema,
    possible: &'a Possible,
    fragments: &'a Fragments,
    variables: &'a Variables,
    has_asked: Cell<bool>,
}

/// The fields of one object, by the names that they are answered under.
#[derive(Default)]
struct Collected<'a> {
    fields: IndexMap<&'a Name, SameName<'a>>,
    spread: HashSet<&'a Name>,
}

/// Fields that share a name. Validation has made sure that they ask for the same.
struct SameName<'a> {
    first: &'a Positioned<Field>,
    inside: Vec<&'a SelectionSet>,
}

impl<'a> Collector<'a> {
    /// The default values are among those of the variables.
    pub(super) fn new(
        schema: &'a Schema,
        possible: &'a Possible,
        fragments: &'a Fragments,
        variables: &'a Variables,
    ) -> Self {
        Self {
            schema,
            possible,
            fragments,
            variables,
            has_asked: Cell::new(false),
        }
    }

    /// Whether other values might have led to something else.
    pub(super) fn has_asked_for_values(&self) -> bool {
        self.has_asked.get()
    }

    /// The operation without fragments and conditions; a subscription's field stands directly in it, where async-graphql
    /// looks for it.
    pub(super) fn operation(
        &self,
        root: &str,
        operation: &'a OperationDefinition,
    ) -> OperationDefinition {
        let Positioned { pos, node } = &operation.selection_set;
        OperationDefinition {
            ty: operation.ty,
            variable_definitions: operation.variable_definitions.clone(),
            directives: Vec::new(),
            selection_set: Positioned::new(self.fields(root, &[node]), *pos),
        }
    }

    fn selections(&self, ty: &str, sets: &[&'a SelectionSet], pos: Pos) -> SelectionSet {
        match self.possible.0.get(ty) {
            Some(objects) if sets.iter().any(|set| has_fragments(set)) => {
                let fields = objects
                    .iter()
                    .map(|object| (object, self.fields(object, sets)));
                let selected = fields.filter(|(_, fields)| !fields.items.is_empty());
                SelectionSet {
                    items: selected
                        .map(|(object, fields)| Positioned::new(on(object, fields, pos), pos))
                        .collect(),
                }
            }
            _ => self.fields(ty, sets),
        }
    }

    fn fields(&self, ty: &str, sets: &[&'a SelectionSet]) -> SelectionSet {
        let mut collected = Collected::default();
        for set in sets {
            self.collect(ty, set, &mut collected);
        }
        let fields = collected.fields.into_values();
        SelectionSet {
            items: fields.map(|fields| self.field(ty, &fields)).collect(),
        }
    }

    fn collect(&self, ty: &str, set: &'a SelectionSet, collected: &mut Collected<'a>) {
        let selections = set.items.iter().map(|selection| &selection.node);
        for selection in selections.filter(|it| self.is_included(it.directives())) {
            match selection {
                Selection::Field(field) => collected.add(field),
                Selection::InlineFragment(fragment) => {
                    let InlineFragment {
                        type_condition,
                        selection_set,
                        ..
                    } = &fragment.node;
                    let condition = type_condition.as_ref();
                    if condition.is_none_or(|condition| self.fits(&condition.node, ty)) {
                        self.collect(ty, &selection_set.node, collected);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let is_first = collected.spread.insert(name);
                    if let Some(fragment) = self.fragments.get(name).filter(|_| is_first)
                        && self.fits(&fragment.node.type_condition.node, ty)
                    {
                        self.collect(ty, &fragment.node.selection_set.node, collected);
                    }
                }
            }
        }
    }

    /// One field in the place of all that share its name.
    fn field(&self, parent: &str, fields: &SameName<'a>) -> Positioned<Selection> {
        let Positioned { pos, node: first } = fields.first;
        let Positioned { pos: inside, .. } = first.selection_set;
        let selected = match self.schema.type_field(parent, &first.name.node) {
            Ok(definition) if !fields.inside.is_empty() => {
                self.selections(definition.ty.inner_named_type(), &fields.inside, inside)
            }
            _ => SelectionSet::default(),
        };
        let field = Field {
            alias: first.alias.clone(),
            name: first.name.clone(),
            arguments: self.arguments(&first.arguments),
            directives: Vec::new(),
            selection_set: Positioned::new(selected, inside),
        };
        Positioned::new(Selection::Field(Positioned::new(field, *pos)), *pos)
    }

    fn arguments(&self, arguments: &[Argument]) -> Vec<Argument> {
        let given = arguments
            .iter()
            .filter(|(_, value)| self.is_given(&value.node));
        given
            .map(|(name, value)| {
                let value = Positioned::new(self.value(&value.node), value.pos);
                (name.clone(), value)
            })
            .collect()
    }

    /// The value without the keys of objects that nothing is given for. In a list that is null, also to async-graphql.
    fn value(&self, value: &Value) -> Value {
        match value {
            Value::List(items) => Value::List(items.iter().map(|item| self.value(item)).collect()),
            Value::Object(entries) => {
                let given = entries.iter().filter(|(_, value)| self.is_given(value));
                Value::Object(
                    given
                        .map(|(key, value)| (key.clone(), self.value(value)))
                        .collect(),
                )
            }
            _ => value.clone(),
        }
    }

    fn is_given(&self, value: &Value) -> bool {
        match value {
            Value::Variable(name) => self.of_variable(name).is_some(),
            _ => true,
        }
    }

    fn is_included(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().all(|directive| {
            let condition = directive.node.get_argument("if");
            let holds = condition.is_some_and(|condition| self.is_true(&condition.node));
            match directive.node.name.node.as_str() {
                "skip" => !holds,
                "include" => holds,
                _ => true,
            }
        })
    }

    fn is_true(&self, value: &Value) -> bool {
        match value {
            Value::Boolean(is_true) => *is_true,
            Value::Variable(name) => self.of_variable(name) == Some(&ConstValue::Boolean(true)),
            _ => false,
        }
    }

    fn of_variable(&self, name: &Name) -> Option<&ConstValue> {
        self.has_asked.set(true);
        self.variables.get(name)
    }

    /// Whether a fragment on `condition` is for objects of this type.
    fn fits(&self, TypeCondition { on }: &TypeCondition, ty: &str) -> bool {
        on.node == ty || self.schema.is_subtype(&on.node, ty)
    }
}

type Argument = (Positioned<Name>, Positioned<Value>);

impl<'a> Collected<'a> {
    fn add(&mut self, field: &'a Positioned<Field>) {
        let same = self
            .fields
            .entry(&field.node.response_key().node)
            .or_insert_with(|| SameName {
                first: field,
                inside: Vec::new(),
            });
        let inside = &field.node.selection_set.node;
        if !inside.items.is_empty() {
            same.inside.push(inside);
        }
    }
}

/// How many selections there are after all.
pub(super) fn count(set: &SelectionSet) -> usize {
    let inside = |selection: &Positioned<Selection>| match &selection.node {
        Selection::Field(field) => count(&field.node.selection_set.node),
        Selection::InlineFragment(fragment) => count(&fragment.node.selection_set.node),
        Selection::FragmentSpread(_) => 0,
    };
    set.items
        .iter()
        .map(|selection| 1 + inside(selection))
        .sum()
}

fn has_fragments(set: &SelectionSet) -> bool {
    let mut selections = set.items.iter();
    selections.any(|selection| !matches!(selection.node, Selection::Field(_)))
}

fn on(object: &Name, fields: SelectionSet, pos: Pos) -> Selection {
    let condition = TypeCondition {
        on: Positioned::new(object.clone(), pos),
    };
    let fragment = InlineFragment {
        type_condition: Some(Positioned::new(condition, pos)),
        directives: Vec::new(),
        selection_set: Positioned::new(fields, pos),
    };
    Selection::InlineFragment(Positioned::new(fragment, pos))
}
