//! An HTTP or HTTPS receiver: a POST an alert, or a few of them at once where that is asked for.

use super::tls::Trust;
use super::{distrust, stdout};
use crate::counters::Counters;
use crate::error::{Cause, Error, printable};
use crate::message::Message;
use crate::sink::{Desk, Failed, Sink};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use reqwest::header::{CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, TE, TRANSFER_ENCODING};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::time::Duration;
use tokio::runtime::Runtime;

/// What is read of an answer; the rest of a longer one is left.
const ANSWER: usize = 64 << 10;
/// What the log shows of an answer.
const SHOWN: usize = 512;
/// How long opening a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// The silence after which the kernel asks whether the other end is still there.
const TCP_KEEP_ALIVE: Duration = Duration::from_secs(60);

/// Which receiver, and how.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address; quotes around it are taken off.
    pub url: String,
    /// Who is calling.
    pub user_agent: String,
    /// Trust and identity of HTTPS.
    pub trust: Trust,
    /// What becomes of the receiver's answers.
    pub echo: Echo,
    /// Compress what is sent (gzip).
    pub compress: bool,
    /// Offer to take compressed answers: all that upstream's `compress_uploads` does.
    pub compressed_answers: bool,
    /// Have the kernel notice that a silent receiver is gone.
    pub keep_alive: bool,
    /// After so many answers in a row that did not come, and one more, an alert is given up.
    pub max_consecutive_timeouts: u8,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Alerts in one request, a line each; 1 for one alert a request.
    pub batch: usize,
}

/// What becomes of a receiver's answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Echo {
    /// Nothing.
    #[default]
    No,
    /// They are logged.
    Log,
    /// They are written to standard output, as upstream does it.
    Stdout,
}

impl Default for Settings {
    /// No address; the rest as upstream has it by itself.
    fn default() -> Self {
        Self {
            url: String::new(),
            user_agent: "falcosecurity/falco".into(),
            trust: Trust { ca_path: "/etc/ssl/certs".into(), ..Trust::default() },
            echo: Echo::No,
            compress: false,
            compressed_answers: false,
            keep_alive: false,
            max_consecutive_timeouts: 5,
            timeout: Duration::from_secs(10),
            batch: 1,
        }
    }
}

/// The output.
pub struct Http {
    settings: Settings,
    url: Url,
    client: Client,
    runtime: Runtime,
}

impl Http {
    /// Reads certificates; nothing is connected yet.
    ///
    /// # Errors
    /// When the address or a certificate is wrong.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let url = address(&settings.url)?;
        let client = client(&settings, &url)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|e| Error::lasting(Cause::Io, format!("cannot start the HTTP client: {e}")))?;
        Ok(Self { settings, url, client, runtime })
    }

    fn request(&self, messages: &[Message], timeout: Duration) -> Result<RequestBuilder, Error> {
        let json = messages.first().is_some_and(Message::json);
        let content = match (json, messages.len()) {
            (true, 0 | 1) => "application/json",
            (true, _) => "application/x-ndjson",
            (false, _) => "text/plain",
        };
        let mut body = String::new();
        for message in messages {
            if !body.is_empty() {
                body.push('\n');
            }
            body.push_str(message.line());
        }
        let mut request = self.client.post(self.url.clone()).header(CONTENT_TYPE, content).timeout(timeout);
        if self.settings.compressed_answers {
            request = request.header(CONNECTION, "TE").header(TE, "gzip");
        }
        if !self.settings.compress {
            return Ok(request.body(body));
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let packed = encoder.write_all(body.as_bytes()).and_then(|()| encoder.finish());
        let packed = packed.map_err(|e| Error::lasting(Cause::Io, format!("cannot compress: {e}")))?;
        Ok(request.header(CONTENT_ENCODING, "gzip").body(packed))
    }

    /// Sends a request and judges the answer.
    fn exchange(&self, request: RequestBuilder) -> Result<(), Error> {
        self.runtime.block_on(async {
            let mut response = request.send().await.map_err(|e| self.failure(&e))?;
            let status = response.status();
            let answer = answer(&mut response).await;
            match self.settings.echo {
                Echo::No => {}
                Echo::Log => tracing::info!("output http: {status}: {}", excerpt(&answer)),
                // Whoever reads alerts there will notice by them when it cannot be written.
                Echo::Stdout => {
                    let _ = stdout::show(&answer);
                }
            }
            if status.is_success() { Ok(()) } else { Err(self.refusal(status, &answer)) }
        })
    }

    /// Busy receivers are asked again later, those that do not want it are not.
    fn refusal(&self, status: StatusCode, answer: &[u8]) -> Error {
        let mut text = format!("{} answers {status}", shown(&self.url));
        if !answer.is_empty() {
            let _ = write!(text, ": {}", excerpt(answer));
        }
        let later = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
        if status.is_server_error() || later.contains(&status) {
            Error::passing(Cause::Refused, text)
        } else {
            Error::lasting(Cause::Refused, text)
        }
    }

    fn failure(&self, error: &reqwest::Error) -> Error {
        let url = shown(&self.url);
        let (chain, tls) = causes(error);
        if let Some(tls) = tls {
            let why = distrust::explain(&tls, &self.settings.trust);
            return Error::passing(Cause::Tls, format!("no trusted connection to {url}: {why}"));
        }
        if error.is_timeout() {
            let what = if error.is_connect() { "connection" } else { "answer" };
            return Error::passing(Cause::Timeout, format!("no {what} from {url} in time"));
        }
        if error.is_builder() {
            return Error::lasting(Cause::Refused, format!("cannot make a request for {url}: {chain}"));
        }
        Error::passing(Cause::Unreachable, format!("cannot reach {url}: {chain}"))
    }
}

impl Sink for Http {
    fn deliver(&mut self, messages: &[Message], desk: &Desk) -> Result<usize, Failed> {
        let timeout = desk.signals.at_most(self.settings.timeout).max(Duration::from_millis(1));
        self.request(messages, timeout).and_then(|request| self.exchange(request))?;
        messages.iter().for_each(|message| desk.delivered(message));
        Ok(messages.len())
    }

    fn batch(&self) -> usize {
        self.settings.batch.max(1)
    }

    fn max_timeouts(&self) -> Option<u32> {
        Some(u32::from(self.settings.max_consecutive_timeouts))
    }

    /// Certificates may have been renewed; if the new ones are wrong the old ones stay.
    fn reopen(&mut self, desk: &Desk) {
        match client(&self.settings, &self.url) {
            Ok(client) => {
                self.client = client;
                Counters::add(&desk.counters.reopened);
            }
            Err(error) => tracing::error!("output {}: {error}; what was read before stays", desk.name),
        }
    }
}

fn address(text: &str) -> Result<Url, Error> {
    let text = text.trim();
    let bare = ['"', '\''].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(text);
    let wrong = |why: &str| Error::lasting(Cause::Refused, format!("the address is no URL of HTTP: {why}"));
    if bare.is_empty() {
        return Err(wrong("it is empty"));
    }
    // As curl does, an address without a scheme is one of HTTP.
    let whole = if bare.contains("://") { bare.to_owned() } else { format!("http://{bare}") };
    let url = Url::parse(&whole).map_err(|e| wrong(&e.to_string()))?;
    match (url.scheme(), url.host_str()) {
        ("http" | "https", Some(_)) => Ok(url),
        (scheme, _) => Err(wrong(&format!("the scheme is {scheme}"))),
    }
}

fn client(settings: &Settings, url: &Url) -> Result<Client, Error> {
    let mut trust = settings.trust.clone();
    // Without encryption nobody is asked for a certificate, and the files need not be there.
    if url.scheme() == "http" {
        trust = Trust { insecure: true, ..Trust::default() };
    }
    let builder = Client::builder()
        .tls_backend_preconfigured(trust.config()?)
        .user_agent(&settings.user_agent)
        .connect_timeout(CONNECT)
        .tcp_nodelay(true)
        .tcp_keepalive(settings.keep_alive.then_some(TCP_KEEP_ALIVE))
        .redirect(reqwest::redirect::Policy::none());
    builder.build().map_err(|e| Error::lasting(Cause::Refused, format!("cannot make an HTTP client: {}", causes(&e).0)))
}

/// Reads an answer, so that the connection serves again; a long one is left half way, a compressed one unpacked.
async fn answer(response: &mut Response) -> Vec<u8> {
    let coding = response.headers().get(TRANSFER_ENCODING).and_then(|coding| coding.to_str().ok());
    let gzip = coding.is_some_and(|coding| coding.to_ascii_lowercase().contains("gzip"));
    let mut answer = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        answer.extend_from_slice(&chunk);
        if answer.len() >= ANSWER {
            break;
        }
    }
    if !gzip {
        return answer;
    }
    let mut plain = Vec::new();
    // What is cut off is shown as far as it goes.
    let _ = MultiGzDecoder::new(&answer[..]).take(ANSWER as u64).read_to_end(&mut plain);
    plain
}

fn excerpt(answer: &[u8]) -> String {
    printable(&String::from_utf8_lossy(&answer[..answer.len().min(SHOWN)]))
}

/// An address for messages: what may be secret in it (password, query) is left out.
fn shown(url: &Url) -> String {
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

/// The causes of an error below its own words, and that of TLS among them.
fn causes(error: &reqwest::Error) -> (String, Option<rustls::Error>) {
    let mut text = String::new();
    let mut tls = None;
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.ends_with(&said) {
            let _ = write!(text, "{}{said}", if text.is_empty() { "" } else { ": " });
        }
        tls = tls.or_else(|| tls_error(error));
        cause = error.source();
    }
    if text.is_empty() {
        text = "the request could not be made".into();
    }
    (text, tls)
}

/// An error of TLS, also inside errors of reading and writing, which hide what they wrap from the chain of causes.
fn tls_error(error: &(dyn std::error::Error + 'static)) -> Option<rustls::Error> {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(tls.clone());
    }
    tls_error(error.downcast_ref::<std::io::Error>()?.get_ref()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_as_curl_takes_them() {
        for (text, url) in [
            ("http://h:2801/x?k=v", "http://h:2801/x?k=v"),
            ("\"https://h/\"", "https://h/"),
            ("'h:2801'", "http://h:2801/"),
        ] {
            assert_eq!(address(text).unwrap().as_str(), url);
        }
        for wrong in ["", "\"\"", "ftp://h/", "https://", "http://h:x/"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn secrets_of_an_address_are_not_shown() {
        let url = address("https://user:pass@h:8443/hook?token=secret#x").unwrap();
        assert_eq!(shown(&url), "https://h:8443/hook");
    }
}
