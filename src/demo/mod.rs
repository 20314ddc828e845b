//! A server to try, with made-up people. Nothing of it can be reached from `serve`.

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
use url::Url;

use crate::{
    app::{App, Clock, Ids, Settings},
    config::Demo,
    server,
    storage::{self, entity::user},
};

pub use world::World;

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
    let app = App {
        db: database(folder).await?,
        settings: settings(Url::parse(&address)?),
        clock: Clock::system(),
        ids: Ids::random(),
    };
    if user::Entity::find().count(&app.db).await? == 0 {
        people::add(&app).await?;
    }
    announce(&address, folder)?;
    let routes = sign_in::router(app.db.clone(), server::router(app)?);
    server::run(
        routes,
        listener,
        Duration::from_secs(5),
        server::stop_signal(),
    )
    .await?;
    Ok(())
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
        request_timeout: Duration::from_secs(10),
    }
}

fn announce(address: &str, folder: &Path) -> io::Result<()> {
    writeln!(
        io::stdout(),
        "\n  This is a demo: made-up people, on this machine only.\n\n  \
         Sign in as Alice and explore:  {address}/demo/sign-in/alice\n  \
         All people:                    {address}/\n  \
         Database:                      {}\n",
        folder.join("demo.db").display()
    )
}
