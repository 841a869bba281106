//! One question to a runtime over its socket: an HTTP request, whose answer is bounded in size and time.

use http_body_util::{BodyExt, Empty, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use tokio::net::UnixStream;

/// Longest answer that is taken, in bytes.
const LONGEST: usize = 4 << 20;
/// How long a runtime may take for one.
const PATIENCE: Duration = Duration::from_secs(2);

/// The runtime of the thread that asks.
pub(crate) struct Http(tokio::runtime::Runtime);

impl Http {
    pub(crate) fn new() -> std::io::Result<Self> {
        tokio::runtime::Builder::new_current_thread().enable_all().build().map(Self)
    }

    /// The JSON that a runtime answers with, unless it takes too long or knows nothing.
    pub(crate) fn get(&self, socket: &Path, path: &str) -> Option<Value> {
        let answer = async { tokio::time::timeout(PATIENCE, ask(socket, path)).await.ok()? };
        serde_json::from_slice(&self.0.block_on(answer)?).ok()
    }
}

async fn ask(socket: &Path, path: &str) -> Option<Bytes> {
    let stream = TokioIo::new(UnixStream::connect(socket).await.ok()?);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.ok()?;
    let request = Request::get(path).header("host", "localhost").header("connection", "close");
    let request = request.body(Empty::<Bytes>::new()).ok()?;
    let answer = async {
        let response = sender.send_request(request).await.ok().filter(|response| response.status().is_success())?;
        Some(Limited::new(response.into_body(), LONGEST).collect().await.ok()?.to_bytes())
    };
    // The connection has to be driven until the answer is there; then it is dropped.
    tokio::pin!(answer);
    tokio::pin!(connection);
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        _ = &mut connection => answer.await,
    }
}
