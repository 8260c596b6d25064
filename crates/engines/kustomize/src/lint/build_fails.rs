//! `build-fails`: what stops the build, where no other rule has found it.

use weir_yaml::Node;

use super::context::Context;
use super::finding::{Finding, Severity};
use super::source::field;
use crate::error::{Error, ErrorKind};
use crate::place::{Place, Step};

pub(super) fn check(context: &Context<'_>, error: &Error, out: &mut Vec<Finding>) {
    // What another rule found stops the build, too; this may be the same.
    if out.iter().any(|finding| finding.severity == Severity::Error) {
        return;
    }
    let places = error.places();
    let innermost = places.last().copied();
    let first = context.tree.first().map_or("", |source| source.path.as_str());
    let file = innermost.map_or(first, |place| place.file.as_str());
    let why = match error.kind() {
        ErrorKind::Remote => "nothing is fetched during a build, so that it is the same every time; ",
        ErrorKind::Security => "files are read in and below the folder of their kustomization only; ",
        ErrorKind::Plugin => "no program is run during a build; ",
        ErrorKind::NotFound | ErrorKind::Cycle | ErrorKind::Invalid => "",
    };
    let mut finding = Finding::new("build-fails", Severity::Error, file, error.innermost())
        .because(format!("{why}the build says: {}", error.messages()))
        .help(error.help().map(str::to_owned));
    if let Some(place) = innermost
        && let Some(source) = context.tree.iter().find(|source| source.path == place.file)
        && let Some(node) = find(&source.node, place)
    {
        finding = finding.at(node.span());
    }
    out.push(finding);
}

/// The deepest step of a place that is there.
fn find<'a>(root: &'a Node, place: &Place) -> Option<&'a Node> {
    let (mut at, mut found) = (root, None);
    for step in &place.steps {
        let next = match step {
            Step::Field(name) => field(at, name),
            Step::Item(number) => at
                .items()
                .and_then(|items| items.get(*number))
                .map(|item| (item, item)),
        };
        let Some((mark, value)) = next else {
            break;
        };
        found = Some(mark);
        at = value;
    }
    found
}
