//! Bodies that are made elsewhere.

use crate::{HttpSettings, TransportError};

use super::{
    answer::Retries,
    client::{Client, Request},
    credentials::Credentials,
};

/// Posts bodies to a URL, each once. Of the settings, those of batches and `gzip` have no
/// effect.
#[derive(Debug)]
pub struct HttpPoster {
    settings: HttpSettings,
    retries: Retries,
    /// `None` until the certificates are read.
    client: Option<Client>,
    credentials: Credentials,
}

impl HttpPoster {
    /// Returns a poster that opens files and connections with its first body.
    #[must_use]
    pub fn new(settings: HttpSettings, retries: Retries) -> Self {
        let credentials =
            Credentials::new(settings.token_file.clone(), settings.headers_file.clone());
        Self {
            client: None,
            credentials,
            settings,
            retries,
        }
    }

    /// Posts a body with its `Content-Encoding`; returns the body of the response, if it is
    /// small.
    ///
    /// # Errors
    /// The target cannot be reached, or answers with an error; the error says whether the
    /// body may be posted again.
    pub fn post(&mut self, body: &[u8], encoding: Option<&str>) -> Result<Vec<u8>, TransportError> {
        let client = match &mut self.client {
            Some(client) => client,
            none => none.insert(Client::new(&self.settings)?),
        };
        let request = Request {
            body,
            content_type: &self.settings.content_type,
            content_encoding: encoding,
            retries: self.retries,
        };
        let posted = client.post(&request, self.credentials.headers()?);
        if posted.is_err() {
            // The token may be old.
            self.credentials.forget();
        }
        posted.map_err(|failure| failure.error)
    }
}
