use std::sync::Arc;

use async_graphql::{Context, dataloader::DataLoader};
use chrono::{NaiveDateTime, TimeDelta};
use futures_util::Stream;
use tokio::sync::OnceCell;

use super::organization::Organizations;
use crate::{
    app::App,
    domain::{
        account::{Account, Accounts, Credentials},
        error::Error,
        health::{self, Health, UnavailableTarget},
        listeners::Listeners,
        preference::{self, Saved},
        sync::{Synced, Syncer},
        target::TargetId,
        watch::{Change, Watch},
    },
    rate_limits::RateLimits,
};

/// The one who asks, for the time of one request. Whoever asks for the account first loads it, for all of them: one
/// request, one statement.
pub(crate) struct Caller {
    app: Arc<App>,
    syncer: Syncer,
    listeners: Listeners,
    limits: RateLimits,
    credentials: Credentials,
    now: NaiveDateTime,
    accounts: Accounts,
    account: OnceCell<Result<Arc<Account>, Error>>,
    pub(super) organizations: DataLoader<Organizations>,
}

impl Caller {
    pub(crate) fn new(
        app: Arc<App>,
        accounts: Accounts,
        syncer: Syncer,
        listeners: Listeners,
        limits: RateLimits,
        credentials: Credentials,
    ) -> Self {
        let organizations = Organizations::loader(app.db.clone());
        Self {
            now: app.clock.now(),
            app,
            accounts,
            syncer,
            listeners,
            limits,
            credentials,
            account: OnceCell::new(),
            organizations,
        }
    }

    pub(crate) async fn account(&self) -> Result<Arc<Account>, Error> {
        let load = async || {
            let account = self.accounts.of_caller(&self.credentials, self.now).await?;
            tracing::Span::current().record("user.id", &account.user_id);
            self.limits.learn(self.credentials.each(), &account.user_id);
            Ok(Arc::new(account))
        };
        self.account.get_or_init(load).await.clone()
    }

    pub(super) async fn save(&self, targets: &[TargetId]) -> Result<Saved, Error> {
        let account = self.account().await?;
        let App { db, ids, .. } = &*self.app;
        preference::save(
            db,
            &self.listeners,
            &self.credentials,
            &account.user_id,
            targets,
            self.now,
            &|| ids.next(),
        )
        .await
    }

    pub(super) async fn sync(&self) -> Result<Synced, Error> {
        self.syncer.sync(&*self.account().await?).await
    }

    pub(super) async fn health(&self) -> Result<Option<Health>, Error> {
        health::of(&self.app.db, &*self.account().await?, self.now).await
    }

    pub(super) async fn unavailable(&self) -> Result<Vec<UnavailableTarget>, Error> {
        health::unavailable(&self.app.db, &*self.account().await?, self.now).await
    }

    /// The account as it is now, when something has changed since it was loaded.
    pub(super) async fn reload(&self) -> Result<Arc<Account>, Error> {
        let now = self.app.clock.now();
        let account = self.accounts.of_caller(&self.credentials, now).await?;
        Ok(Arc::new(account))
    }

    /// The account now, and again whenever it is another one.
    pub(super) fn watch(&self) -> impl Stream<Item = Result<Change, Error>> + Send + use<> {
        let interval = self.app.settings.subscription_interval;
        let watch = Watch {
            db: self.app.db.clone(),
            accounts: self.accounts.clone(),
            clock: self.app.clock.clone(),
            listeners: self.listeners.clone(),
            interval: TimeDelta::from_std(interval).unwrap_or(TimeDelta::MAX),
        };
        watch.account(self.credentials.clone())
    }

    /// Where a browser goes to connect LinkedIn again.
    pub(super) fn reconnect_url(&self) -> String {
        let base = self.app.settings.public_url.as_str().trim_end_matches('/');
        format!("{base}/api/auth/linkedin/authorize?link=true")
    }
}

pub(super) fn caller<'a>(ctx: &Context<'a>) -> &'a Caller {
    ctx.data_unchecked()
}
