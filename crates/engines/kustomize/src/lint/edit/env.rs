//! `env` of generators becomes an item of `envs`.

use weir_yaml::{Node, Style};

use super::text::{Edits, Lines};
use crate::lint::source::{Source, field, value};

pub(super) fn edit(source: &Source, lines: &Lines<'_>) -> Option<Edits> {
    let mut edits = Edits::default();
    let mut is_any = false;
    for generator in ["configMapGenerator", "secretGenerator"]
        .iter()
        .flat_map(|name| source.items(name))
    {
        if let Some((key, path)) = field(generator, "env") {
            one(generator, key, path, lines, &mut edits)?;
            is_any = true;
        }
    }
    is_any.then_some(edits)
}

fn one(generator: &Node, key: &Node, path: &Node, lines: &Lines<'_>, edits: &mut Edits) -> Option<()> {
    let number = Lines::of_node(key)?;
    // What is not on one line is left to a person.
    if Lines::of_node(path)? != number || path.as_str()?.is_empty() || value(generator, "envs").is_some() {
        return None;
    }
    let (before, ..) = lines.around(key)?;
    let (_, written, behind) = lines.around(path)?;
    let new = if generator.style() == Style::Flow {
        format!("{before}envs: [{written}]{behind}")
    } else {
        let indent = " ".repeat(before.chars().count());
        format!("{before}envs:{}{indent}- {written}{behind}", lines.end)
    };
    edits.replace(number..number + 1, new);
    Some(())
}
