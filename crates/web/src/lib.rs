//! How is it doing?
//!
//! A small web server for those who look after the program: is it alive, which versions is it made of, what does it
//! count. What the pages say is the [`Content`]'s affair; how they are asked for over HTTP or HTTPS, by whom and by how
//! many at a time, is decided here. Nobody who asks can slow down whoever answers: the server has threads of its own.
#![forbid(unsafe_code)]

mod serve;
mod tls;

pub use serve::{Bound, NotReplaced, Server};

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// The type of Prometheus's text.
pub const PROMETHEUS: &str = "text/plain; version=0.0.4";

/// What the pages say. Called from the server's threads.
pub trait Content: Send + Sync + 'static {
    /// Whether all is well.
    ///
    /// # Errors
    /// With what is not, for people.
    fn health(&self) -> Result<(), String>;

    /// The versions, as JSON.
    fn versions(&self) -> String;

    /// The metrics in Prometheus's text; `None` where they are not to be told.
    fn metrics(&self) -> Option<String>;
}

/// Where to listen, and how.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address; port 0 takes a free one.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// Threads; 0 for as many as the machine runs at a time.
    pub threads: usize,
    /// Path of the page of health.
    pub health: String,
    /// A PEM file with certificate chain and key, where HTTPS is spoken.
    pub tls: Option<PathBuf>,
}

/// A server that cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken, not ours, or not permitted.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        error: std::io::Error,
    },
    /// The file does not serve as certificate and key.
    #[error("{}: {why}", path.display())]
    Certificate {
        /// Which file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// The system refuses threads.
    #[error("cannot start the web server's threads: {0}")]
    Threads(std::io::Error),
}
