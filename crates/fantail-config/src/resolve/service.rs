//! Resolving `service stats { … }` and `base_dir`: the settings of Dovecot's
//! stats service.
//!
//! Other settings in these blocks are ignored, including invalid ones: Dovecot
//! itself reports them.

use fantail_event::Dialect;

use crate::{
    diagnostic::Diagnostic,
    diagnostic::code::Code,
    diagnostic::source::{FileId, Spanned},
    schema::context::Context,
    schema::list,
    settings::{DovecotService, InetListener, StatsService, UnixListener},
    syntax::raw::{RawBlock, RawEntry, RawSetting},
    syntax::text::Text,
};

/// Resolves the settings that Dovecot itself reads: those in the files
/// `dovecots`. Their errors are reported already.
pub(crate) fn of_dovecot(
    context: &mut Context<'_>,
    dovecots: &dyn Fn(FileId) -> bool,
    file: FileId,
) -> DovecotService {
    let (mut base_dir, mut blocks) = (None, Vec::new());
    for entry in context.raw.top() {
        match entry {
            RawEntry::Setting(setting)
                if setting.key.bytes() == b"base_dir" && dovecots(setting.key.span().file) =>
            {
                base_dir = Some(bytes(setting));
            }
            RawEntry::Block(block) if is_stats(block) && dovecots(block.span.file) => {
                blocks.push(block);
            }
            _ => {}
        }
    }
    let stats = resolve(blocks.into_iter(), context);
    DovecotService {
        file,
        base_dir,
        stats,
    }
}

/// Returns whether a block is `service stats`.
pub(super) fn is_stats(block: &RawBlock) -> bool {
    let argument = block.argument.as_ref();
    block.name.bytes() == b"service" && argument.is_some_and(|name| name.bytes() == b"stats")
}

/// Resolves the listeners of the stats service. Blocks with the same name are
/// merged.
pub(crate) fn resolve<'a>(
    blocks: impl Iterator<Item = &'a RawBlock>,
    context: &mut Context<'a>,
) -> StatsService {
    let mut service = StatsService::default();
    for block in blocks {
        for entry in context.raw.within(block) {
            let RawEntry::Block(listener) = entry else {
                continue;
            };
            match listener.name.bytes() {
                b"unix_listener" => unix(listener, &mut service, context),
                b"inet_listener" => inet(listener, &mut service, context),
                _ => {}
            }
        }
    }
    service
}

fn unix<'a>(block: &'a RawBlock, service: &mut StatsService, context: &mut Context<'a>) {
    let path = name(block);
    let known = service
        .unix_listeners
        .iter()
        .position(|one| one.path.value == path.value);
    let index = known.unwrap_or_else(|| {
        service.unix_listeners.push(UnixListener {
            path,
            mode: None,
            user: None,
            group: None,
        });
        service.unix_listeners.len() - 1
    });
    for setting in settings(block, context) {
        let value = bytes(setting);
        let Some(listener) = service.unix_listeners.get_mut(index) else {
            return;
        };
        match setting.key.bytes() {
            b"mode" | b"unix_listener_mode" => {
                listener.mode = number(setting, 8, 0o7777, context);
            }
            b"user" | b"unix_listener_user" => listener.user = Some(value),
            b"group" | b"unix_listener_group" => listener.group = Some(value),
            _ => {}
        }
    }
}

fn inet<'a>(block: &'a RawBlock, service: &mut StatsService, context: &mut Context<'a>) {
    let name = name(block);
    let known = service
        .inet_listeners
        .iter()
        .position(|one| one.name.value == name.value);
    let index = known.unwrap_or_else(|| {
        service.inet_listeners.push(InetListener {
            name,
            port: None,
            addresses: Vec::new(),
            ssl: false,
        });
        service.inet_listeners.len() - 1
    });
    for setting in settings(block, context) {
        let Some(listener) = service.inet_listeners.get_mut(index) else {
            return;
        };
        match setting.key.bytes() {
            b"port" | b"inet_listener_port" => {
                let port = number(setting, 10, u16::MAX.into(), context);
                listener.port = port.and_then(|port| {
                    let value = u16::try_from(port.value).ok()?;
                    Some(Spanned {
                        value,
                        span: port.span,
                    })
                });
            }
            b"address" | b"listen" | b"inet_listener_listen" => {
                // 2.3 allows commas between them, too.
                listener.addresses = list::words(&setting.value, Dialect::V2_4);
            }
            b"ssl" | b"inet_listener_ssl" => {
                listener.ssl = list::boolean(setting.value.bytes()) == Some(true);
            }
            _ => {}
        }
    }
}

fn settings<'a>(
    block: &'a RawBlock,
    context: &Context<'a>,
) -> impl Iterator<Item = &'a RawSetting> + use<'a> {
    context.raw.within(block).filter_map(|entry| match entry {
        RawEntry::Setting(setting) => Some(setting),
        RawEntry::Block(_) => None,
    })
}

fn name(block: &RawBlock) -> Spanned<Vec<u8>> {
    Spanned {
        value: block
            .argument
            .as_ref()
            .map_or(&[][..], Text::bytes)
            .to_vec(),
        span: block.argument.as_ref().map_or(block.span, Text::span),
    }
}

pub(super) fn bytes(setting: &RawSetting) -> Spanned<Vec<u8>> {
    Spanned {
        value: setting.value.bytes().to_vec(),
        span: setting.written,
    }
}

fn number(
    setting: &RawSetting,
    radix: u32,
    max: u32,
    context: &mut Context<'_>,
) -> Option<Spanned<u32>> {
    let text = context.value(setting)?;
    let digits = text.bytes().iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(text.bytes()).ok().filter(|_| digits);
    let number = number.and_then(|number| u32::from_str_radix(number, radix).ok());
    let number = number.filter(|number| *number <= max);
    if number.is_none() {
        let key = String::from_utf8_lossy(setting.key.bytes());
        let value = String::from_utf8_lossy(text.bytes());
        let message = format!("`{value}` is no {key}");
        context.push(Diagnostic::new(Code::InvalidNumber, message, text.span()));
    }
    number.map(|value| Spanned {
        value,
        span: text.span(),
    })
}
