//! Loading a configuration: from a file name to typed settings.

pub(crate) mod braces;
pub(crate) mod dovecot;
pub(crate) mod files;
pub(crate) mod glob;
pub(crate) mod groups;
pub(crate) mod loader;
pub(crate) mod reader;
pub(crate) mod syntax_errors;
pub(crate) mod version;

use std::{error::Error, fmt};

use fantail_event::Dialect;

use crate::{
    diagnostic::Diagnostics,
    diagnostic::source::{FileId, Sources},
    load::dovecot::is_dovecots,
    load::files::Memory,
    load::loader::Loader,
    load::version::Sign,
    resolve::{self, service},
    schema::context::Context,
    settings::release::Release,
    settings::{BrokenMetric, DovecotService, Settings},
    syntax::limits::Limits,
    syntax::raw::RawConfig,
};

/// The options of loading.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// The dialect. By default the file states it: 2.4's begins with
    /// `dovecot_config_version = 2.4.…`.
    pub dialect: Option<Dialect>,
    /// The release of Dovecot that the configuration is for, with the rules of its
    /// series. By default `dovecot_config_version` states it; 2.3 has no such
    /// setting.
    pub release: Option<Release>,
    /// The limits of a configuration.
    pub limits: Limits,
}

/// A loaded configuration with its diagnostics.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The valid settings. Blocks with errors are omitted.
    pub settings: Settings,
    /// The valid parts of omitted metrics.
    pub broken_metrics: Vec<BrokenMetric>,
    /// All settings before they are resolved.
    pub raw: RawConfig,
    /// The diagnostics.
    pub diagnostics: Diagnostics,
    /// The files of the configuration.
    pub sources: Sources,
}

/// Loads the file `path`, and its includes, from `loader`.
#[must_use]
pub fn load(path: &[u8], loader: &dyn Loader, options: &LoadOptions) -> Loaded {
    let release = options.release;
    let forced = release.and_then(Release::dialect).or(options.dialect);
    let mut read = reader::read(path, loader, &options.limits, forced, release);
    let is_guessed = forced.is_none() && read.dialect == Dialect::V2_3;
    if is_guessed && let Some(sign) = version::sign_of_2_4(&read.raw) {
        let dialect = Some(Dialect::V2_4);
        let stated = match sign {
            Sign::Included(stated) => stated,
            Sign::Setting(_) => None,
        };
        read = reader::read(path, loader, &options.limits, dialect, release.or(stated));
        if let Sign::Setting(span) = sign {
            version::missing(span, &mut read.diagnostics);
        }
    }
    version::check(&read.raw, read.dialect, forced, &mut read.diagnostics);
    let mut context = Context::new(&read.raw, read.dialect, &mut read.diagnostics);
    let (mut settings, broken_metrics) = resolve::resolve(&mut context);
    settings.dovecot = dovecot(&read.raw, &read.sources, read.dialect);
    settings.release = read.release;
    read.diagnostics.sort();
    Loaded {
        settings,
        broken_metrics,
        raw: read.raw,
        diagnostics: read.diagnostics,
        sources: read.sources,
    }
}

/// Returns the settings that Dovecot itself reads.
fn dovecot(raw: &RawConfig, sources: &Sources, dialect: Dialect) -> Option<DovecotService> {
    let is_main = |file: &FileId| sources.name(*file).ends_with(b"dovecot.conf");
    let file = sources
        .ids()
        .find(|file| is_main(file) && is_dovecots(sources, *file))?;
    // These errors are reported already.
    let mut unheard = Diagnostics::new(0);
    let mut context = Context::new(raw, dialect, &mut unheard);
    let dovecots = |file| is_dovecots(sources, file);
    Some(service::of_dovecot(&mut context, &dovecots, file))
}

/// Loads a text without includes, as the file `name`.
///
/// ```
/// let text = "metric logins {\n  filter = event=login_finished\n}\n";
/// let loaded = fantail_config::load_text("dovecot.conf", text, &Default::default());
/// assert!(loaded.diagnostics.is_empty());
/// assert_eq!(loaded.settings.metrics[0].settings.name, b"logins");
///
/// let text = "metric logins {\n  fliter = event=login_finished\n}\n";
/// let refused = fantail_config::load_text("dovecot.conf", text, &Default::default())
///     .accept()
///     .unwrap_err();
/// assert_eq!(
///     refused.to_string(),
///     "dovecot.conf:1:1: error[config/missing-filter]: metric `logins`: the metric has no filter\n\
///      dovecot.conf:2:3: error[config/unknown-setting]: unknown setting `fliter` in `metric`",
/// );
/// ```
#[must_use]
pub fn load_text(name: &str, text: impl Into<Vec<u8>>, options: &LoadOptions) -> Loaded {
    let memory = Memory::new().with(name, text);
    load(name.as_bytes(), &memory, options)
}

impl Loaded {
    /// Returns the configuration if it has no errors; warnings are allowed.
    ///
    /// # Errors
    /// The configuration has errors: see [`Refused::diagnostics`].
    pub fn accept(self) -> Result<Self, Refused> {
        if self.diagnostics.has_errors() {
            return Err(Refused::new(self.diagnostics, self.sources));
        }
        Ok(self)
    }
}

/// A configuration with errors.
///
/// ```
/// use fantail_config::{LoadOptions, Refused, load_text};
///
/// let loaded = load_text("a.conf", "metric a {\n  nonsense = 1\n}\n", &LoadOptions::default());
/// let refused: Refused = loaded.accept().err().unwrap();
/// assert!(refused.diagnostics().has_errors());
/// ```
#[derive(Debug, Clone)]
pub struct Refused {
    diagnostics: Diagnostics,
    sources: Sources,
}

impl Refused {
    pub(crate) fn new(diagnostics: Diagnostics, sources: Sources) -> Self {
        Self {
            diagnostics,
            sources,
        }
    }

    /// Returns the diagnostics, including warnings.
    #[must_use]
    pub fn diagnostics(&self) -> &Diagnostics {
        &self.diagnostics
    }

    /// Returns the files of the configuration.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.sources
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.diagnostics.to_lines(&self.sources);
        f.write_str(lines.trim_end())
    }
}

impl Error for Refused {}
