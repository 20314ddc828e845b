use futures_util::future::join_all;
use reqwest::RequestBuilder;
use sea_orm::DatabaseTransaction;
use tokio::task::JoinHandle;

use super::{
    app::{Ask, Reply, TestApp},
    eventually::eventually,
};

/// Requests that wait before the database, in the order in which they came.
pub(crate) struct Queue {
    connections: Vec<DatabaseTransaction>,
    waiting: Vec<JoinHandle<Reply>>,
}

impl Queue {
    pub(crate) async fn form(app: &TestApp) -> Self {
        Self {
            connections: app.take_connections().await,
            waiting: Vec::new(),
        }
    }

    /// Returns when the request waits.
    pub(crate) async fn join(&mut self, app: &TestApp, request: RequestBuilder) {
        let ids = app.ids_made();
        let waiting = tokio::spawn(request.reply());
        // A request gets its id and its place in the queue in one go.
        eventually("the request has come", async || app.ids_made() > ids).await;
        self.waiting.push(waiting);
    }

    pub(crate) async fn leave(&mut self, place: usize) {
        let waiting = self.waiting.remove(place);
        waiting.abort();
        assert!(waiting.await.is_err());
    }

    /// Lets the server have its database, and all answers come.
    pub(crate) async fn serve(self) -> Vec<Reply> {
        for connection in self.connections {
            connection.rollback().await.unwrap();
        }
        let replies = join_all(self.waiting).await;
        replies.into_iter().map(Result::unwrap).collect()
    }
}
