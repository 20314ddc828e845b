//! The schema as a part of a federated graph: what a gateway of Apollo Federation 2 asks a subgraph for.

use std::borrow::Cow;

use async_graphql::{
    Context, ContextSelectionSet, ID, ObjectType, OutputType, Positioned, SDLExportOptions, Schema,
    ServerError, ServerResult, Value,
    parser::types::Field,
    registry::Registry,
    resolver_utils::{ContainerType, resolve_container},
};

use super::{
    Events, Mutation, Query,
    context::{Caller, caller},
    error::{ApiError, Code, RequestError},
    node::{GlobalId, Node},
};
use crate::domain::error::Error;

/// The types that other subgraphs may refer to, each with the fields that tell its objects apart.
const ENTITIES: [(&str, &[&str]); 7] = [
    ("LinkedInConnection", &["id"]),
    ("LinkedInPostingPreferences", &["id"]),
    ("LinkedInPostingTarget", &["id"]),
    ("OrgPage", &["id", "pageId"]),
    ("Organization", &["id", "slug"]),
    ("Personal", &["id"]),
    ("PersonalPage", &["id", "personalPageId"]),
];

/// The root of queries, with entities that can be found by their keys. That there are keys makes async-graphql add
/// `_entities` and `_service` to the schema.
pub(super) struct SubgraphQuery;

impl OutputType for SubgraphQuery {
    fn type_name() -> Cow<'static, str> {
        Query::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        let name = Query::create_type_info(registry);
        for (entity, keys) in ENTITIES {
            for key in keys {
                registry.add_keys(entity, *key);
            }
        }
        name
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl ObjectType for SubgraphQuery {}

impl ContainerType for SubgraphQuery {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        Query.resolve_field(ctx).await
    }

    async fn find_entity(
        &self,
        ctx: &Context<'_>,
        representation: &Value,
    ) -> ServerResult<Option<Value>> {
        let refuse = |mut error: ServerError| {
            error.locations = vec![ctx.item.pos];
            ctx.set_error_path(error)
        };
        let representation =
            Representation::read(representation).map_err(|error| refuse(error.into()))?;
        let found = representation.find(caller(ctx)).await.map_err(|cause| {
            let error = async_graphql::Error::from(ApiError::from(cause));
            refuse(error.into_server_error(ctx.item.pos))
        })?;
        let Some(node) = found else {
            return Ok(Some(Value::Null));
        };
        let selected = ctx.with_selection_set(&ctx.item.node.selection_set);
        node.resolve(&selected, ctx.item).await.map(Some)
    }
}

/// What a gateway knows of an entity: one of its keys.
enum Representation {
    Node(Option<GlobalId>),
    OrganizationBySlug(String),
}

impl Representation {
    fn read(value: &Value) -> Result<Self, RequestError> {
        let text = |name: &str| match value {
            Value::Object(fields) => match fields.get(name)? {
                Value::String(text) => Some(text.as_str()),
                _ => None,
            },
            _ => None,
        };
        let Some(type_name) = text("__typename") else {
            return Err(unfit("A representation needs its `__typename`."));
        };
        let Some((type_name, keys)) = ENTITIES.iter().find(|(entity, _)| *entity == type_name)
        else {
            return Err(unfit(format!("`{type_name}` is no entity of this graph.")));
        };
        let Some((name, key)) = keys.iter().find_map(|name| Some((*name, text(name)?))) else {
            let keys = keys.join("` or `");
            return Err(unfit(format!(
                "A representation of `{type_name}` needs its `{keys}`."
            )));
        };
        Ok(match name {
            "id" => {
                Self::Node(GlobalId::read(&ID::from(key)).filter(|id| id.type_name == *type_name))
            }
            "slug" => Self::OrganizationBySlug(key.to_owned()),
            _ => Self::Node(Some(GlobalId::new(type_name, key))),
        })
    }

    async fn find(self, caller: &Caller) -> Result<Option<Node>, Error> {
        match self {
            Self::Node(id) => Node::find(caller, id).await,
            Self::OrganizationBySlug(slug) => {
                let account = caller.account().await?;
                let ids = account.organization_ids().map(str::to_owned);
                let organizations = caller.organizations().load_many(ids).await?;
                let found = organizations
                    .into_values()
                    .find(|organization| organization.0.slug == slug);
                Ok(found.map(Node::Organization))
            }
        }
    }
}

fn unfit(message: impl Into<String>) -> RequestError {
    RequestError::new(Code::BadUserInput, message)
}

/// The schema as a gateway reads it from `_service`.
pub(super) fn sdl(schema: &Schema<SubgraphQuery, Mutation, Events>) -> String {
    schema.sdl_with_options(SDLExportOptions::new().federation().compose_directive())
}
