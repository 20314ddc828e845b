//! Where PostgreSQL and SQLite differ in how a column is declared.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, DbErr};

use crate::table::{DefaultValue, Kind};

#[derive(Clone, Copy)]
pub(crate) enum Dialect {
    Postgres,
    Sqlite,
}

impl Dialect {
    pub(crate) fn of(db: &impl ConnectionTrait) -> Result<Self, DbErr> {
        match db.get_database_backend() {
            DbBackend::Postgres => Ok(Self::Postgres),
            DbBackend::Sqlite => Ok(Self::Sqlite),
            other => Err(DbErr::BackendNotSupported {
                db: other.as_str(),
                ctx: "the tables of linkedin-targets",
            }),
        }
    }

    /// The type as it is written.
    ///
    /// On SQLite the names end in `text` where a value is kept as text: the plain names would give the column a
    /// numeric affinity, and numbers in disguise would be stored as numbers.
    pub(crate) const fn declared(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Postgres, Kind::Text) => "TEXT",
            (Self::Postgres, Kind::Boolean) => "BOOLEAN",
            (Self::Postgres, Kind::Time) => "TIMESTAMP(3)",
            (Self::Postgres, Kind::Json) => "JSONB",
            (Self::Sqlite, Kind::Text) => "text",
            (Self::Sqlite, Kind::Boolean) => "boolean",
            (Self::Sqlite, Kind::Time) => "timestamp_text",
            (Self::Sqlite, Kind::Json) => "jsonb_text",
        }
    }

    /// The type as the database reports it; letter case means nothing.
    pub(crate) const fn reported(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Postgres, Kind::Time) => "timestamp(3) without time zone",
            _ => self.declared(kind),
        }
    }

    pub(crate) fn default(self, default: DefaultValue) -> String {
        match (self, default) {
            (Self::Postgres, DefaultValue::Now) => "CURRENT_TIMESTAMP".to_owned(),
            // CURRENT_TIMESTAMP has no milliseconds here; times are compared as text.
            (Self::Sqlite, DefaultValue::Now) => {
                "(strftime('%Y-%m-%d %H:%M:%f', 'now'))".to_owned()
            }
            (_, DefaultValue::Boolean(value)) => value.to_string(),
            (_, DefaultValue::Text(value)) => format!("'{value}'"),
        }
    }
}
