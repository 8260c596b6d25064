//! `commonLabels` becomes an entry of `labels` that goes into selectors, too.

use weir_yaml::Style;

use super::text::{At, Edits, Lines};
use crate::lint::source::Source;

pub(super) fn edit(source: &Source, lines: &Lines<'_>) -> Option<Edits> {
    let old = lines.section(source, "commonLabels")?;
    let end = lines.end;
    let behind = lines.behind_key(&old)?.trim_end();
    let entries = old.value.entries()?;
    let body = if old.value.style() == Style::Flow {
        let rest = lines.shifted(old.key + 1..old.stop, 0, 4);
        format!("  pairs:{behind}{end}{rest}")
    } else {
        let (first, _) = entries.first()?;
        let indent = usize::try_from(first.span().column).ok()?.checked_sub(1)?;
        let rest = lines.shifted(old.key + 1..old.stop, indent, 4);
        format!("  pairs:{end}{rest}")
    };
    let entry = format!("- includeSelectors: true{end}{body}");
    let mut edits = Edits::default();
    if source.field("labels").is_none() {
        let is_comment = behind.trim_start().starts_with('#');
        let comment = if is_comment { behind } else { "" };
        edits.replace(old.key..old.stop, format!("labels:{comment}{end}{entry}"));
        return Some(edits);
    }
    let new = lines.section(source, "labels")?;
    // A comment behind a value in one line went with it.
    let mut items = if old.value.style() == Style::Flow {
        lines.heads(&old)
    } else {
        lines.leftovers(&old)
    };
    items.push(entry);
    lines.add(&new, items, At::End, &mut edits)?;
    lines.remove(&old, &mut edits);
    Some(edits)
}
