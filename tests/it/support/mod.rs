pub(crate) mod app;
pub(crate) mod database;
pub(crate) mod description;
pub(crate) mod npm;
pub(crate) mod process;
pub(crate) mod python;
pub(crate) mod skip;
