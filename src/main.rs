//! The program: reads its configuration, starts logging, does one thing, and ends with a status that tells how it went.

use std::{
    error::Error,
    io::{self, Write},
    net::TcpListener,
    process::ExitCode,
};

use clap::Parser;
use linkedin_targets::{
    app::{App, Clock, Ids, Random, Settings},
    config::{self, Cli, Command, Database, Migrate, MigrateAction, Serve},
    demo, doctor, federated_sdl, linkedin,
    metrics::Metrics,
    openapi, sdl,
    server::{self, Bounds},
    storage,
    streams::Streams,
    telemetry::{self, Logging},
};
use migration::notifications;
use sea_orm::DatabaseConnection;
use url::Url;

/// Threads that answer requests free what others allocated, all the time; the system's allocator is slower at that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if let Err(message) = config::read_dot_env() {
        return failed(&message);
    }
    let cli = Cli::parse();
    let logging = match telemetry::start(&cli.log) {
        Ok(logging) => logging,
        Err(message) => return failed(&message),
    };
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(run(cli.command, &logging)));
    // The log comes first, also where the error is its last word.
    drop(logging);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => failed(&cause.to_string()),
    }
}

fn failed(message: &str) -> ExitCode {
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(io::stderr(), "error: {message}");
    ExitCode::FAILURE
}

async fn run(command: Command, logging: &Logging) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Serve(settings) => serve(*settings, logging).await,
        Command::Doctor(settings) => examine(&settings).await,
        Command::Migrate(settings) => migrate(&settings).await,
        Command::Schema { federation: false } => print(&sdl()),
        Command::Schema { federation: true } => print(&federated_sdl()),
        Command::Openapi => print(&openapi(&["session".to_owned()])),
        Command::Demo(settings) => demo::run(&settings).await,
    }
}

fn print(text: &str) -> Result<(), Box<dyn Error>> {
    Ok(io::stdout().write_all(text.as_bytes())?)
}

async fn serve(serve: Serve, logging: &Logging) -> Result<(), Box<dyn Error>> {
    serve.check()?;
    let (token_keys, rates) = (serve.seal_keys()?, serve.rates());
    let trusted_documents = serve.manifest()?;
    let metrics = Metrics::new();
    metrics.watch_log(logging.dropped());
    let db = connect(&serve.database, false).await?;
    let missing = migration::missing(&db).await?;
    if !missing.is_empty() {
        let missing = missing.join(", ");
        return Err(format!(
            "the database lacks {missing}; run `linkedin-targets migrate up`, then serve again"
        )
        .into());
    }
    let listener = server::listen((serve.bind, serve.port).into()).map_err(|cause| {
        format!(
            "cannot listen on BIND {} PORT {}: {cause}",
            serve.bind, serve.port
        )
    })?;
    if let Some(admin) = serve.admin_address {
        let listener = TcpListener::bind(admin)
            .map_err(|cause| format!("cannot listen on ADMIN_ADDRESS {admin}: {cause}"))?;
        let admin = listener.local_addr()?;
        tokio::spawn(server::run_admin(metrics.clone(), listener));
        tracing::info!("metrics on http://{admin}/metrics");
    }
    let address = listener.local_addr()?;
    let public_url = match serve.public_url {
        Some(url) => url,
        None => Url::parse(&format!("http://localhost:{}", address.port()))?,
    };
    let streams = Streams::new(serve.max_subscriptions);
    let app = App {
        db: storage::Database::new(db, metrics.statements()),
        linkedin: linkedin::Client::new(serve.linkedin.settings(&public_url)?)?
            .observed_by(metrics.calls()),
        settings: Settings {
            public_url,
            session_cookies: serve.session_cookie_name,
            allowed_origins: serve.allowed_origins,
            graphiql: serve.graphiql,
            introspection: serve.introspection,
            limits: serve.limits,
            trusted_documents,
            federation: serve.federation,
            sync_interval: serve.linkedin.linkedin_sync_interval,
            subscription_interval: serve.subscription_interval,
            token_keys,
            request_timeout: serve.request_timeout,
            rates,
            max_requests: serve.max_requests as usize,
            trusted_proxies: serve.trusted_proxies,
        },
        clock: Clock::system(),
        ids: Ids::random(),
        random: Random::system(),
        streams: streams.clone(),
        metrics: metrics.clone(),
    };
    let bounds = Bounds {
        max_connections: serve.max_connections as usize,
        shutdown_timeout: serve.shutdown_timeout,
    };
    allow_connections(serve.max_connections);
    let routes = server::router(app)?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        "listening on http://{address}"
    );
    let stop = server::stop_signal();
    server::run(routes, listener, streams, bounds, metrics, stop).await?;
    tracing::info!("stopped");
    Ok(())
}

async fn examine(settings: &Serve) -> Result<(), Box<dyn Error>> {
    let is_well = doctor::examine(settings, &Clock::system(), &mut io::stdout()).await?;
    if is_well {
        Ok(())
    } else {
        Err("something is wrong, as told above".into())
    }
}

/// Lets the system open as many connections as are wanted, as far as it goes.
fn allow_connections(wanted: u32) {
    /// For the database, LinkedIn and the log.
    const OTHERS: u64 = 100;
    let most = u64::from(wanted) + OTHERS;
    let allowed = rlimit::increase_nofile_limit(most);
    if let Ok(allowed) = allowed
        && allowed < most
    {
        tracing::warn!(
            allowed,
            "the system allows fewer open files than MAX_CONNECTIONS needs: raise the limit, as with `ulimit -n`"
        );
    }
}

async fn migrate(settings: &Migrate) -> Result<(), Box<dyn Error>> {
    let writes = matches!(settings.action, MigrateAction::Up { dry_run: false, .. });
    let db = connect(&settings.database, writes).await?;
    let mut out = io::stdout();
    match settings.action {
        MigrateAction::Up {
            dry_run: true,
            with_notifications,
        } => {
            let mut plan = migration::plan(&db).await?;
            if with_notifications {
                plan.statements
                    .extend(notifications::plan(&db).await?.statements);
            }
            show(&plan, &mut out)?;
        }
        MigrateAction::Up {
            dry_run: false,
            with_notifications,
        } => {
            let notes = migration::plan(&db).await?.notes;
            for note in notes {
                writeln!(out, "Left as it is: {note}")?;
            }
            let mut statements = migration::up(&db).await?;
            if with_notifications {
                statements.extend(notifications::add(&db).await?);
            }
            match statements.len() {
                0 => writeln!(out, "Nothing was missing.")?,
                count => writeln!(out, "Created what was missing, in {count} statements.")?,
            }
        }
        MigrateAction::RemoveNotifications { dry_run: true } => {
            show(&notifications::removal_plan(&db).await?, &mut out)?;
        }
        MigrateAction::RemoveNotifications { dry_run: false } => {
            match notifications::remove(&db).await?.len() {
                0 => writeln!(out, "There were none.")?,
                _ => writeln!(out, "Removed the notifications.")?,
            }
        }
        MigrateAction::Status => {
            for migration in migration::status(&db).await? {
                let state = if migration.applied { "run" } else { "not run" };
                writeln!(out, "{}: {state}", migration.name)?;
            }
            let missing = migration::missing(&db).await?;
            if !missing.is_empty() {
                return Err(format!(
                    "the database lacks {}; run `linkedin-targets migrate up`",
                    missing.join(", ")
                )
                .into());
            }
            writeln!(out, "Everything that the server needs is there.")?;
        }
    }
    Ok(())
}

fn show(plan: &migration::Plan, out: &mut impl Write) -> io::Result<()> {
    for note in &plan.notes {
        writeln!(out, "-- {note}")?;
    }
    for statement in &plan.statements {
        writeln!(out, "{statement};")?;
    }
    Ok(())
}

async fn connect(database: &Database, create: bool) -> Result<DatabaseConnection, Box<dyn Error>> {
    database.check()?;
    storage::connect(&database.database_url, &database.pool(create)).await.map_err(|cause| {
        format!("cannot connect to the database of DATABASE_URL: {cause}; is it running, and was `linkedin-targets migrate up` run?").into()
    })
}
