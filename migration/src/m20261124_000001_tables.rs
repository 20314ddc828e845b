use sea_orm_migration::prelude::*;

use crate::plan::Plan;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        Plan::of(db).await?.run(db).await
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        // Nobody can tell any more which tables were here before, and their rows belong to the web application.
        Ok(())
    }
}
