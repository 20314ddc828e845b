//! Rules of input objects that apollo-compiler does not know: a key stands in one once, and where the schema says
//! `@oneOf`, as the specification of September 2025 has it, exactly one key does, with a value. What a variable may hold
//! must fit also where it stands inside an object or a list.

use std::collections::{HashMap, HashSet};

use apollo_compiler::{
    ExecutableDocument, Name, Node, Schema,
    ast::{Argument, FieldDefinition, Type, Value, VariableDefinition},
    executable::Operation,
    response::GraphQLError,
    schema::InputObjectType,
};
use serde_json::Value as Json;

use super::{Errors, request_error};
use crate::graphql::error::Code;

/// Checks what is written in the document itself.
pub(super) fn check_literals(schema: &Schema, document: &ExecutableDocument) -> Result<(), Errors> {
    for operation in document.operations.iter() {
        let literals = Literals::new(schema, operation);
        let mut variables = operation.variables.iter();
        let wrong = variables
            .find_map(|variable| {
                literals.in_value(&variable.ty, false, variable.default_value.as_ref()?)
            })
            .or_else(|| {
                let mut fields = operation.all_fields(document);
                fields.find_map(|field| literals.in_arguments(&field.arguments, &field.definition))
            });
        if let Some((value, message)) = wrong {
            let error = GraphQLError::new(message, value.location(), &document.sources);
            return Err(vec![request_error(Code::ValidationFailed, error)]);
        }
    }
    Ok(())
}

struct Literals<'a> {
    schema: &'a Schema,
    variables: HashMap<&'a Name, &'a VariableDefinition>,
}

type Wrong<'a> = (&'a Node<Value>, String);

impl<'a> Literals<'a> {
    fn new(schema: &'a Schema, operation: &'a Operation) -> Self {
        let variables = operation.variables.iter();
        Self {
            schema,
            variables: variables
                .map(|variable| (&variable.name, &**variable))
                .collect(),
        }
    }

    fn in_arguments(
        &self,
        arguments: &'a [Node<Argument>],
        definition: &FieldDefinition,
    ) -> Option<Wrong<'a>> {
        arguments.iter().find_map(|argument| {
            let declared = definition.argument_by_name(&argument.name)?;
            let has_default = declared.default_value.is_some();
            self.in_value(&declared.ty, has_default, &argument.value)
        })
    }

    /// `has_default` is whether the place of the value has one.
    fn in_value(&self, ty: &Type, has_default: bool, value: &'a Node<Value>) -> Option<Wrong<'a>> {
        match &**value {
            Value::Variable(name) => {
                let variable = self.variables.get(name)?;
                let message = || {
                    let VariableDefinition { name, ty: own, .. } = variable;
                    format!(
                        "Variable \"${name}\" of type \"{own}\" used in position expecting type \"{ty}\"."
                    )
                };
                (!is_usable(variable, ty, has_default)).then(|| (value, message()))
            }
            Value::List(items) => items
                .iter()
                .find_map(|item| self.in_value(item_type(ty), false, item)),
            Value::Object(entries) => {
                let object = input_object(self.schema, ty)?;
                let mut keys = HashSet::new();
                if let Some((key, again)) = entries.iter().find(|(key, _)| !keys.insert(key)) {
                    return Some((again, format!("The key \"{key}\" stands here twice.")));
                }
                if is_one_of(object) && !self.is_one_value(entries) {
                    return Some((value, one_key(object)));
                }
                entries.iter().find_map(|(key, entry)| {
                    let field = object.fields.get(key)?;
                    self.in_value(&field.ty, field.default_value.is_some(), entry)
                })
            }
            _ => None,
        }
    }

    fn is_one_value(&self, entries: &[(Name, Node<Value>)]) -> bool {
        match entries {
            [(_, value)] => match &**value {
                Value::Null => false,
                Value::Variable(name) => {
                    let variable = self.variables.get(name);
                    variable.is_some_and(|variable| variable.ty.is_non_null())
                }
                _ => true,
            },
            _ => false,
        }
    }
}

/// The specification's `IsVariableUsageAllowed`.
fn is_usable(variable: &VariableDefinition, ty: &Type, has_default: bool) -> bool {
    let default = variable.default_value.as_ref();
    if has_default || default.is_some_and(|default| !default.is_null()) {
        variable.ty.is_assignable_to(&ty.clone().nullable())
    } else {
        variable.ty.is_assignable_to(ty)
    }
}

/// Checks a variable's value; a sentence says what is wrong.
pub(super) fn check_value(schema: &Schema, ty: &Type, value: &Json) -> Option<String> {
    match value {
        Json::Array(items) => items
            .iter()
            .find_map(|item| check_value(schema, item_type(ty), item)),
        Json::Object(entries) => {
            let object = input_object(schema, ty)?;
            let is_one_value = entries.len() == 1 && entries.values().all(|entry| !entry.is_null());
            if is_one_of(object) && !is_one_value {
                return Some(one_key(object));
            }
            entries.iter().find_map(|(key, entry)| {
                let field = object.fields.get(key.as_str())?;
                check_value(schema, &field.ty, entry)
            })
        }
        _ => None,
    }
}

fn item_type(ty: &Type) -> &Type {
    if ty.is_list() { ty.item_type() } else { ty }
}

fn input_object<'a>(schema: &'a Schema, ty: &Type) -> Option<&'a Node<InputObjectType>> {
    schema.get_input_object(ty.inner_named_type())
}

fn is_one_of(object: &InputObjectType) -> bool {
    object.directives.has("oneOf")
}

fn one_key(object: &InputObjectType) -> String {
    format!(
        "\"{}\" takes exactly one of its keys, and a value for it that is not null.",
        object.name
    )
}
