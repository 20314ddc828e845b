//! Connections as they come in: no more than there is room for, counted, and ended when nobody reads the answers.

use std::{
    future::{Ready, ready},
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum_server::accept::Accept;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_io_timeout::TimeoutStream;

use crate::metrics::{Metrics, Open};

/// How long a client may take to read what fits into no buffer any more.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// Takes connections as long as there is room, and closes the others at once.
#[derive(Clone, Debug)]
pub(crate) struct Acceptor {
    room: Arc<Semaphore>,
    metrics: Metrics,
}

impl Acceptor {
    pub(crate) fn new(max_connections: usize, metrics: Metrics) -> Self {
        Self {
            room: Arc::new(Semaphore::new(max_connections)),
            metrics,
        }
    }

    fn take(&self, stream: TcpStream) -> io::Result<Connection> {
        let place = self.room.clone().try_acquire_owned().map_err(|_| {
            self.metrics.connection_refused();
            io::Error::other("too many connections")
        })?;
        // Answers are written whole: to wait for more would only make them late.
        stream.set_nodelay(true)?;
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE_TIMEOUT));
        Ok(Connection {
            stream: Box::pin(stream),
            _open: self.metrics.connection(),
            _place: place,
        })
    }
}

impl<S> Accept<TcpStream, S> for Acceptor {
    type Stream = Connection;
    type Service = S;
    type Future = Ready<io::Result<(Connection, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        ready(self.take(stream).map(|connection| (connection, service)))
    }
}

/// A connection that has a place.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: Pin<Box<TimeoutStream<TcpStream>>>,
    _open: Open,
    _place: OwnedSemaphorePermit,
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(context)
    }
}
