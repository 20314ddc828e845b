use sea_orm::DbErr;

use crate::storage::{self, Database};

/// What keeps the server from using its database, which answers, and what to do about it.
pub(crate) async fn obstacle(db: &Database) -> Result<Option<String>, DbErr> {
    let missing = migration::missing(&**db).await?;
    if !missing.is_empty() {
        let missing = missing.join(", ");
        return Ok(Some(format!(
            "the database lacks {missing}: run `linkedin-targets migrate up`"
        )));
    }
    let is_read_only = storage::is_read_only(db).await?;
    Ok(is_read_only.then(|| "the database can only be read: is it a standby?".to_owned()))
}
