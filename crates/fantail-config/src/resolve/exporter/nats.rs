//! The transport `nats`.

use fantail_transport::NatsSettings;

use crate::{
    diagnostic::code::Code, schema::extension::Extension, settings::exporter::TransportSettings,
    syntax::text::Text,
};

use super::values::Values;

/// Resolves the settings; `given` is the URL, if it is set.
pub(super) fn resolve(
    given: Option<&Text>,
    values: &mut Values<'_, '_, '_>,
) -> Option<TransportSettings> {
    let url = given.and_then(|text| url(text, values));
    let default = NatsSettings::new("");
    let settings = NatsSettings {
        cluster: values
            .bytes(Extension::NatsCluster)
            .unwrap_or(default.cluster),
        credentials_file: values.path(Extension::NatsCredentialsFile),
        ca_file: values.path(Extension::NatsCaFile),
        ..default
    };
    Some(TransportSettings::Nats(NatsSettings {
        url: url?,
        ..settings
    }))
}

fn url(text: &Text, values: &mut Values<'_, '_, '_>) -> Option<String> {
    let url = std::str::from_utf8(text.bytes()).ok();
    if let Some(url) = url.filter(|url| url.split(',').all(|one| is_broker(one.trim()))) {
        return Some(url.to_owned());
    }
    values.invalid(
        Code::InvalidUrl,
        text,
        "`nats://HOST:PORT` or `tls://HOST:PORT`",
    );
    None
}

/// Returns whether the URL has a scheme of NATS and a host.
fn is_broker(url: &str) -> bool {
    let rest = url
        .strip_prefix("nats://")
        .or_else(|| url.strip_prefix("tls://"));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic()))
}
