//! TLS for HTTP: the certificate, its key, and the handshake.

use std::{path::PathBuf, sync::Arc, time::Duration};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, time::timeout};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{
    error::{HttpError, HttpErrorKind},
    reread::{Reread, read_file},
    stall_timeout::StallTimeout,
};
use crate::HttpTls;

/// The maximum size of a certificate file or a key file.
const MAX_PEM_BYTES: u64 = 1 << 20;

/// The response to a client that sends HTTP without TLS.
const PLAIN_ANSWER: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\
    Content-Length: 34\r\nConnection: close\r\n\r\nthis port needs TLS: use https://\n";

/// The certificate and the key of a server.
#[derive(Debug)]
pub(crate) struct Tls(Reread<ServerConfig>);

impl Tls {
    /// Reads the certificate and its key.
    ///
    /// # Errors
    /// Fails if a file cannot be read or is invalid, or if the key belongs to another
    /// certificate.
    pub(super) fn new(files: &HttpTls) -> Result<Self, HttpError> {
        let files = vec![files.certificate.clone(), files.key.clone()];
        Reread::new(files, read, parse).map(Self)
    }

    pub(super) fn files(&self) -> &Reread<ServerConfig> {
        &self.0
    }

    /// Performs the handshake with a client; returns `None` if it fails or times out.
    pub(super) async fn accept(
        &self,
        stream: TcpStream,
        allowed: Duration,
    ) -> Option<TlsStream<StallTimeout<TcpStream>>> {
        timeout(allowed, self.shake_hands(stream, allowed))
            .await
            .ok()?
    }

    async fn shake_hands(
        &self,
        mut stream: TcpStream,
        allowed: Duration,
    ) -> Option<TlsStream<StallTimeout<TcpStream>>> {
        let mut first = [0];
        // A TLS handshake record begins with byte 22, which is no letter.
        if stream.peek(&mut first).await.ok()? == 1 && first[0].is_ascii_uppercase() {
            // If a socket is closed with unread data, the kernel resets the
            // connection and may discard the response.
            let _ = stream.try_read(&mut [0; 4096]);
            let _ = stream.write_all(PLAIN_ANSWER).await;
            return None;
        }
        let acceptor = TlsAcceptor::from(self.0.get());
        let accepted = acceptor.accept(StallTimeout::new(stream, allowed));
        accepted.await.ok()
    }
}

fn read(files: &[PathBuf]) -> Result<Vec<Vec<u8>>, HttpError> {
    let kinds = [HttpErrorKind::Certificate, HttpErrorKind::Key];
    let read = files.iter().zip(kinds).map(|(path, kind)| {
        read_file(path, MAX_PEM_BYTES).map_err(|error| HttpError::because(kind, path, error))
    });
    read.collect()
}

fn parse(files: &[PathBuf], contents: &[Vec<u8>]) -> Result<ServerConfig, HttpError> {
    let ([certificate, key], [chain, secret]) = (files, contents) else {
        debug_assert!(false, "a certificate and a key");
        return Err(HttpError::new(HttpErrorKind::Certificate, "".as_ref()));
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
    let chain = chain
        .map_err(|error| HttpError::because(HttpErrorKind::Certificate, certificate, error))?;
    if chain.is_empty() {
        let what = "expected one or more certificates in PEM";
        return Err(HttpError::expected(
            HttpErrorKind::Certificate,
            certificate,
            what,
        ));
    }
    let secret = PrivateKeyDer::from_pem_slice(secret).map_err(|_| {
        let what = "expected a private key in PEM without a passphrase";
        HttpError::expected(HttpErrorKind::Key, key, what)
    })?;
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder
        .with_safe_default_protocol_versions()
        .map_err(|error| HttpError::because(HttpErrorKind::Certificate, certificate, error))?;
    let made = builder
        .with_no_client_auth()
        .with_single_cert(chain, secret);
    let mut config = made.map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => HttpError::new(HttpErrorKind::OtherKey, key),
        rustls::Error::InvalidCertificate(_) => {
            HttpError::because(HttpErrorKind::Certificate, certificate, error)
        }
        error => HttpError::because(HttpErrorKind::Key, key, error),
    })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
