//! Connections and requests: bounded in number, in time and in size.

use crate::{Content, Error, PROMETHEUS, Settings, tls};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

/// Connections at one time; more are closed at once.
const CONNECTIONS: usize = 256;
/// How long a handshake or the head of a request may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long one connection may live, whatever is asked over it.
const LIFETIME: Duration = Duration::from_secs(300);
/// How long the end of a server that gives way to another is waited for.
const GIVE_WAY: Duration = Duration::from_secs(1);
/// Pages that are made at one time: those who ask together wait for each other, not the machine for them.
const PAGES: usize = 4;

/// A server that has its address and its certificate but no thread yet: threads have the privileges of whoever starts
/// them, and listening may need some that serving does not.
pub struct Bound {
    listener: StdListener,
    tls: Option<TlsAcceptor>,
    settings: Settings,
}

fn acceptor(settings: &Settings) -> Result<Option<TlsAcceptor>, Error> {
    Ok(settings.tls.as_deref().map(tls::config).transpose()?.map(|c| TlsAcceptor::from(Arc::new(c))))
}

impl Bound {
    /// Reads the certificate and begins to listen.
    ///
    /// # Errors
    /// When the address is taken or the certificate wrong.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        let tls = acceptor(settings)?;
        let address = SocketAddr::new(settings.address, settings.port);
        let listener = StdListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok(listener)
        });
        let listener = listener.map_err(|error| Error::Listen { address, error })?;
        Ok(Self { listener, tls, settings: settings.clone() })
    }

    /// Starts to serve.
    ///
    /// # Errors
    /// When the system refuses threads.
    pub fn serve(self, content: Arc<dyn Content>) -> Result<Server, Error> {
        let parallel = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if self.settings.threads == 0 { parallel } else { self.settings.threads };
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.clamp(1, 64))
            .max_blocking_threads(PAGES)
            .thread_name("web")
            .enable_all()
            .build()
            .map_err(Error::Threads)?;
        let address = self.listener.local_addr().map_err(Error::Threads)?;
        let kept = self.listener.try_clone().map_err(Error::Threads)?;
        let site = Arc::new(Site { content: Arc::clone(&content), health: self.settings.health.clone() });
        let guard = runtime.enter();
        let listener = TcpListener::from_std(self.listener).map_err(Error::Threads)?;
        drop(guard);
        runtime.spawn(accept(listener, self.tls, site));
        Ok(Server { address, listener: kept, settings: self.settings, content, runtime: Some(runtime) })
    }
}

/// A server at work; it ends when it is dropped.
pub struct Server {
    address: SocketAddr,
    /// The same as the one that is served, for whoever comes next.
    listener: StdListener,
    settings: Settings,
    content: Arc<dyn Content>,
    runtime: Option<Runtime>,
}

/// Another server could not take the place of one at work.
pub struct NotReplaced {
    /// Why not.
    pub error: Error,
    /// The one at work; `None` where its address was lost meanwhile.
    pub server: Option<Server>,
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves other content by other settings from now on. Who connects meanwhile is answered by the one or the other:
    /// where the address stays, nobody is turned away.
    ///
    /// # Errors
    /// As [`Bound::new`] and [`Bound::serve`]; then the server at work goes on.
    pub fn replace(self, settings: &Settings, content: Arc<dyn Content>) -> Result<Self, Box<NotReplaced>> {
        let asked = |settings: &Settings| (settings.address, settings.port);
        let same = asked(settings) == asked(&self.settings) || SocketAddr::from(asked(settings)) == self.address;
        let bound = if same {
            self.listener
                .try_clone()
                .map_err(Error::Threads)
                .and_then(|listener| Ok(Bound { listener, tls: acceptor(settings)?, settings: settings.clone() }))
        } else {
            Bound::new(settings)
        };
        match bound {
            // The one at work has the port on all addresses, or on one of all.
            Err(Error::Listen { error, .. })
                if error.kind() == ErrorKind::AddrInUse && settings.port == self.address.port() =>
            {
                self.give_way(settings, content)
            }
            bound => bound
                .and_then(|bound| bound.serve(content))
                .map_err(|error| Box::new(NotReplaced { error, server: Some(self) })),
        }
    }

    /// Ends, and begins anew as it was if the other cannot.
    fn give_way(mut self, settings: &Settings, content: Arc<dyn Content>) -> Result<Self, Box<NotReplaced>> {
        let (old, was) = (Settings { port: self.address.port(), ..self.settings.clone() }, Arc::clone(&self.content));
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(GIVE_WAY);
        }
        drop(self);
        Bound::new(settings).and_then(|bound| bound.serve(content)).map_err(|error| {
            let server = Bound::new(&old).and_then(|bound| bound.serve(was)).ok();
            Box::new(NotReplaced { error, server })
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// What requests are answered from.
struct Site {
    content: Arc<dyn Content>,
    health: String,
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, site: Arc<Site>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of descriptors, most likely: the next moment may be better.
                tracing::warn!("web server: cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else { continue };
        let (tls, site) = (tls.clone(), Arc::clone(&site));
        tokio::spawn(async move {
            let _ = tokio::time::timeout(LIFETIME, connection(stream, tls, site)).await;
            drop(place);
        });
    }
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, site: Arc<Site>) {
    match tls {
        None => talk(stream, site).await,
        Some(acceptor) => match tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => talk(stream, site).await,
            Ok(Err(error)) => tracing::debug!("web server: no TLS: {error}"),
            Err(_) => tracing::debug!("web server: a handshake took too long"),
        },
    }
}

async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin, site: Arc<Site>) {
    let service = service_fn(move |request| answer(Arc::clone(&site), request));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(16 << 10);
    // Whoever hangs up or speaks something else has had the answer that it gets.
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}

/// Answers a request. Its body, if it has one, is not read.
async fn answer(site: Arc<Site>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        let mut response = page(StatusCode::METHOD_NOT_ALLOWED, "text/plain", String::new());
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return Ok(response);
    }
    let path = request.uri().path().to_owned();
    // Pages read files of the kernel: not on the threads that hold connections.
    let made = tokio::task::spawn_blocking(move || site.page(&path)).await;
    Ok(made.unwrap_or_else(|_| page(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", String::new())))
}

impl Site {
    fn page(&self, path: &str) -> Response<Full<Bytes>> {
        if path == self.health {
            return match self.content.health() {
                Ok(()) => page(StatusCode::OK, "application/json", "{\"status\": \"ok\"}".into()),
                Err(why) => {
                    let why: String = why.chars().filter(|c| !c.is_control() && !['"', '\\'].contains(c)).collect();
                    let text = format!("{{\"status\": \"failing\", \"reason\": \"{why}\"}}");
                    page(StatusCode::SERVICE_UNAVAILABLE, "application/json", text)
                }
            };
        }
        let metrics = if path == "/metrics" { self.content.metrics() } else { None };
        match (path, metrics) {
            ("/versions", _) => page(StatusCode::OK, "application/json", self.content.versions()),
            (_, Some(metrics)) => page(StatusCode::OK, PROMETHEUS, metrics),
            _ => page(StatusCode::NOT_FOUND, "text/plain", String::new()),
        }
    }
}

fn page(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
