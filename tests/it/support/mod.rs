pub(crate) mod app;
pub(crate) mod database;
