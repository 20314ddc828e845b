//! The GraphQL face: types, resolvers, limits, and the way in over HTTP.

mod connection;
pub(crate) mod context;
mod document;
mod error;
mod federation;
mod node;
mod organization;
mod preference;
mod scalar;
mod subscription;
mod sync;
mod target;
pub(crate) mod transport;

use std::{
    collections::HashSet,
    pin::pin,
    sync::Arc,
    task::{self, Poll, Waker},
};

use async_graphql::{
    Context, ID, Object, ObjectType, Request, Response, SDLExportOptions, Schema, ServerError,
    ValidationMode, Variables,
};

use futures_util::{Stream, StreamExt, stream::BoxStream};

use crate::{
    app::{App, Settings},
    config::Limits,
    domain::{
        account::{Accounts, Credentials},
        error::Error,
        listeners::Listeners,
        sync::{Means, Syncer},
    },
    manifest::Manifest,
    rate_limits::{RateLimits, Standing},
};
use connection::{LinkedInConnection, LinkedInUnavailableTarget};
use context::{Caller, caller};
use document::Documents;
use error::ApiError;
use federation::SubgraphQuery;
use node::{GlobalId, Node};
use preference::{
    LinkedInPostingPreferences, MutationError, SetLinkedInPostingPreferencesInput,
    SetLinkedInPostingPreferencesPayload,
};
use subscription::Events;
use sync::SyncLinkedInPagesPayload;
use target::{LinkedInDestination, LinkedInTarget};

pub(crate) use document::Operation;
pub use document::prepared_request;
pub(crate) use error::Code;
#[cfg(fuzzing)]
pub(crate) use {
    document::{Documents as FuzzedDocuments, Reference, hash},
    node::{GlobalId as FuzzedId, global_id},
};

pub(crate) struct Query;

/// What can be asked. Everything is about the caller, who is told by a session cookie or a bearer token; without
/// one of them each field fails with `UNAUTHENTICATED`.
#[Object]
impl Query {
    /// Every LinkedIn destination that the caller can post to right now: their own account, then organization pages,
    /// then personal pages, each group by label.
    async fn linked_in_targets(&self, ctx: &Context<'_>) -> Result<Vec<LinkedInTarget>, ApiError> {
        let account = caller(ctx).account().await?;
        Ok(account
            .targets
            .iter()
            .map(|target| LinkedInTarget::new(&account, target))
            .collect())
    }

    /// Which of the targets the caller has enabled.
    async fn linked_in_posting_preferences(
        &self,
        ctx: &Context<'_>,
    ) -> Result<LinkedInPostingPreferences, ApiError> {
        let caller = caller(ctx);
        Ok(LinkedInPostingPreferences::new(
            caller,
            caller.account().await?,
        ))
    }

    /// The caller's own connection to LinkedIn, and how it is. Null when they never linked an account.
    async fn linked_in_connection(
        &self,
        ctx: &Context<'_>,
    ) -> Option<Result<LinkedInConnection, ApiError>> {
        LinkedInConnection::of(caller(ctx))
            .await
            .map_err(ApiError::from)
            .transpose()
    }

    /// What the caller would expect to see among the targets but cannot post to now, each with the reason and the
    /// next step. In the order of the targets.
    async fn unavailable_linked_in_targets(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Vec<LinkedInUnavailableTarget>, ApiError> {
        connection::unavailable(ctx).await
    }

    /// The object with this id; null when there is none among what the caller may see.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An `id` that this API answered.")] id: ID,
    ) -> Option<Result<Node, ApiError>> {
        let caller = caller(ctx);
        Node::find(caller, GlobalId::read(&id))
            .await
            .map_err(ApiError::from)
            .transpose()
    }
}

pub(crate) struct Mutation;

/// What can be changed.
#[Object]
impl Mutation {
    /// Enable exactly these targets and disable all others. All of it is saved or nothing; of two saves at once,
    /// one wins whole. Null only when it failed for a reason that `errors` tells.
    async fn set_linked_in_posting_preferences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to enable.")] input: SetLinkedInPostingPreferencesInput,
    ) -> Option<Result<SetLinkedInPostingPreferencesPayload, ApiError>> {
        Some(preference::set(ctx, input).await)
    }

    /// Ask LinkedIn again which company pages the caller administers, and store the answer. Pages that LinkedIn no
    /// longer lists are removed, but only when its list could be read to the end. Who asks again within some seconds
    /// gets the last answer. Null only when it failed for a reason that `errors` tells.
    async fn sync_linked_in_pages(
        &self,
        ctx: &Context<'_>,
    ) -> Option<Result<SyncLinkedInPagesPayload, ApiError>> {
        Some(sync::run(ctx).await)
    }
}

fn schema<Root: ObjectType + 'static>(root: Root) -> Schema<Root, Mutation, Events> {
    Schema::build(root, Mutation, Events)
        .register_output_type::<Node>()
        .register_output_type::<LinkedInDestination>()
        .register_output_type::<MutationError>()
        // `Documents` has validated and counted by then.
        .validation_mode(ValidationMode::Fast)
        .limit_recursive_depth(2 * Limits::GREATEST_DEPTH)
        .finish()
}

/// The schema in the schema definition language, as it is committed in `schema.graphql`.
#[must_use]
pub fn sdl() -> String {
    sdl_of(&schema(Query))
}

/// The schema as a subgraph of Apollo Federation 2.
#[must_use]
pub fn federated_sdl() -> String {
    federation::sdl(&schema(SubgraphQuery))
}

fn sdl_of<Root: ObjectType + 'static>(schema: &Schema<Root, Mutation, Events>) -> String {
    schema.sdl_with_options(
        SDLExportOptions::new()
            .include_specified_by()
            .sorted_enum_items(),
    )
}

/// Whether a server could run the documents of its operator's list.
///
/// # Errors
/// A sentence that names the first one that it could not.
pub(crate) fn check_trusted(
    manifest: Option<&Manifest>,
    limits: &Limits,
    introspection: bool,
) -> Result<(), String> {
    Documents::new(&sdl(), limits, introspection, manifest).map(drop)
}

/// What requests are executed on: the schema alone, or with what a gateway asks a subgraph for.
enum Executor {
    Alone(Schema<Query, Mutation, Events>),
    Federated(Schema<SubgraphQuery, Mutation, Events>),
}

impl Executor {
    fn new(federation: bool) -> Self {
        if federation {
            Self::Federated(schema(SubgraphQuery))
        } else {
            Self::Alone(schema(Query))
        }
    }

    fn sdl(&self) -> String {
        match self {
            Self::Alone(schema) => sdl_of(schema),
            Self::Federated(schema) => sdl_of(schema),
        }
    }

    async fn execute(&self, request: Request) -> Response {
        match self {
            Self::Alone(schema) => schema.execute(request).await,
            Self::Federated(schema) => schema.execute(request).await,
        }
    }

    fn execute_stream(&self, request: Request) -> BoxStream<'static, Response> {
        match self {
            Self::Alone(schema) => schema.execute_stream(request),
            Self::Federated(schema) => schema.execute_stream(request),
        }
    }
}

fn syncer(app: &App, listeners: &Listeners) -> Syncer {
    let (clock, ids, random) = (app.clock.clone(), app.ids.clone(), app.random.clone());
    let means = Means {
        now: Box::new(move || clock.now()),
        new_id: Box::new(move || ids.next()),
        nonces: Box::new(move || random.nonces()),
    };
    Syncer::new(
        app.db.clone(),
        app.linkedin.clone(),
        app.settings.token_keys.clone(),
        means,
        listeners.clone(),
        app.settings.sync_interval,
        app.metrics.clone(),
    )
}

/// The schema at work.
pub(crate) struct Api {
    pub(crate) app: Arc<App>,
    executor: Executor,
    documents: Documents,
    pub(crate) accounts: Accounts,
    pub(crate) syncer: Syncer,
    pub(crate) listeners: Listeners,
    pub(crate) limits: RateLimits,
}

impl Api {
    /// Must be called within a runtime.
    ///
    /// # Errors
    /// When a trusted document cannot run, or the schema is not valid, which a test would have found.
    pub(crate) fn new(app: App) -> Result<Self, String> {
        let executor = Executor::new(app.settings.federation);
        let Settings {
            limits,
            introspection,
            trusted_documents,
            ..
        } = &app.settings;
        let documents = Documents::new(
            &executor.sdl(),
            limits,
            *introspection,
            trusted_documents.as_ref(),
        )?;
        let listeners = Listeners::default();
        Ok(Self {
            accounts: Accounts::new(&app.db, &app.metrics),
            syncer: syncer(&app, &listeners),
            listeners,
            limits: RateLimits::new(app.settings.rates),
            app: Arc::new(app),
            executor,
            documents,
        })
    }

    /// One more sync by whoever has these credentials.
    pub(crate) fn ask_to_sync(&self, credentials: &Credentials) -> Option<Standing> {
        let standing = self.limits.sync(credentials.each())?;
        if standing.wait.is_some() {
            self.app.metrics.limited(standing.subject.name());
        }
        Some(standing)
    }

    /// Who asks, for one request.
    pub(crate) fn caller(self: &Arc<Self>, credentials: Credentials) -> Caller {
        Caller::new(self.clone(), credentials)
    }

    /// The operation of a document of ours, valid by the schema.
    pub(crate) fn parse(&self, document: &str) -> Result<Arc<Operation>, String> {
        let operation = self.documents.own(document);
        operation.map_err(|errors| format!("{errors:?}"))
    }

    /// Executes an operation of ours, with values that fit its variables. All of those are about the caller.
    pub(crate) async fn run(
        &self,
        operation: &Operation,
        variables: Variables,
        caller: Caller,
    ) -> Response {
        let caller = Arc::new(caller);
        let answer = async {
            let request = self.documents.request(operation, variables);
            self.executor.execute(request.data(caller.clone())).await
        };
        let answer = beside_account(&caller, answer).await;
        finished(answer, self.app.settings.limits.errors)
    }

    /// Executes a request whose document is parsed, and logs what failed on our side.
    pub(crate) async fn execute(&self, mut request: Request, caller: Caller) -> Response {
        let caller = Arc::new(caller);
        let is_about_caller = document::is_about_caller(&mut request);
        let answer = self.executor.execute(request.data(caller.clone()));
        let answer = if is_about_caller {
            beside_account(&caller, answer).await
        } else {
            answer.await
        };
        finished(answer, self.app.settings.limits.errors)
    }

    /// Executes a subscription: one answer for each event.
    fn follow(
        &self,
        request: Request,
        caller: Caller,
    ) -> impl Stream<Item = Response> + Send + use<> {
        let answers = self.executor.execute_stream(request.data(Arc::new(caller)));
        let most = self.app.settings.limits.errors;
        answers.map(move |answer| finished(answer, most))
    }
}

/// Begins with the account of somebody who asks alone: every field waits for it, and the answer is made ready while the
/// database works. Where others ask as well, there is something to do meanwhile, and who asks later shares with more.
async fn beside_account(caller: &Caller, answer: impl Future<Output = Response>) -> Response {
    if !caller.is_alone() {
        return answer.await;
    }
    let (mut account, mut answer) = (pin!(caller.account()), pin!(answer));
    if futures_util::poll!(account.as_mut()).is_pending() {
        // It waits for the account by then, and need not be woken for that.
        let begun = answer
            .as_mut()
            .poll(&mut task::Context::from_waker(Waker::noop()));
        // Whatever comes of it: a statement that is given up costs its connection.
        let _ = account.await;
        if let Poll::Ready(answer) = begun {
            return answer;
        }
    }
    answer.await
}

/// An answer as clients may see it, with so many errors at most. What failed on our side is logged.
fn finished(mut response: Response, most: usize) -> Response {
    let mut logged = HashSet::new();
    for error in &mut response.errors {
        match error.source::<Error>() {
            // Fields that wait for the same statement fail with the same cause.
            Some(cause) if logged.insert(cause.to_string()) => cause.log(),
            Some(_) => {}
            None if error
                .extensions
                .as_ref()
                .is_some_and(|extensions| extensions.get("code").is_some()) => {}
            None => {
                tracing::error!(error = %error.message, "an error without a code was masked");
                mask(error);
            }
        }
    }
    response.errors.truncate(most);
    response
}

/// Nobody wrote this message for clients, so it may hold anything.
fn mask(error: &mut ServerError) {
    error::INTERNAL_MESSAGE.clone_into(&mut error.message);
    error.extensions = Some(error::extensions(Code::Internal));
}
