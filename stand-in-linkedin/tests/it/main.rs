//! The stand-in, through its front door.

mod api;
mod faults;
mod images;
mod oauth;
mod organizations;
mod page;
mod roles;
mod support;
