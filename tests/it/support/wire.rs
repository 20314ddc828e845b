//! A server that speaks no HTTP, or hardly any: what it says is written byte by byte.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use url::Url;

/// What every request is answered with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Script {
    /// These bytes, and then the connection is closed.
    Says(&'static str),
    /// These bytes, and then silence.
    SaysAndWaits(&'static str),
    /// The first bytes, and then the others for as long as anybody listens.
    SaysForEver(&'static str, &'static str),
}

pub(crate) struct Wire {
    pub(crate) address: Url,
    script: Arc<Mutex<Script>>,
}

impl Wire {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(Script::Says("")));
        let current = script.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let script = *current.lock().unwrap();
                tokio::spawn(play(connection, script));
            }
        });
        Self {
            address: address.parse().unwrap(),
            script,
        }
    }

    /// From now on connections go like this.
    pub(crate) fn follow(&self, script: Script) {
        *self.script.lock().unwrap() = script;
    }
}

/// Ends early where the client has gone.
async fn play(mut connection: TcpStream, script: Script) -> Option<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(connection.read_u8().await.ok()?);
    }
    match script {
        Script::Says(bytes) => connection.write_all(bytes.as_bytes()).await.ok()?,
        Script::SaysAndWaits(bytes) => {
            connection.write_all(bytes.as_bytes()).await.ok()?;
            connection.read_u8().await.ok()?;
        }
        Script::SaysForEver(first, then) => {
            connection.write_all(first.as_bytes()).await.ok()?;
            loop {
                connection.write_all(then.as_bytes()).await.ok()?;
            }
        }
    }
    Some(())
}
