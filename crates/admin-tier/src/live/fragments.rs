//! A rendered page as named fragments: each an element with an id, some of them members of an ordered list.

use std::collections::BTreeMap;

use askama::Template;
use serde::Serialize;
use tracing::error;

/// The fragments of a page. A fragment outside every list has a fixed place in the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fragments {
    parts: BTreeMap<String, String>,
    lists: BTreeMap<&'static str, Vec<String>>,
}

/// The difference between two renderings of a page. A member that has left its list is absent from the list's order;
/// nothing else is sent about it.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct FragmentChanges<'a> {
    /// The HTML of new and changed fragments, by id.
    parts: BTreeMap<&'a str, &'a str>,
    /// The member ids of each changed list, in order.
    lists: BTreeMap<&'static str, &'a [String]>,
}

impl Fragments {
    /// Renders a fragment. The template's outermost element has this id.
    pub(crate) fn add(&mut self, id: &str, template: &impl Template) {
        match template.render() {
            Ok(html) => {
                self.parts.insert(id.to_owned(), html);
            }
            Err(error) => error!(
                error = &error as &dyn std::error::Error,
                fragment.id = id,
                "a fragment of a page cannot be rendered"
            ),
        }
    }

    /// Renders the members of a list, in order.
    pub(crate) fn add_list<T: Template>(&mut self, name: &'static str, members: impl Iterator<Item = (String, T)>) {
        let mut order = Vec::new();
        for (id, template) in members {
            self.add(&id, &template);
            order.push(id);
        }
        self.lists.insert(name, order);
    }

    /// Returns the HTML of a fragment; empty where there is none.
    pub(crate) fn html(&self, id: &str) -> &str {
        self.parts.get(id).map_or("", String::as_str)
    }

    /// Returns the HTML of a list's members, in order.
    pub(crate) fn members(&self, name: &str) -> impl Iterator<Item = &str> {
        self.lists.get(name).into_iter().flatten().map(|id| self.html(id))
    }

    /// Returns all fragments, for a page that shows none yet.
    pub(super) fn all(&self) -> FragmentChanges<'_> {
        FragmentChanges {
            parts: self.parts.iter().map(|(id, html)| (id.as_str(), html.as_str())).collect(),
            lists: self.lists.iter().map(|(name, order)| (*name, order.as_slice())).collect(),
        }
    }

    /// Returns what differs from `before`; `None` where nothing does.
    pub(super) fn changes_since(&self, before: &Self) -> Option<FragmentChanges<'_>> {
        let mut changes = self.all();
        changes.parts.retain(|id, html| before.parts.get(*id).is_none_or(|known| known != html));
        changes.lists.retain(|name, order| before.lists.get(name).is_none_or(|known| known != order));
        (!changes.parts.is_empty() || !changes.lists.is_empty()).then_some(changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Template)]
    #[template(source = "<li id=\"{{ id }}\">{{ text }}</li>", ext = "html")]
    struct Item {
        id: &'static str,
        text: &'static str,
    }

    fn fragments(items: &[(&'static str, &'static str)]) -> Fragments {
        let mut fragments = Fragments::default();
        fragments.add("head", &Item { id: "head", text: "<3" });
        fragments.add_list("items", items.iter().map(|(id, text)| ((*id).to_owned(), Item { id, text })));
        fragments
    }

    #[test]
    fn only_fragments_and_lists_that_differ_are_sent() {
        let before = fragments(&[("a", "1"), ("b", "2")]);
        assert_eq!(before.changes_since(&before), None);
        assert_eq!(before.html("head"), "<li id=\"head\">&#60;3</li>");
        let now = fragments(&[("a", "1"), ("b", "3")]);
        let sent = serde_json::to_string(&now.changes_since(&before)).unwrap();
        assert_eq!(sent, r#"{"parts":{"b":"<li id=\"b\">3</li>"},"lists":{}}"#);
        let now = fragments(&[("c", "4"), ("a", "1")]);
        let sent = serde_json::to_string(&now.changes_since(&before)).unwrap();
        assert_eq!(sent, r#"{"parts":{"c":"<li id=\"c\">4</li>"},"lists":{"items":["c","a"]}}"#);
        assert_eq!(now.members("items").collect::<String>(), "<li id=\"c\">4</li><li id=\"a\">1</li>");
    }
}
