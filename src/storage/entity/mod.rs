//! The tables of InterlinedList's database, one file each, as SeaORM entities.
#![expect(
    missing_docs,
    reason = "InterlinedList's own documentation says what its columns mean"
)]

use sea_orm::{DbErr, DeriveValueType, TryFromU64, entity::prelude::Json};

pub mod linked_identity;
pub mod org_credential;
pub mod org_page;
pub mod organization;
pub mod page_assignment;
pub mod page_sync;
pub mod personal_page;
pub mod posting_preference;
pub mod session;
pub mod sync_token;
pub mod user;

/// Text that lets its holder in somewhere; never printed.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct Secret(pub String);

impl TryFromU64 for Secret {
    fn try_from_u64(_: u64) -> Result<Self, DbErr> {
        Err(DbErr::ConvertFromU64("Secret"))
    }
}

/// JSON that holds a secret; never printed.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct SecretJson(pub Json);

impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("[secret]")
    }
}

impl std::fmt::Debug for SecretJson {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("[secret]")
    }
}
