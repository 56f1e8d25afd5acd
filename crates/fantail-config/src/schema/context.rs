//! The context of resolving: the raw settings, the groups of 2.4, and the
//! diagnostics.

use std::collections::HashMap;

use fantail_event::Dialect;

use crate::{
    diagnostic::code::Code,
    diagnostic::suggest,
    diagnostic::{Diagnostic, Diagnostics},
    syntax::raw::{RawBlock, RawConfig, RawEntry, RawSetting},
    syntax::text::Text,
};

/// The state of resolving one configuration.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) raw: &'a RawConfig,
    pub(crate) dialect: Dialect,
    /// The dialect of filters; it differs only for a single added metric.
    pub(crate) filters: Dialect,
    pub(crate) diagnostics: &'a mut Diagnostics,
    /// The blocks `group @label name { … }` by label and name.
    groups: HashMap<&'a [u8], HashMap<&'a [u8], Vec<GroupBlock<'a>>>>,
}

/// A block that defines a group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupBlock<'a> {
    pub(crate) block: &'a RawBlock,
    /// The index in the order of all definitions of groups.
    pub(crate) order: usize,
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        raw: &'a RawConfig,
        dialect: Dialect,
        diagnostics: &'a mut Diagnostics,
    ) -> Self {
        let mut groups: HashMap<_, HashMap<_, Vec<_>>> = HashMap::new();
        for (order, entry) in raw.top().enumerate() {
            if let RawEntry::Block(block) = entry
                && let Some(label) = &block.label
            {
                let name = block.argument.as_ref().map_or(&[][..], Text::bytes);
                let named: &mut HashMap<_, _> = groups.entry(label.bytes()).or_default();
                let block = GroupBlock { block, order };
                named.entry(name).or_default().push(block);
            }
        }
        Self {
            raw,
            dialect,
            filters: dialect,
            diagnostics,
            groups,
        }
    }

    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Returns the blocks of the group that `@label = name` refers to. An
    /// undefined label belongs to another part of Dovecot, and is ignored.
    pub(crate) fn group(&mut self, setting: &RawSetting) -> Vec<GroupBlock<'a>> {
        let label = setting.key.bytes().strip_prefix(b"@").unwrap_or_default();
        let Some(names) = self.groups.get(label) else {
            return Vec::new();
        };
        if let Some(blocks) = names.get(setting.value.bytes()) {
            return blocks.clone();
        }
        let message = format!(
            "group @{} has no `{}`",
            String::from_utf8_lossy(label),
            String::from_utf8_lossy(setting.value.bytes()),
        );
        let nearest = suggest::nearest(setting.value.bytes(), names.keys().copied())
            .map(|name| String::from_utf8_lossy(name).into_owned());
        self.push(
            Diagnostic::new(Code::UnknownGroup, message, setting.written)
                .suggest(nearest.as_deref()),
        );
        Vec::new()
    }

    /// Returns the value of a relevant setting; reports errors and returns
    /// `None` if it contains a variable without a value or a file that cannot
    /// be read.
    pub(crate) fn value<'s>(&mut self, setting: &'s RawSetting) -> Option<&'s Text> {
        if let Some(name) = &setting.unexpanded {
            let message = format!(
                "variable `{}` has no value",
                String::from_utf8_lossy(name.bytes())
            );
            self.push(
                Diagnostic::new(Code::UnknownVariable, message, name.span())
                    .note("only settings given before, outside of all blocks, can be used here"),
            );
            return None;
        }
        if let Some(reason) = &setting.unreadable {
            let message = format!("the file that holds this value cannot be read: {reason}");
            self.push(Diagnostic::new(
                Code::FileUnreadable,
                message,
                setting.written,
            ));
            return None;
        }
        Some(&setting.value)
    }
}
