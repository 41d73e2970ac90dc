//! What a page shows, as named parts: each an element with an id, some of them members of a list with an order.

use std::collections::BTreeMap;

use askama::Template;
use serde::Serialize;
use tracing::error;

/// A drawn page. Parts that stand in no list have their place in the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Picture {
    parts: BTreeMap<String, String>,
    lists: BTreeMap<&'static str, Vec<String>>,
}

/// What a page that shows one picture needs to show another. What has left a list is not in its order any more: that is
/// all that has to be said of it.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Changes<'a> {
    /// The HTML of what is new or different, by id.
    parts: BTreeMap<&'a str, &'a str>,
    /// The ids of each list that is different, in order.
    lists: BTreeMap<&'static str, &'a [String]>,
}

impl Picture {
    /// Draws a part.
    pub(crate) fn part(&mut self, id: &str, template: &impl Template) {
        match template.render() {
            Ok(html) => {
                self.parts.insert(id.to_owned(), html);
            }
            Err(error) => error!(%error, part = id, "a part of a page cannot be rendered"),
        }
    }

    /// Draws a list, in order.
    pub(crate) fn list<T: Template>(&mut self, name: &'static str, members: impl Iterator<Item = (String, T)>) {
        let mut order = Vec::new();
        for (id, template) in members {
            self.part(&id, &template);
            order.push(id);
        }
        self.lists.insert(name, order);
    }

    /// The HTML of a part; nothing where there is none.
    pub(crate) fn html(&self, id: &str) -> &str {
        self.parts.get(id).map_or("", String::as_str)
    }

    /// The HTML of a list's members, in order.
    pub(crate) fn members(&self, name: &str) -> impl Iterator<Item = &str> {
        self.lists.get(name).into_iter().flatten().map(|id| self.html(id))
    }

    /// What has to be told to a page that shows nothing yet.
    pub(super) fn whole(&self) -> Changes<'_> {
        Changes {
            parts: self.parts.iter().map(|(id, html)| (id.as_str(), html.as_str())).collect(),
            lists: self.lists.iter().map(|(name, order)| (*name, order.as_slice())).collect(),
        }
    }

    /// What has to be told to a page that shows `before`; nothing where that is the same.
    pub(super) fn since(&self, before: &Self) -> Option<Changes<'_>> {
        let mut changes = self.whole();
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

    fn picture(items: &[(&'static str, &'static str)]) -> Picture {
        let mut picture = Picture::default();
        picture.part("head", &Item { id: "head", text: "<3" });
        picture.list("items", items.iter().map(|(id, text)| ((*id).to_owned(), Item { id, text })));
        picture
    }

    #[test]
    fn only_what_is_different_is_told() {
        let before = picture(&[("a", "1"), ("b", "2")]);
        assert_eq!(before.since(&before), None);
        assert_eq!(before.html("head"), "<li id=\"head\">&#60;3</li>");
        let now = picture(&[("a", "1"), ("b", "3")]);
        let told = serde_json::to_string(&now.since(&before)).unwrap();
        assert_eq!(told, r#"{"parts":{"b":"<li id=\"b\">3</li>"},"lists":{}}"#);
        let now = picture(&[("c", "4"), ("a", "1")]);
        let told = serde_json::to_string(&now.since(&before)).unwrap();
        assert_eq!(told, r#"{"parts":{"c":"<li id=\"c\">4</li>"},"lists":{"items":["c","a"]}}"#);
        assert_eq!(now.members("items").collect::<String>(), "<li id=\"c\">4</li><li id=\"a\">1</li>");
    }
}
