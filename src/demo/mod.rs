//! A server to try, with made-up people. Nothing of it can be reached from `serve`.

mod linkedin;
mod people;
mod sign_in;
mod world;

use std::{
    io::{self, Write},
    net::{Ipv4Addr, TcpListener},
    path::Path,
    time::Duration,
};

use sea_orm::{DatabaseConnection, EntityTrait, PaginatorTrait};
use secrecy::SecretString;
use stand_in_linkedin::StandIn;
use url::Url;

use crate::{
    app::{App, Clock, Ids, Random, Settings},
    config::{Demo, Limits},
    linkedin as linkedin_api,
    metrics::Metrics,
    rate_limits::Rates,
    seal,
    server::{self, Bounds},
    storage::{self, Database, entity::user},
    streams::Streams,
};

pub use world::World;

/// For a few browsers.
const BOUNDS: Bounds = Bounds {
    max_connections: 200,
    shutdown_timeout: Duration::from_secs(5),
};

type Error = Box<dyn std::error::Error>;

/// Fills a database, says where to click, and serves until it is stopped.
///
/// # Errors
/// A sentence on what is in the way.
pub async fn run(demo: &Demo) -> Result<(), Error> {
    let temporary = tempfile::tempdir()?;
    let folder = demo.data.as_deref().unwrap_or(temporary.path());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, demo.port)).map_err(|cause| {
        format!(
            "cannot listen on PORT {}: {cause}; --port 0 takes a free one",
            demo.port
        )
    })?;
    let address = format!("http://localhost:{}", listener.local_addr()?.port());
    let stand_in = stand_in().await?;
    let application = linkedin::application(&Url::parse(&address)?)?;
    let streams = Streams::new(1_000);
    let metrics = Metrics::new();
    let app = App {
        db: Database::new(database(folder).await?, metrics.statements()),
        linkedin: client(&stand_in, application.clone())?,
        settings: settings(Url::parse(&address)?),
        clock: Clock::system(),
        ids: Ids::random(),
        random: Random::system(),
        streams: streams.clone(),
        metrics: metrics.clone(),
    };
    if user::Entity::find().count(&*app.db).await? == 0 {
        people::add(&app).await?;
    }
    linkedin::introduce(app.db.writers(), &stand_in, &application).await?;
    announce(&address, &stand_in, folder)?;
    let linkedin = stand_in.base_url().clone();
    let routes = sign_in::router((*app.db).clone(), linkedin, server::router(app)?);
    let stop = server::stop_signal();
    server::run(routes, listener, streams, BOUNDS, metrics, stop).await?;
    Ok(())
}

/// A LinkedIn of the demo's own, on a free port of this machine.
async fn stand_in() -> io::Result<StandIn> {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let (clock, ids) = (Clock::system(), Ids::random());
    StandIn::start(listener, move || clock.now(), move || ids.next())
}

fn client(
    stand_in: &StandIn,
    application: linkedin_api::Application,
) -> Result<linkedin_api::Client, Error> {
    let base = stand_in.base_url();
    let settings = linkedin_api::Settings::new(Some(application), base.clone(), base.clone());
    Ok(linkedin_api::Client::new(settings)?)
}

async fn database(folder: &Path) -> Result<DatabaseConnection, Error> {
    let pool = storage::Pool {
        max_connections: 4,
        acquire_timeout: Duration::from_secs(5),
        statement_timeout: Duration::from_secs(5),
        create: true,
    };
    let url = SecretString::from(format!("sqlite://{}", folder.join("demo.db").display()));
    let db = storage::connect(&url, &pool).await?;
    migration::up(&db).await?;
    Ok(db)
}

fn settings(public_url: Url) -> Settings {
    Settings {
        public_url,
        session_cookies: vec![sign_in::COOKIE.to_owned()],
        allowed_origins: Vec::new(),
        graphiql: true,
        introspection: true,
        trusted_documents: None,
        limits: Limits::default(),
        federation: false,
        sync_interval: Duration::from_secs(1),
        subscription_interval: Duration::from_secs(5),
        token_keys: seal::Keys::default(),
        request_timeout: Duration::from_secs(30),
        rates: Rates::default(),
        max_requests: 100,
        trusted_proxies: Vec::new(),
    }
}

fn announce(address: &str, linkedin: &StandIn, folder: &Path) -> io::Result<()> {
    writeln!(
        io::stdout(),
        "\n  This is a demo: made-up people, on this machine only.\n\n  \
         Sign in as Alice and explore:  {address}/demo/sign-in/alice\n  \
         All people:                    {address}/\n  \
         Its LinkedIn, to change:       {}\n  \
         Database:                      {}\n",
        linkedin.base_url(),
        folder.join("demo.db").display()
    )
}
