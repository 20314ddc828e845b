//! Documents on their way to execution: counted, parsed and validated once, then kept for whoever sends them again.

mod collect;
mod input_object;
mod limits;
mod trusted;

use std::{collections::HashMap, sync::Arc};

use apollo_compiler::{
    Node, Schema,
    ast::{self, FieldDefinition, OperationType, VariableDefinition},
    executable::{self, ExecutableDocument as ExecutableSource, SelectionSet},
    name,
    parser::{Parser, SourceMap},
    request::coerce_variable_values,
    response::{GraphQLError, JsonValue},
    schema::ExtendedType,
    validation::{DiagnosticList, Valid},
};
use async_graphql::{
    Name, Pos, Positioned, Request, Variables,
    parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, Selection},
};

use quick_cache::{
    DefaultHashBuilder, Options, OptionsBuilder, Weighter,
    sync::{Cache, DefaultLifecycle},
};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::error::{Code, RequestError};
use crate::{config::Limits, manifest::Manifest};
use collect::{Collector, Fragments, Possible};
use trusted::Trusted;

/// How many bytes of documents are kept; what is made of a document takes some thirty times its text.
const KEPT_BYTES: u64 = 256 * 1024;

/// Of how many documents it is remembered, at most, that they were kept and had to go.
const KEPT_DOCUMENTS: usize = 512;

/// The bytes of text that a selection counts for: fragments may be spread so often that there are more than were written.
const SELECTION_BYTES: usize = 8;

/// Prepares documents for execution, by the schema's rules and the limits.
pub(crate) struct Documents {
    schema: Valid<Schema>,
    possible: Possible,
    limits: Limits,
    introspection: bool,
    kept: Cache<Key, Arc<Document>, Bytes>,
    trusted: Option<Trusted>,
}

/// A valid document within the limits.
pub(crate) struct Document {
    weight: u64,
    operations: Vec<Arc<Operation>>,
    sources: SourceMap,
}

/// One of a document's operations.
pub(crate) struct Operation {
    /// Without its selections: only its name, type and variables are asked for.
    head: executable::Operation,
    field: Arc<str>,
    syncs: bool,
    /// What is executed of it, or what that is collected from once there are values.
    definition: OperationDefinition,
    /// Those of the whole document. `None` where no value decides about what is executed.
    fragments: Option<Arc<Fragments>>,
}

/// The field that asks LinkedIn.
const SYNC: &str = "syncLinkedInPages";

/// In the place of a field's name, where an operation asks for several.
const SEVERAL: &str = "several";

/// How a request tells which document it wants.
#[derive(Debug)]
pub(crate) enum Reference {
    /// By the document itself.
    Text(String),
    /// By its [`hash`], or its id in the operator's list.
    Id(String),
}

type Key = [u8; 32];

/// What a kept document weighs.
#[derive(Clone)]
struct Bytes;

impl Weighter<Key, Arc<Document>> for Bytes {
    fn weight(&self, _: &Key, document: &Arc<Document>) -> u64 {
        document.weight
    }
}

/// In one piece, so that there is room for the largest document as well.
fn kept() -> Result<Options, String> {
    OptionsBuilder::new()
        .shards(1)
        .weight_capacity(KEPT_BYTES)
        .estimated_items_capacity(KEPT_DOCUMENTS)
        .build()
        .map_err(|cause| cause.to_string())
}

fn key(text: &str) -> Key {
    Sha256::digest(text).into()
}

/// The SHA-256 of a document's text, in hexadecimal.
pub(crate) fn hash(text: &str) -> String {
    hex::encode(key(text))
}

type Errors = Vec<RequestError>;

impl Documents {
    /// `sdl` is the schema. With a list of `trusted` documents, no others run.
    ///
    /// # Errors
    /// When the schema is not valid, or a sentence that names a trusted document that cannot run.
    pub(crate) fn new(
        sdl: &str,
        limits: &Limits,
        introspection: bool,
        trusted: Option<&Manifest>,
    ) -> Result<Self, String> {
        let schema = Schema::parse_and_validate(sdl, "schema.graphql")
            .map_err(|invalid| invalid.errors.to_string())?;
        let mut documents = Self {
            possible: Possible::new(&schema),
            schema: with_is_one_of(schema),
            limits: limits.clone(),
            introspection,
            kept: Cache::with_options(
                kept()?,
                Bytes,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            trusted: None,
        };
        if let Some(manifest) = trusted {
            let prepare = |text: &str| {
                let source = parse_within(text, limits)?;
                Ok((source, documents.parse_and_validate(text, limits)?))
            };
            let trusted = Trusted::new(manifest, prepare)
                .map_err(|cause| format!("invalid value for TRUSTED_DOCUMENTS: {cause}"))?;
            documents.trusted = Some(trusted);
        }
        Ok(documents)
    }

    /// The document that a request wants. By its hash, one is found while it is kept; one of the list, always.
    pub(crate) fn find(&self, reference: &Reference) -> Result<Arc<Document>, Errors> {
        match (reference, &self.trusted) {
            (Reference::Text(text), _) => self.prepare(text),
            (Reference::Id(id), Some(trusted)) => trusted.with_id(id),
            (Reference::Id(hash), None) => {
                let mut key = Key::default();
                let is_key = hex::decode_to_slice(hash, &mut key).is_ok();
                let found = is_key.then(|| self.kept.get(&key)).flatten();
                found.ok_or_else(|| vec![not_kept()])
            }
        }
    }

    /// The operation of a document of the program itself, to which no operator's limit applies.
    pub(crate) fn own(&self, text: &str) -> Result<Arc<Operation>, Errors> {
        let document = self.parse_and_validate(text, &Limits::DEFAULT)?;
        document.operation(None).map_err(|error| vec![error])
    }

    /// The document of this text, or everything that is wrong with it.
    fn prepare(&self, text: &str) -> Result<Arc<Document>, Errors> {
        let key = key(text);
        if let Some(document) = self.kept.get(&key) {
            return Ok(document);
        }
        let document = match &self.trusted {
            None => Arc::new(self.parse_and_validate(text, &self.limits)?),
            Some(trusted) => trusted.like(&parse_within(text, &self.limits)?)?,
        };
        self.kept.insert(key, document.clone());
        Ok(document)
    }

    fn parse_and_validate(&self, text: &str, limits: &Limits) -> Result<Document, Errors> {
        let document = parse_within(text, limits)?;
        let introspects = limits.check_cost(&document)?;
        if introspects && !self.introspection {
            let message = "This server does not answer questions about its schema.";
            return Err(vec![RequestError::new(Code::ValidationFailed, message)]);
        }
        let document = document
            .to_executable_validate(&self.schema)
            .map_err(|invalid| all(Code::ValidationFailed, &invalid.errors, limits))?;
        input_object::check_literals(&self.schema, &document)?;
        let ExecutableDocument {
            operations,
            fragments,
        } = async_graphql::parser::parse_query(text)
            .map_err(|cause| vec![RequestError::new(Code::ParseFailed, cause.to_string())])?;
        let fragments = Arc::new(fragments);
        let mut definitions = by_name(operations);
        let operations = document.operations.iter().filter_map(|operation| {
            let name = operation.name.as_ref().map(Name::new);
            let definition = definitions.remove(&name)?;
            let (definition, fragments) =
                self.settled(operation.object_type(), definition, &fragments);
            let operation = Operation::new(operation, &document, definition, fragments);
            Some(Arc::new(operation))
        });
        let operations: Vec<_> = operations.collect();
        let selections = operations.iter().map(|operation| operation.selections());
        let bytes = text.len().max(selections.sum::<usize>() * SELECTION_BYTES);
        Ok(Document {
            weight: bytes.try_into().unwrap_or(u64::MAX),
            operations,
            sources: document.sources.clone(),
        })
    }

    /// What is executed of an operation, when no value decides about that; else the operation as it is, and what it needs
    /// until there are values.
    fn settled(
        &self,
        root: &str,
        definition: OperationDefinition,
        fragments: &Arc<Fragments>,
    ) -> (OperationDefinition, Option<Arc<Fragments>>) {
        let no_values = Variables::default();
        let collector = Collector::new(&self.schema, &self.possible, fragments, &no_values);
        let collected = collector.operation(root, &definition);
        if collector.has_asked_for_values() {
            (definition, Some(fragments.clone()))
        } else {
            (collected, None)
        }
    }

    /// Whether the values fit the operation's variables.
    pub(crate) fn check_variables(
        &self,
        document: &Document,
        operation: &Operation,
        values: &Map<String, Value>,
    ) -> Result<(), Errors> {
        self.limits.check_values(values)?;
        let JsonValue::Object(json) = JsonValue::from(Value::Object(values.clone())) else {
            return Ok(());
        };
        let wrong = |variable: &Node<VariableDefinition>| {
            // Alone, so that an error can be told apart from those of others.
            let alone = executable::Operation {
                variables: vec![variable.clone()],
                ..operation.head.clone()
            };
            let misfit = coerce_variable_values(&self.schema, &alone, &json).err();
            let message = misfit
                .map(|cause| cause.message().to_string())
                .or_else(|| {
                    let value = values.get(variable.name.as_str())?;
                    let message = input_object::check_value(&self.schema, &variable.ty, value)?;
                    Some(format!("Variable \"${}\": {message}", variable.name))
                })?;
            let error = GraphQLError::new(message, variable.location(), &document.sources);
            Some(request_error(Code::BadUserInput, error))
        };
        let variables = operation.head.variables.iter();
        let errors: Errors = variables
            .filter_map(wrong)
            .take(self.limits.errors)
            .collect();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }

    /// What async-graphql is to execute, with values that fit the operation's variables.
    pub(crate) fn request(&self, operation: &Operation, mut variables: Variables) -> Request {
        operation.complete(&mut variables);
        let definition = match &operation.fragments {
            None => operation.definition.clone(),
            Some(fragments) => Collector::new(&self.schema, &self.possible, fragments, &variables)
                .operation(operation.head.object_type(), &operation.definition),
        };
        let document = ExecutableDocument {
            operations: DocumentOperations::Single(Positioned::new(definition, Pos::default())),
            fragments: Fragments::new(),
        };
        let mut request = Request::new("").variables(variables);
        request.set_parsed_query(document);
        request
    }
}

impl Document {
    /// The operation to run: the one with this name, or the only one.
    pub(crate) fn operation(&self, name: Option<&str>) -> Result<Arc<Operation>, RequestError> {
        let found = match (name, self.operations.as_slice()) {
            (None, [operation]) => return Ok(operation.clone()),
            (None, []) => Err("The document holds no operation.".to_owned()),
            (None, _) => Err("Say in `operationName` which of the operations to run.".to_owned()),
            (Some(name), operations) => operations
                .iter()
                .find(|operation| operation.name() == Some(name))
                .ok_or_else(|| format!("The document holds no operation named \"{name}\".")),
        };
        found
            .cloned()
            .map_err(|message| RequestError::new(Code::OperationResolutionFailure, message))
    }
}

impl Operation {
    fn new(
        operation: &executable::Operation,
        document: &ExecutableSource,
        definition: OperationDefinition,
        fragments: Option<Arc<Fragments>>,
    ) -> Self {
        let executable::Operation {
            operation_type,
            name,
            variables,
            directives,
            selection_set,
        } = operation;
        let fields = || operation.root_fields(document).map(|field| &field.name);
        let syncs = fields().any(|name| name == SYNC);
        let mut fields = fields();
        let field = match fields.next() {
            Some(first) if fields.all(|other| other == first) => first.as_str(),
            _ => SEVERAL,
        };
        Self {
            field: field.into(),
            syncs,
            definition,
            fragments,
            head: executable::Operation {
                operation_type: *operation_type,
                name: name.clone(),
                variables: variables.clone(),
                directives: directives.clone(),
                selection_set: SelectionSet::new(selection_set.ty.clone()),
            },
        }
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.head.name.as_deref()
    }

    pub(crate) fn kind(&self) -> OperationType {
        self.head.operation_type
    }

    fn selections(&self) -> usize {
        collect::count(&self.definition.selection_set.node)
    }

    /// Gives the variables that came without a value their default ones.
    fn complete(&self, variables: &mut Variables) {
        for Positioned { node: variable, .. } in &self.definition.variable_definitions {
            if let Some(default) = &variable.default_value {
                let entry = variables.entry(variable.name.node.clone());
                entry.or_insert_with(|| default.node.clone());
            }
        }
    }

    /// Whether it asks for a sync with LinkedIn.
    pub(crate) fn syncs(&self) -> bool {
        self.syncs
    }

    /// The schema's field that is asked for, or that it is more than one.
    pub(crate) fn field(&self) -> &Arc<str> {
        &self.field
    }
}

/// A request to the schema that `sdl` describes, made of a document and its variables' values as the server makes those
/// to its own: valid, and written so that async-graphql executes it as the specification has it.
///
/// # Errors
/// All that is wrong with the schema, the document or the values.
pub fn prepared_request(
    sdl: &str,
    document: &str,
    variables: &Map<String, Value>,
) -> Result<Request, String> {
    let told = |errors: Errors| format!("{errors:?}");
    let documents = Documents::new(sdl, &Limits::DEFAULT, true, None)?;
    let document = documents.prepare(document).map_err(told)?;
    let operation = document
        .operation(None)
        .map_err(|error| told(vec![error]))?;
    documents
        .check_variables(&document, &operation, variables)
        .map_err(told)?;
    let variables = Variables::from_json(Value::Object(variables.clone()));
    Ok(documents.request(&operation, variables))
}

/// Whether a request asks for more than what begins with `_`: the schema's own fields, and those for a gateway.
pub(super) fn is_about_caller(request: &mut Request) -> bool {
    let Ok(document) = request.parsed_query() else {
        return false;
    };
    let mut operations = document.operations.iter();
    operations.any(|(_, operation)| {
        let selections = &operation.node.selection_set.node.items;
        selections.iter().any(|selection| match &selection.node {
            Selection::Field(field) => !field.node.name.node.starts_with('_'),
            Selection::FragmentSpread(_) | Selection::InlineFragment(_) => true,
        })
    })
}

fn by_name(operations: DocumentOperations) -> HashMap<Option<Name>, OperationDefinition> {
    match operations {
        DocumentOperations::Single(operation) => HashMap::from([(None, operation.node)]),
        DocumentOperations::Multiple(operations) => operations
            .into_iter()
            .map(|(name, operation)| (Some(name), operation.node))
            .collect(),
    }
}

/// `__Type.isOneOf` stands in the specification of September 2025, and apollo-compiler does not know it yet.
fn with_is_one_of(schema: Valid<Schema>) -> Valid<Schema> {
    let mut schema = schema.into_inner();
    if let Some(ExtendedType::Object(introspected)) = schema.types.get_mut("__Type") {
        let field = FieldDefinition {
            description: None,
            name: name!("isOneOf"),
            arguments: Vec::new(),
            ty: ast::Type::Named(name!("Boolean")),
            directives: ast::DirectiveList::new(),
        };
        introspected
            .make_mut()
            .fields
            .insert(name!("isOneOf"), field.into());
    }
    Valid::assume_valid(schema)
}

/// Parses no more than the limits allow.
fn parse_within(text: &str, limits: &Limits) -> Result<ast::Document, Errors> {
    limits.check_bytes(text)?;
    limits.check_tokens(text)?;
    let mut parser = Parser::new().recursion_limit(limits.syntax_depth);
    parser.parse_ast(text, "document").map_err(|invalid| {
        let is_too_deep = parser.recursion_reached() > limits.syntax_depth;
        if is_too_deep {
            limits::exceeded("levels of nesting", limits.syntax_depth)
        } else {
            all(Code::ParseFailed, &invalid.errors, limits)
        }
    })
}

/// The very words that clients look for before they send the document again, in full.
fn not_kept() -> RequestError {
    RequestError::new(Code::PersistedQueryNotFound, "PersistedQueryNotFound")
}

fn all(code: Code, errors: &DiagnosticList, limits: &Limits) -> Errors {
    let mut errors: Errors = errors
        .iter()
        .map(|error| request_error(code, error.to_json()))
        .take(limits.errors)
        .collect();
    // The parser tells twice that the text ends too early.
    errors.dedup();
    errors
}

fn request_error(code: Code, error: GraphQLError) -> RequestError {
    let pos = |at: apollo_compiler::parser::LineColumn| Pos {
        line: at.line,
        column: at.column,
    };
    RequestError {
        code,
        message: error.message,
        locations: error.locations.into_iter().map(pos).collect(),
    }
}
