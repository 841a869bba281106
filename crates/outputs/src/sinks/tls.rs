//! Whom an encrypted connection trusts, and as whom it presents itself.

use crate::error::{Cause, Error};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Trust and identity, as the configuration says.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Any certificate will do.
    pub insecure: bool,
    /// The authorities of this file are trusted; without it
    pub ca_cert: Option<PathBuf>,
    /// those of this file; without it
    pub ca_bundle: Option<PathBuf>,
    /// those of all files in this directory.
    pub ca_path: PathBuf,
    /// Certificate and key of this side.
    pub client: Option<(PathBuf, PathBuf)>,
}

impl Trust {
    /// Where the trusted authorities come from, for messages.
    pub(crate) fn origin(&self) -> String {
        match (&self.ca_cert, &self.ca_bundle) {
            (Some(path), _) => format!("ca_cert {}", path.display()),
            (None, Some(path)) => format!("ca_bundle {}", path.display()),
            (None, None) => format!("ca_path {}", self.ca_path.display()),
        }
    }

    /// Reads the files and makes the configuration of connections.
    pub(crate) fn config(&self) -> Result<ClientConfig, Error> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|e| wrong(e.to_string()))?;
        let builder = if self.insecure {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Anyone(provider)))
        } else {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(self.verifier(provider)?))
        };
        let Some((cert, key)) = &self.client else { return Ok(builder.with_no_client_auth()) };
        let key_der = PrivateKeyDer::from_pem_file(key).map_err(|e| unreadable("client_key", key, &e))?;
        let config = builder.with_client_auth_cert(certificates("client_cert", cert)?, key_der);
        config.map_err(|e| {
            wrong(format!("client_cert {} and client_key {} do not serve: {e}", cert.display(), key.display()))
        })
    }

    fn verifier(&self, provider: Arc<CryptoProvider>) -> Result<Known, Error> {
        let mut roots = RootCertStore::empty();
        let found = match (&self.ca_cert, &self.ca_bundle) {
            (Some(path), _) => certificates("ca_cert", path)?,
            (None, Some(path)) => certificates("ca_bundle", path)?,
            (None, None) => directory(&self.ca_path)?,
        };
        let (added, _) = roots.add_parsable_certificates(found.iter().cloned());
        if added == 0 {
            return Err(wrong(format!("no certificate of an authority in {}", self.origin())));
        }
        let authorities = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        Ok(Known { authorities: authorities.map_err(|e| wrong(e.to_string()))?, own: found })
    }
}

/// All certificates of a PEM file; at least one.
fn certificates(key: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|e| unreadable(key, path, &e))?;
    if found.is_empty() {
        return Err(wrong(format!("no certificate in {key} {}", path.display())));
    }
    Ok(found)
}

/// The certificates of all files in a directory; files that hold none are passed over.
fn directory(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let entries = std::fs::read_dir(path).map_err(|e| wrong(format!("cannot read ca_path {}: {e}", path.display())))?;
    let mut found = Vec::new();
    for entry in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()) {
        if let Ok(certificates) = CertificateDer::pem_file_iter(&entry) {
            found.extend(certificates.flatten());
        }
    }
    // The directory names each authority several times: by name, by hash, in the bundle.
    found.sort_by(|a, b| a.as_ref().cmp(b.as_ref()));
    found.dedup();
    Ok(found)
}

fn wrong(text: String) -> Error {
    Error::passing(Cause::Tls, text)
}

fn unreadable(key: &str, path: &Path, error: &rustls::pki_types::pem::Error) -> Error {
    use rustls::pki_types::pem::Error::{Io, NoItemsFound};
    let why = match error {
        Io(e) => e.to_string(),
        NoItemsFound => "nothing of the kind in it".into(),
        other => format!("{other:?}"),
    };
    wrong(format!("cannot read {key} {}: {why}", path.display()))
}

/// Takes certificates of authorities, and one that is trusted itself although it is made as an authority's, as those
/// are that sign themselves: `openssl req -x509` makes them so, and OpenSSL takes them.
#[derive(Debug)]
struct Known {
    authorities: Arc<WebPkiServerVerifier>,
    own: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let result = self.authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match result {
            // Its time was looked at before this was found, its name was not.
            Err(rustls::Error::InvalidCertificate(CertificateError::Other(other)))
                if other.to_string() == "CaUsedAsEndEntity" && self.own.iter().any(|own| own == end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.authorities.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.authorities.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}

/// Takes any certificate, but still only from whoever holds its key.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
