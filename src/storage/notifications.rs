//! What PostgreSQL's triggers announce: whose account has changed, whoever changed it.

use migration::notifications::CHANNEL;
use sea_orm::{
    DatabaseConnection, DbBackend, DbErr, RuntimeErr,
    sqlx::{self, postgres::PgListener, postgres::PgPoolOptions},
};

/// A connection that listens.
pub(crate) struct Notifications(PgListener);

/// What it hears.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Notification {
    /// The account of the user with this id.
    Of(String),
    /// The connection was lost and is there again; what was announced meanwhile is not known.
    SomeWereMissed,
}

impl Notifications {
    /// Listens, beside the pool, on a connection of its own. `None` where the database has no announcements.
    pub(crate) async fn listen(db: &DatabaseConnection) -> Option<Result<Self, DbErr>> {
        if db.get_database_backend() != DbBackend::Postgres {
            return None;
        }
        let options = db.get_postgres_connection_pool().connect_options();
        let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(
            (*options)
                .clone()
                .application_name("linkedin-targets-listener"),
        );
        let listen = async {
            let mut listener = PgListener::connect_with(&pool).await?;
            listener.listen(CHANNEL).await?;
            Ok(Self(listener))
        };
        Some(listen.await.map_err(error))
    }

    pub(crate) async fn next(&mut self) -> Result<Notification, DbErr> {
        Ok(match self.0.try_recv().await.map_err(error)? {
            Some(heard) => Notification::Of(heard.payload().to_owned()),
            None => Notification::SomeWereMissed,
        })
    }
}

fn error(cause: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(cause.into()))
}
