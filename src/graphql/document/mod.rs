//! Documents on their way to execution: counted, parsed and validated once, then kept for whoever sends them again.

mod limits;
mod one_of;
mod root;

use std::sync::Arc;

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
use async_graphql::{Pos, parser::types::ExecutableDocument};
use moka::sync::Cache;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::error::{Code, RequestError};
use crate::{app::Settings, config::Limits};

/// How many bytes of documents are kept; what is made of a document takes some thirty times its text.
const KEPT_BYTES: u64 = 256 * 1024;

/// Prepares documents for execution, by the schema's rules and the limits.
pub(crate) struct Documents {
    schema: Valid<Schema>,
    limits: Limits,
    introspection: bool,
    kept: Cache<Key, Arc<Document>>,
}

/// A valid document within the limits.
pub(crate) struct Document {
    text_bytes: u32,
    executable: ExecutableDocument,
    operations: Vec<Arc<Operation>>,
    sources: SourceMap,
}

/// One of a document's operations.
pub(crate) struct Operation {
    /// Without its selections: only its name, type and variables are asked for.
    head: executable::Operation,
    field: Arc<str>,
    syncs: bool,
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
    /// By its [`hash`].
    Hash(String),
}

type Key = [u8; 32];

fn key(text: &str) -> Key {
    Sha256::digest(text).into()
}

/// The SHA-256 of a document's text, in hexadecimal.
pub(crate) fn hash(text: &str) -> String {
    hex::encode(key(text))
}

type Errors = Vec<RequestError>;

impl Documents {
    /// `sdl` is the schema.
    ///
    /// # Errors
    /// When the schema is not valid.
    pub(crate) fn new(sdl: &str, settings: &Settings) -> Result<Self, String> {
        let schema = Schema::parse_and_validate(sdl, "schema.graphql")
            .map_err(|invalid| invalid.errors.to_string())?;
        Ok(Self {
            schema: with_is_one_of(schema),
            limits: settings.limits.clone(),
            introspection: settings.introspection,
            kept: Cache::builder()
                .max_capacity(KEPT_BYTES)
                .weigher(|_, document: &Arc<Document>| document.text_bytes)
                .build(),
        })
    }

    /// The document that a request wants. By its hash, one is found while it is kept.
    pub(crate) fn find(&self, reference: &Reference) -> Result<Arc<Document>, Errors> {
        match reference {
            Reference::Text(text) => self.prepare(text),
            Reference::Hash(hash) => {
                let mut key = Key::default();
                let is_key = hex::decode_to_slice(hash, &mut key).is_ok();
                let found = is_key.then(|| self.kept.get(&key)).flatten();
                found.ok_or_else(|| vec![not_kept()])
            }
        }
    }

    /// A document of the program itself, to which no operator's limit applies.
    pub(crate) fn own(&self, text: &str) -> Result<Document, Errors> {
        self.parse_and_validate(text, &Limits::DEFAULT)
    }

    /// The document of this text, or everything that is wrong with it.
    fn prepare(&self, text: &str) -> Result<Arc<Document>, Errors> {
        let key = key(text);
        if let Some(document) = self.kept.get(&key) {
            return Ok(document);
        }
        let document = Arc::new(self.parse_and_validate(text, &self.limits)?);
        self.kept.insert(key, document.clone());
        // Makes room at once, not when there is time for it.
        self.kept.run_pending_tasks();
        Ok(document)
    }

    fn parse_and_validate(&self, text: &str, limits: &Limits) -> Result<Document, Errors> {
        let text_bytes = limits.check_bytes(text)?;
        limits.check_tokens(text)?;
        let document = parse(text, limits)?;
        let introspects = limits.check_cost(&document)?;
        if introspects && !self.introspection {
            let message = "This server does not answer questions about its schema.";
            return Err(vec![RequestError::new(Code::ValidationFailed, message)]);
        }
        let document = document
            .to_executable_validate(&self.schema)
            .map_err(|invalid| all(Code::ValidationFailed, &invalid.errors, limits))?;
        one_of::check_literals(&self.schema, &document)?;
        let mut executable = async_graphql::parser::parse_query(text)
            .map_err(|cause| vec![RequestError::new(Code::ParseFailed, cause.to_string())])?;
        root::bare_subscriptions(&mut executable);
        Ok(Document {
            text_bytes,
            executable,
            operations: document
                .operations
                .iter()
                .map(|it| Arc::new(Operation::new(it, &document)))
                .collect(),
            sources: document.sources.clone(),
        })
    }

    /// Whether the values fit the operation's variables.
    pub(crate) fn check_variables(
        &self,
        document: &Document,
        operation: &Operation,
        values: &Map<String, Value>,
    ) -> Result<(), Errors> {
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
                    let message = one_of::check_value(&self.schema, &variable.ty, value)?;
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

    pub(crate) fn executable(&self) -> ExecutableDocument {
        self.executable.clone()
    }
}

impl Operation {
    fn new(operation: &executable::Operation, document: &ExecutableSource) -> Self {
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

    /// Whether it asks for a sync with LinkedIn.
    pub(crate) fn syncs(&self) -> bool {
        self.syncs
    }

    /// The schema's field that is asked for, or that it is more than one.
    pub(crate) fn field(&self) -> &Arc<str> {
        &self.field
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

fn parse(text: &str, limits: &Limits) -> Result<ast::Document, Errors> {
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
