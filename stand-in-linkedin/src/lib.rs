//! A server that plays LinkedIn, for tests and for the demo: nobody needs a LinkedIn account.
//!
//! It serves the OAuth pages and the API calls that linkedin-targets uses, both under one address, and is as strict
//! as LinkedIn is said to be: headers, versions, Rest.li encoding, the length of a query, redirect addresses, scopes.
//! Its [`World`] of members, pages, roles and applications is changed through the handle, or by hand on the page at
//! `/`. A [`Fault`] spoils chosen calls: refusals, throttling, HTML, cut or endless answers, lost connections. Time
//! and tokens come from the caller, so every run is the same. [`StandIn::calls`] tells what was asked.
//!
//! ```
//! # async fn example(listener: tokio::net::TcpListener) -> std::io::Result<()> {
//! use stand_in_linkedin::{Endpoint, Fault, Member, Organization, Role, StandIn, When};
//!
//! let linkedin = StandIn::start(listener, chrono::NaiveDateTime::default, || "1".to_owned())?;
//! linkedin.world(|world| {
//!     world.members.push(Member::new("ada", "Ada Lovelace"));
//!     world.organizations.push(Organization::new(2414183, "Acme"));
//!     world.assign("ada", 2414183, Role::Administrator);
//!     world.fail(Fault::Truncated, When::always().by("ada").at(Endpoint::Images));
//! });
//! assert_eq!(linkedin.base_url().scheme(), "http");
//! # Ok(())
//! # }
//! ```

mod api;
mod call;
mod fault;
mod grant;
mod images;
mod oauth;
mod organizations;
mod page;
mod restli;
mod when;
mod world;

use std::{
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Router, middleware, routing::get};
use chrono::NaiveDateTime;
use tokio::{net::TcpListener, sync::watch};
use url::Url;

pub use call::{Call, Endpoint};
pub use fault::Fault;
pub use oauth::{AuthorizationError, Consent};
pub use when::When;
pub use world::{
    Application, Assignment, Kind, Listing, Logo, Member, Organization, Role, RoleState, Total,
    UnauthorizedScopes, UrnKey, Visibility, World,
};

/// A handle on one stand-in; clones share its world.
#[derive(Clone)]
pub struct StandIn(Arc<Shared>);

struct Shared {
    base_url: Url,
    now: Box<dyn Fn() -> NaiveDateTime + Send + Sync>,
    new_id: Box<dyn Fn() -> String + Send + Sync>,
    world: Mutex<World>,
    calls: watch::Sender<call::Log>,
    releases: watch::Sender<u64>,
}

impl StandIn {
    /// A stand-in that somebody else serves, see [`StandIn::router`], at an address without a path.
    ///
    /// `now` tells the time in UTC. `new_id` makes what codes, tokens and `x-li-uuid` are made from, so it must not
    /// repeat itself; letters, digits and `-` only.
    pub fn new(
        base_url: Url,
        now: impl Fn() -> NaiveDateTime + Send + Sync + 'static,
        new_id: impl Fn() -> String + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Shared {
            base_url,
            now: Box::new(now),
            new_id: Box::new(new_id),
            world: Mutex::default(),
            calls: watch::Sender::default(),
            releases: watch::Sender::default(),
        }))
    }

    /// A stand-in that answers at the listener until the runtime ends. See [`StandIn::new`] for the arguments.
    ///
    /// # Errors
    /// Where the listener does not know its address.
    pub fn start(
        listener: TcpListener,
        now: impl Fn() -> NaiveDateTime + Send + Sync + 'static,
        new_id: impl Fn() -> String + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let base_url = Url::parse(&format!("http://{address}")).map_err(io::Error::other)?;
        let linkedin = Self::new(base_url, now, new_id);
        tokio::spawn(axum::serve(listener, linkedin.router()).into_future());
        Ok(linkedin)
    }

    /// Everything it serves: OAuth, the API, logos, and the page at `/`.
    pub fn router(&self) -> Router {
        Router::new()
            .merge(page::router())
            .merge(oauth::router())
            .merge(organizations::router())
            .merge(images::router())
            .route(Endpoint::UserInfo.path(), get(api::user_info))
            .fallback(api::no_such_resource)
            .layer(middleware::from_fn_with_state(self.clone(), call::observe))
            .with_state(self.clone())
    }

    /// The address that stands for both `https://www.linkedin.com` and `https://api.linkedin.com`.
    #[must_use]
    pub fn base_url(&self) -> &Url {
        &self.0.base_url
    }

    /// Looks at the world, or changes it. Calls wait meanwhile, so `act` must not make any.
    pub fn world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        act(&mut self.0.world.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets every call go on that [`Fault::Hang`] or [`Fault::Stalled`] holds now.
    pub fn release(&self) {
        self.0.releases.send_modify(|count| *count += 1);
    }

    /// The next [`StandIn::release`] after this was called, even if awaited later.
    fn released(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut releases = self.0.releases.subscribe();
        async move {
            // An error says that the stand-in is gone, and then nothing needs holding.
            let _gone = releases.changed().await;
        }
    }

    fn now(&self) -> NaiveDateTime {
        (self.0.now)()
    }

    fn new_id(&self) -> String {
        (self.0.new_id)()
    }
}

impl fmt::Debug for StandIn {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("StandIn")
            .field(&self.0.base_url.as_str())
            .finish()
    }
}
