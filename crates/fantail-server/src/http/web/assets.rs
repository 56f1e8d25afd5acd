//! The files of the page, which the program contains.
//!
//! The address of a file has a number that changes with any of them, so that a browser asks
//! for it once, and never mixes files of two releases.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::Write as _,
    sync::OnceLock,
};

use axum::{
    body::Bytes,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use flate2::{Compression, write::GzEncoder};

/// A file as it is in the repository.
struct Source {
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Declares files of `web/`.
macro_rules! files {
    ($($name:literal: $kind:expr),* $(,)?) => {
        &[$(Source {
            name: $name,
            content_type: $kind,
            bytes: include_bytes!(concat!("../../../web/", $name)),
        }),*]
    };
}

/// The file of the page itself.
const PAGE: &str = "index.html";

const SOURCES: &[Source] = files! {
    "index.html": "text/html; charset=utf-8",
    "style.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "app.js": SCRIPT,
    "api.js": SCRIPT,
    "charts.js": SCRIPT,
    "completion.js": SCRIPT,
    "configuration.js": SCRIPT,
    "dom.js": SCRIPT,
    "doctor.js": SCRIPT,
    "events.js": SCRIPT,
    "explain.js": SCRIPT,
    "exporters.js": SCRIPT,
    "filter.js": SCRIPT,
    "flow.js": SCRIPT,
    "live.js": SCRIPT,
    "log.js": SCRIPT,
    "metrics.js": SCRIPT,
    "status.js": SCRIPT,
};

/// The place of the release in the addresses of [`PAGE`].
const RELEASE: &str = "/RELEASE/";

/// A file as it is sent.
#[derive(Debug)]
struct Asset {
    name: &'static str,
    content_type: &'static str,
    plain: Bytes,
    compressed: Bytes,
    tag: HeaderValue,
}

#[derive(Debug)]
struct Assets {
    /// The number of all files together.
    release: String,
    files: Vec<Asset>,
}

/// Returns the files, which are compressed once.
fn assets() -> &'static Assets {
    static ASSETS: OnceLock<Assets> = OnceLock::new();
    ASSETS.get_or_init(|| {
        let mut hasher = DefaultHasher::new();
        SOURCES.iter().for_each(|it| it.bytes.hash(&mut hasher));
        let release = format!("{:016x}", hasher.finish());
        let files = SOURCES.iter().map(|source| prepare(source, &release));
        Assets {
            files: files.collect(),
            release,
        }
    })
}

fn prepare(source: &Source, release: &str) -> Asset {
    let plain = match source.name {
        PAGE => String::from_utf8_lossy(source.bytes)
            .replace(RELEASE, &format!("/{release}/"))
            .into(),
        _ => Bytes::from_static(source.bytes),
    };
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let compressed = encoder.write_all(&plain).and_then(|()| encoder.finish());
    debug_assert!(compressed.is_ok(), "a vector takes all bytes");
    let tag = HeaderValue::from_str(&format!("\"{release}\""));
    debug_assert!(tag.is_ok(), "the tag has only hexadecimal digits");
    Asset {
        name: source.name,
        content_type: source.content_type,
        plain,
        compressed: compressed.unwrap_or_default().into(),
        tag: tag.unwrap_or(HeaderValue::from_static("\"\"")),
    }
}

/// Answers with the page. The browser asks each time whether it has that of this release.
pub(super) async fn page(headers: HeaderMap) -> Response {
    send(PAGE, "no-cache", &headers)
}

/// Answers with a file of the page.
pub(super) async fn file(
    Path((release, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if release != assets().release {
        return (StatusCode::NOT_FOUND, "this server has another release\n").into_response();
    }
    send(&name, "max-age=31536000, immutable", &headers)
}

fn send(name: &str, caching: &'static str, headers: &HeaderMap) -> Response {
    let Some(asset) = assets().files.iter().find(|asset| asset.name == name) else {
        return (StatusCode::NOT_FOUND, "the page has no such file\n").into_response();
    };
    let common = [
        (header::CACHE_CONTROL, HeaderValue::from_static(caching)),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
        (header::ETAG, asset.tag.clone()),
    ];
    if has_word(headers, &header::IF_NONE_MATCH, asset.tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let content_type = [(header::CONTENT_TYPE, asset.content_type)];
    if has_word(headers, &header::ACCEPT_ENCODING, b"gzip") {
        let encoding = [(header::CONTENT_ENCODING, "gzip")];
        return (common, content_type, encoding, asset.compressed.clone()).into_response();
    }
    (common, content_type, asset.plain.clone()).into_response()
}

/// Whether a list in a header has this word.
fn has_word(headers: &HeaderMap, name: &header::HeaderName, word: &[u8]) -> bool {
    let values = headers.get_all(name).iter();
    let words = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let mut words = words.map(<[u8]>::trim_ascii);
    words.any(|it| it == word || it.strip_prefix(b"W/") == Some(word))
}

#[cfg(test)]
mod tests {
    use super::{SOURCES, assets};

    /// A page that takes longer to load than to read is not looked at.
    #[test]
    fn the_whole_page_is_small() {
        let files = assets().files.iter();
        let bytes: usize = files.map(|asset| asset.compressed.len()).sum();
        assert!((1000..100_000).contains(&bytes), "{bytes} bytes");
    }

    #[test]
    fn each_file_of_the_folder_is_served() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/web");
        let files = std::fs::read_dir(folder).unwrap();
        let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut files: Vec<_> = files.collect();
        files.sort();
        let mut sources: Vec<_> = SOURCES.iter().map(|source| source.name).collect();
        sources.sort_unstable();
        assert_eq!(files, sources);
    }

    /// The policy of the page forbids these, and a browser would only report them.
    #[test]
    fn no_file_makes_markup_of_text() {
        for source in SOURCES.iter().filter(|source| source.name.ends_with(".js")) {
            let text = str::from_utf8(source.bytes).unwrap();
            for word in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "setAttribute('style'",
            ] {
                assert!(!text.contains(word), "{word} in {}", source.name);
            }
        }
    }
}
