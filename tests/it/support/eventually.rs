use std::time::Duration;

use tokio::time::timeout;

/// Looks again and again until it is so. Panics when it never is, as far as somebody can wait.
pub(crate) async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    let patience = Duration::from_secs(60);
    let found = timeout(patience, looking).await;
    assert!(found.is_ok(), "not within {patience:?}: {what}");
}
