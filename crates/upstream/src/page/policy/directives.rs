//! The directives of one policy that concern the script.

use std::collections::HashSet;

use super::source::Source;

/// One policy, as far as it concerns the script.
#[derive(Debug, Default)]
pub(super) struct Directives {
    script: Option<Vec<Source>>,
    script_elements: Option<Vec<Source>>,
    connect: Option<Vec<Source>>,
    default: Option<Vec<Source>>,
    sandbox: Option<HashSet<String>>,
}

impl Directives {
    /// Reads a policy. Of directives with the same name the first one counts.
    pub(super) fn parse(policy: &str) -> Self {
        let mut directives = Self::default();
        for directive in policy.split(';') {
            let mut words = directive.split_ascii_whitespace();
            let Some(name) = words.next() else { continue };
            let slot = match name.to_ascii_lowercase().as_str() {
                "script-src" => &mut directives.script,
                "script-src-elem" => &mut directives.script_elements,
                "connect-src" => &mut directives.connect,
                "default-src" => &mut directives.default,
                "sandbox" => {
                    directives.sandbox.get_or_insert_with(|| words.map(str::to_ascii_lowercase).collect());
                    continue;
                }
                _ => continue,
            };
            slot.get_or_insert_with(|| words.map(Source::parse).collect());
        }
        directives
    }

    /// What a script tag may load from; `None`: from anywhere.
    pub(super) fn script_sources(&self) -> Option<&[Source]> {
        self.script_elements.as_deref().or(self.script.as_deref()).or(self.default.as_deref())
    }

    /// What an event stream may be opened at; `None`: anywhere.
    pub(super) fn connect_sources(&self) -> Option<&[Source]> {
        self.connect.as_deref().or(self.default.as_deref())
    }

    /// What a sandbox allows the page; `None`: no sandbox.
    pub(super) const fn sandbox(&self) -> Option<&HashSet<String>> {
        self.sandbox.as_ref()
    }
}
