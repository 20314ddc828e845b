use std::collections::HashMap;

use async_graphql::{
    ID, Object,
    dataloader::{DataLoader, Loader},
};
use opentelemetry::context::FutureExt;
use sea_orm::DatabaseConnection;

use super::{node::global_id, scalar::Url};
use crate::domain::{
    error::Error,
    organization::{self, Organization as Details},
};

#[derive(Clone)]
pub(crate) struct Organization(pub(super) Details);

/// An InterlinedList organization.
#[Object]
impl Organization {
    /// The organization's id, opaque and unique across all types.
    pub(super) async fn id(&self) -> ID {
        global_id("Organization", &[&self.0.id])
    }

    /// The name that people see.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The name in InterlinedList's addresses.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// The organization's picture on InterlinedList.
    async fn avatar_url(&self) -> Option<Url> {
        self.0.avatar_url.clone().map(Url)
    }
}

/// Loads the organizations of all pages of an answer in one statement.
pub(crate) struct Organizations(DatabaseConnection);

impl Organizations {
    pub(super) fn loader(db: DatabaseConnection) -> DataLoader<Self> {
        // Whoever asks first has it in their trace.
        DataLoader::new(Self(db), |load| tokio::spawn(load.with_current_context()))
    }
}

impl Loader<String> for Organizations {
    type Value = Organization;
    type Error = Error;

    async fn load(&self, ids: &[String]) -> Result<HashMap<String, Organization>, Error> {
        let organizations = organization::by_ids(&self.0, ids).await?;
        Ok(organizations
            .into_iter()
            .map(|details| (details.id.clone(), Organization(details)))
            .collect())
    }
}
