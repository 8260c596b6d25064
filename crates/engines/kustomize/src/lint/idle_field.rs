//! `idle-field`: fields that only say how others work, where there is none of those.

use super::context::Context;
use super::finding::{Finding, Severity};
use super::reference::name;
use super::source::text;

/// The field, and those that it works on.
const NEEDS: [(&str, &[&str]); 2] = [
    ("generatorOptions", &["configMapGenerator", "secretGenerator"]),
    ("helmGlobals", &["helmCharts", "helmChartInflationGenerator"]),
];

pub(super) fn check(context: &Context<'_>, out: &mut Vec<Finding>) {
    for source in context.tree {
        for (field, needs) in NEEDS {
            let Some((key, _)) = source.field(field) else {
                continue;
            };
            if needs.iter().any(|needed| !source.items(needed).is_empty()) {
                continue;
            }
            let [first, second] = needs else { continue };
            out.push(
                Finding::new(
                    "idle-field",
                    Severity::Warning,
                    &source.path,
                    format!("{field} has no effect"),
                )
                .at(key.span())
                .because(format!(
                    "it counts for the {first} and {second} of its own file, and there is none"
                ))
                .help(format!("remove {field}, or move it into the file that has them")),
            );
        }
        for image in source.items("images") {
            let changes = ["newName", "newTag", "digest", "tagSuffix"];
            if image.entries().is_some() && changes.iter().all(|key| text(image, key).is_empty()) {
                out.push(
                    Finding::new(
                        "idle-field",
                        Severity::Warning,
                        &source.path,
                        format!("images: the entry for '{}' has no effect", name(image)),
                    )
                    .at(image.span())
                    .because("it has none of newName, newTag, digest and tagSuffix")
                    .help("say what is to change, or remove the entry".to_owned()),
                );
            }
        }
    }
}
