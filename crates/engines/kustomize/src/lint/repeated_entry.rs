//! `repeated-entry`: entries of a list that another entry makes idle, or that stop the build.

use weir_yaml::Node;

use super::context::Context;
use super::finding::{Finding, Severity};
use super::source::{Source, text};
use crate::files::join;

pub(super) fn check(context: &Context<'_>, out: &mut Vec<Finding>) {
    for source in context.tree {
        // An image that is renamed may be looked for again by its old name elsewhere, so only tags count.
        let sets_tag = |item: &Node| text(item, "newName").is_empty() && text(item, "tagSuffix").is_empty();
        named(source, "images", sets_tag, out);
        named(source, "replicas", |_| true, out);
        paths(source, out);
    }
}

/// Entries with the name of a later one.
fn named(source: &Source, field: &str, counts: impl Fn(&Node) -> bool, out: &mut Vec<Finding>) {
    let items = source.items(field);
    for (number, item) in items.iter().enumerate().filter(|(_, item)| counts(item)) {
        let name = text(item, "name");
        let mut later = items.iter().skip(number + 1);
        let Some(again) = later.find(|later| !name.is_empty() && text(later, "name") == name) else {
            continue;
        };
        // What adds to a tag needs the tag that was set before.
        if !text(again, "tagSuffix").is_empty() {
            continue;
        }
        let sets = |item: &Node| ["newTag", "digest"].iter().any(|key| !text(item, key).is_empty());
        if field == "images" && !(sets(item) && sets(again)) {
            continue;
        }
        out.push(
            Finding::new(
                "repeated-entry",
                Severity::Warning,
                &source.path,
                format!(
                    "{field}: '{name}' is set here and again in line {}",
                    again.span().line
                ),
            )
            .at(item.span())
            .because("the later entry is applied after this one and wins")
            .help("keep one of them".to_owned()),
        );
    }
}

/// Paths of `resources` that lead to one file or folder.
fn paths(source: &Source, out: &mut Vec<Finding>) {
    let mut seen: Vec<(String, &Node)> = Vec::new();
    for item in ["resources", "bases"]
        .iter()
        .flat_map(|field| source.items(field))
    {
        let Some(path) = item
            .as_str()
            .filter(|path| !path.is_empty() && !path.contains("://"))
        else {
            continue;
        };
        let path = join(&source.root, path);
        if let Some((_, first)) = seen.iter().find(|(known, _)| *known == path) {
            let message = format!(
                "resources: '{}' is listed in line {} already",
                item.as_str().unwrap_or_default(),
                first.span().line
            );
            out.push(
                Finding::new("repeated-entry", Severity::Warning, &source.path, message)
                    .at(item.span())
                    .because("objects may not be added twice: the build fails once there is one in it")
                    .help("remove one of them".to_owned()),
            );
        } else {
            seen.push((path, item));
        }
    }
}
