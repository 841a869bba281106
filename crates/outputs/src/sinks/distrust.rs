//! Why one side does not trust the other, and what to do about it, in words.

use super::tls::Trust;

/// What is wrong with one side's certificate in the eyes of the other, and what to do about it.
pub(crate) fn explain(error: &rustls::Error, trust: &Trust) -> String {
    use rustls::{AlertDescription as Alert, CertificateError as Bad, Error as Tls};
    match error {
        Tls::InvalidCertificate(bad) => match bad {
            Bad::UnknownIssuer => format!(
                "the authority of its certificate is not trusted: it is not in {}; put the authority's certificate there",
                trust.origin()
            ),
            Bad::Expired | Bad::ExpiredContext { .. } => {
                let when =
                    if let Bad::ExpiredContext { not_after, .. } = bad { day(*not_after) } else { String::new() };
                format!("its certificate has expired{when}; have it renewed, or set this machine's clock")
            }
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                "its certificate is not valid yet; set this machine's clock, or have it issued anew".into()
            }
            Bad::NotValidForName => "its certificate is for another name than http_output.url has".into(),
            Bad::NotValidForNameContext { expected, presented } => format!(
                "its certificate is for {}, not for {}; use a name in http_output.url that the certificate has, or have it issued with this one as subjectAltName",
                if presented.is_empty() { "no name at all".into() } else { presented.join(", ") },
                expected.to_str()
            ),
            _ => error.to_string(),
        },
        Tls::AlertReceived(Alert::CertificateRequired | Alert::HandshakeFailure) if trust.client.is_none() => {
            format!("it wants a client certificate ({error}); set http_output.mtls, client_cert and client_key")
        }
        Tls::AlertReceived(
            Alert::UnknownCA
            | Alert::BadCertificate
            | Alert::DecryptError
            | Alert::CertificateUnknown
            | Alert::CertificateExpired
            | Alert::CertificateRevoked
            | Alert::UnsupportedCertificate
            | Alert::AccessDenied,
        ) => match &trust.client {
            Some((cert, _)) => format!(
                "it does not accept the client certificate {} ({error}); have one issued by an authority that it trusts",
                cert.display()
            ),
            None => format!("it does not accept this client ({error})"),
        },
        Tls::InvalidMessage(_) => {
            format!("it does not speak TLS at that port ({error}); is http_output.url to begin with http:// instead?")
        }
        _ => error.to_string(),
    }
}

/// A day, behind a word.
fn day(at: rustls::pki_types::UnixTime) -> String {
    let at = i64::try_from(at.as_secs()).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    at.map_or_else(String::new, |at| format!(" on {}", at.strftime("%Y-%m-%d")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Each says what is wrong, where it is configured, and what to do.
    #[test]
    fn errors_of_tls_say_what_to_do() {
        use rustls::pki_types::{ServerName, UnixTime};
        use rustls::{AlertDescription as Alert, CertificateError as Bad, Error as Tls};
        let seconds = |n| UnixTime::since_unix_epoch(Duration::from_secs(n));
        let bare = Trust { ca_cert: Some("/etc/x/ca.pem".into()), ..Trust::default() };
        let shown = Trust { client: Some(("/etc/x/me.crt".into(), "/etc/x/me.key".into())), ..bare.clone() };
        let directory = Trust { ca_path: "/etc/ssl/certs".into(), ..Trust::default() };
        let expired = Bad::ExpiredContext { time: seconds(2_000_000_000), not_after: seconds(1_700_000_000) };
        let name = Bad::NotValidForNameContext {
            expected: ServerName::try_from("logs.example").unwrap(),
            presented: vec!["a.example".into(), "b.example".into()],
        };
        let unnamed =
            Bad::NotValidForNameContext { expected: ServerName::try_from("10.0.0.1").unwrap(), presented: Vec::new() };
        for (error, trust, parts) in [
            (
                Bad::UnknownIssuer.into(),
                &bare,
                ["is not trusted", "not in ca_cert /etc/x/ca.pem", "put the authority's"],
            ),
            (
                Bad::UnknownIssuer.into(),
                &directory,
                ["is not trusted", "ca_path /etc/ssl/certs", "put the authority's"],
            ),
            (expired.into(), &bare, ["has expired on 2023-11-14", "renewed", "clock"]),
            (Tls::from(Bad::NotValidYet), &bare, ["not valid yet", "clock", "issued anew"]),
            (
                name.into(),
                &bare,
                ["for a.example, b.example, not for logs.example", "http_output.url", "subjectAltName"],
            ),
            (unnamed.into(), &bare, ["for no name at all, not for 10.0.0.1", "http_output.url", "subjectAltName"]),
            (
                Tls::AlertReceived(Alert::CertificateRequired),
                &bare,
                ["wants a client certificate", "http_output.mtls", "client_key"],
            ),
            (
                Tls::AlertReceived(Alert::HandshakeFailure),
                &bare,
                ["wants a client certificate", "HandshakeFailure", "http_output.mtls"],
            ),
            (
                Tls::AlertReceived(Alert::UnknownCA),
                &shown,
                ["client certificate /etc/x/me.crt", "UnknownCA", "issued by an authority that it trusts"],
            ),
            (Tls::AlertReceived(Alert::CertificateExpired), &shown, ["/etc/x/me.crt", "CertificateExpired", "issued"]),
        ] {
            let text = explain(&error, trust);
            assert!(parts.iter().all(|part| text.contains(part)), "{text}");
        }
    }
}
