//! Certificate and key of the server, out of one file.

use crate::Error;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::sync::Arc;

/// Reads the file: certificates, the server's own first, and a key, in whatever order.
pub(crate) fn config(path: &Path) -> Result<ServerConfig, Error> {
    let wrong = |why: String| Error::Certificate { path: path.to_owned(), why };
    let bytes = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&bytes).flatten().collect();
    if chain.is_empty() {
        return Err(wrong("no certificate in it".into()));
    }
    let key = PrivateKeyDer::from_pem_slice(&bytes).map_err(|_| wrong("no private key in it".into()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|e| wrong(format!("certificate and key do not serve: {e}")))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
