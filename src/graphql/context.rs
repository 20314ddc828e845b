use std::sync::{Arc, OnceLock};

use async_graphql::{Context, dataloader::DataLoader};
use chrono::{NaiveDateTime, TimeDelta};
use futures_util::Stream;
use tokio::sync::OnceCell;

use super::{Api, organization::Organizations};
use crate::{
    app::{App, Settings},
    domain::{
        account::{Account, Credentials},
        error::Error,
        health::{self, Health, UnavailableTarget},
        preference::{self, Saved},
        sync::Synced,
        target::TargetId,
        watch::{Change, Watch},
    },
};

/// The one who asks, for the time of one request. Whoever asks for the account first loads it, for all of them: one
/// request, one statement.
pub(crate) struct Caller {
    api: Arc<Api>,
    credentials: Credentials,
    now: NaiveDateTime,
    account: OnceCell<Result<Arc<Account>, Error>>,
    organizations: OnceLock<DataLoader<Organizations>>,
}

impl Caller {
    pub(super) fn new(api: Arc<Api>, credentials: Credentials) -> Self {
        Self {
            now: api.app.clock.now(),
            api,
            credentials,
            account: OnceCell::new(),
            organizations: OnceLock::new(),
        }
    }

    /// Everything in one answer that asks for organizations asks together.
    pub(super) fn organizations(&self) -> &DataLoader<Organizations> {
        let loader = || Organizations::loader((*self.api.app.db).clone());
        self.organizations.get_or_init(loader)
    }

    /// Whether nobody asks for an account at this moment, nor have several together lately.
    pub(super) fn is_alone(&self) -> bool {
        self.api.accounts.are_quiet()
    }

    pub(crate) async fn account(&self) -> Result<Arc<Account>, Error> {
        let load = async || {
            let Api {
                accounts, limits, ..
            } = &*self.api;
            let account = accounts.of_caller(&self.credentials, self.now).await?;
            tracing::Span::current().record("user.id", &account.user_id);
            limits.learn(self.credentials.each(), &account.user_id);
            Ok(Arc::new(account))
        };
        self.account.get_or_init(load).await.clone()
    }

    pub(super) async fn save(&self, targets: &[TargetId]) -> Result<Saved, Error> {
        let account = self.account().await?;
        let App { db, ids, .. } = &*self.api.app;
        preference::save(
            db,
            &self.api.listeners,
            &self.credentials,
            &account.user_id,
            targets,
            self.now,
            &|| ids.next(),
        )
        .await
    }

    pub(super) async fn sync(&self) -> Result<Synced, Error> {
        self.api.syncer.sync(&*self.account().await?).await
    }

    pub(super) async fn health(&self) -> Result<Option<Health>, Error> {
        health::of(&*self.api.app.db, &*self.account().await?, self.now).await
    }

    pub(super) async fn unavailable(&self) -> Result<Vec<UnavailableTarget>, Error> {
        health::unavailable(&*self.api.app.db, &*self.account().await?, self.now).await
    }

    /// The account as it is now, when something has changed since it was loaded.
    pub(super) async fn reload(&self) -> Result<Arc<Account>, Error> {
        let now = self.api.app.clock.now();
        let account = self.api.accounts.of_caller(&self.credentials, now).await?;
        Ok(Arc::new(account))
    }

    /// The account now, and again whenever it is another one.
    pub(super) fn watch(&self) -> impl Stream<Item = Result<Change, Error>> + Send + use<> {
        let Api {
            app,
            accounts,
            listeners,
            ..
        } = &*self.api;
        let interval = app.settings.subscription_interval;
        let watch = Watch {
            db: (*app.db).clone(),
            accounts: accounts.clone(),
            clock: app.clock.clone(),
            listeners: listeners.clone(),
            interval: TimeDelta::from_std(interval).unwrap_or(TimeDelta::MAX),
        };
        watch.account(self.credentials.clone())
    }

    /// Where a browser goes to connect LinkedIn again.
    pub(super) fn reconnect_url(&self) -> String {
        let Settings { public_url, .. } = &self.api.app.settings;
        let base = public_url.as_str().trim_end_matches('/');
        format!("{base}/api/auth/linkedin/authorize?link=true")
    }
}

pub(super) fn caller<'a>(ctx: &Context<'a>) -> &'a Caller {
    ctx.data_unchecked::<Arc<Caller>>()
}
