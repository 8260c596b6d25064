//! Aliases and merge keys replaced by what they stand for.

use std::collections::{HashMap, HashSet};

use crate::json::{identity, refuse_unreadable};
use crate::{Comments, ConvertError, Data, Dialect, List, Node, Span, Tag, Text};

/// Nodes that expansion may always make; beyond that the product is bound to the document's size.
const FREE_NODES: usize = 100_000;
/// How many times the document's own size the product may reach past [`FREE_NODES`].
const GROWTH: usize = 10;

/// Replaces each alias by a copy of its anchor's node, applies merge keys (`<<`), and removes
/// anchors.
///
/// To kyaml, keys of the mapping itself win over merged ones. sigs.k8s.io/yaml goes from entry to entry, so that merged
/// keys win over those above them. Of several merged mappings the first wins.
/// The work is bounded: a document that grows out of proportion is refused (N10).
pub fn expand_aliases(root: &mut Node, dialect: Dialect) -> Result<(), ConvertError> {
    expand(root, dialect, Loops::Refuse)
}

/// What to do with an alias in its own anchor's node.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loops {
    /// Refuse the tree.
    Refuse,
    /// Leave it: it does harm only where somebody reads it.
    Keep,
}

/// As [`expand_aliases`].
pub(crate) fn expand(root: &mut Node, dialect: Dialect, loops: Loops) -> Result<(), ConvertError> {
    if !has_aliases(root) {
        return Ok(());
    }
    let own = count(root);
    let mut expander = Expander {
        anchors: HashMap::new(),
        latest: HashMap::new(),
        begun: 0,
        open: Vec::new(),
        dialect,
        loops,
        budget: FREE_NODES.max(own.saturating_mul(GROWTH)),
    };
    expander.expand(root)
}

/// Whether there is anything for [`expand_aliases`] to do.
pub(crate) fn has_aliases(node: &Node) -> bool {
    if node.anchor().is_some() || node.tag() == Tag::Merge {
        return true;
    }
    match node.data() {
        Data::Scalar(_) => false,
        Data::Alias(_) => true,
        Data::Sequence(items) => items.iter().any(has_aliases),
        Data::Mapping(entries) => entries.iter().any(|(k, v)| has_aliases(k) || has_aliases(v)),
    }
}

fn count(node: &Node) -> usize {
    1 + match node.data() {
        Data::Scalar(_) | Data::Alias(_) => 0,
        Data::Sequence(items) => items.iter().map(count).sum(),
        Data::Mapping(entries) => entries.iter().map(|(k, v)| count(k) + count(v)).sum(),
    }
}

struct Expander {
    /// Expanded nodes by anchor, each with its size.
    anchors: HashMap<Text, (Node, usize)>,
    /// The anchor of each name that began last: it is what the name means from there on.
    latest: HashMap<Text, usize>,
    /// How many anchors have begun.
    begun: usize,
    /// Anchors whose nodes are being expanded.
    open: Vec<usize>,
    dialect: Dialect,
    loops: Loops,
    budget: usize,
}

impl Expander {
    fn expand(&mut self, node: &mut Node) -> Result<(), ConvertError> {
        let anchor = node.take_anchor();
        let number = self.begun;
        if let Some(name) = &anchor {
            self.begun += 1;
            self.latest.insert(name.clone(), number);
            self.open.push(number);
        }
        match node.data_mut() {
            Data::Scalar(_) => {}
            Data::Alias(name) => {
                let name = name.clone();
                let Some(mut replacement) = self.lookup(&name, node.span())? else {
                    return Ok(());
                };
                let comments = node.take_rare().map(|rare| rare.comments).unwrap_or_default();
                if replacement.rare().is_some() || comments != Comments::default() {
                    replacement.rare_mut().comments = comments;
                }
                *node = replacement;
            }
            Data::Sequence(items) => {
                for item in items {
                    self.expand(item)?;
                }
            }
            Data::Mapping(entries) => {
                for (key, value) in entries.iter_mut() {
                    let is_alias = matches!(value.data(), Data::Alias(_));
                    self.expand(key)?;
                    self.expand(value)?;
                    if is_alias && key.tag() == Tag::Merge && value.entries().is_none() {
                        return Err(ConvertError::new(key.span(), NO_MAP));
                    }
                }
                if entries.iter().any(|(key, _)| key.tag() == Tag::Merge) {
                    merge(entries, self.dialect)?;
                }
            }
        }
        if let Some(name) = anchor {
            self.open.pop();
            let size = count(node);
            self.spend(size, node.span())?;
            // A node within may have taken the name over.
            if self.latest.get(&name) == Some(&number) {
                self.anchors.insert(name, (node.clone(), size));
            }
        }
        Ok(())
    }

    /// The node that a name stands for; none if that is a loop, and loops are kept.
    fn lookup(&mut self, name: &str, span: Span) -> Result<Option<Node>, ConvertError> {
        let latest = self.latest.get(name);
        if latest.is_some_and(|latest| self.open.contains(latest)) {
            if self.loops == Loops::Keep {
                return Ok(None);
            }
            return Err(ConvertError::new(
                span,
                format!("anchor '{name}' value contains itself"),
            ));
        }
        let Some((node, size)) = self.anchors.get(name) else {
            return Err(ConvertError::new(
                span,
                format!("unknown anchor '{name}' referenced"),
            ));
        };
        let (node, size) = (node.clone(), *size);
        self.spend(size, span)?;
        Ok(Some(node))
    }

    fn spend(&mut self, nodes: usize, span: Span) -> Result<(), ConvertError> {
        self.budget = self
            .budget
            .checked_sub(nodes)
            .ok_or_else(|| ConvertError::new(span, "document contains excessive aliasing"))?;
        Ok(())
    }
}

/// What is said of merge keys with other values; a list of maps must stand there itself, not as an alias.
const NO_MAP: &str = "map merge requires map or sequence of maps as the value";

fn merge(entries: &mut List<(Node, Node)>, dialect: Dialect) -> Result<(), ConvertError> {
    let mut own = Vec::with_capacity(entries.len());
    let mut merged: Vec<(Node, Node)> = Vec::new();
    let mut seen = false;
    for (key, value) in std::mem::take(entries) {
        if key.tag() != Tag::Merge {
            own.push((key, value));
            continue;
        }
        let mut sources = Vec::new();
        if dialect == Dialect::Kyaml && std::mem::replace(&mut seen, true) {
            return Err(ConvertError::new(key.span(), "duplicate merge key"));
        }
        collect_sources(value, &mut sources, false)?;
        if dialect == Dialect::Sigs {
            put_all(&mut merged, std::mem::take(&mut own), dialect)?;
        }
        // Later sources are weaker.
        for source in sources.into_iter().rev() {
            put_all(&mut merged, source, dialect)?;
        }
    }
    put_all(&mut merged, own, dialect)?;
    *entries = merged.into();
    Ok(())
}

fn collect_sources(
    value: Node,
    sources: &mut Vec<Vec<(Node, Node)>>,
    nested: bool,
) -> Result<(), ConvertError> {
    let span = value.span();
    match value.into_data() {
        Data::Mapping(entries) => sources.push(entries.into_vec()),
        Data::Sequence(items) if !nested => {
            for item in items {
                collect_sources(item, sources, true)?;
            }
        }
        _ => {
            return Err(ConvertError::new(span, NO_MAP));
        }
    }
    Ok(())
}

/// Puts entries into a mapping; they win over those of the same key that are there. To kyaml keys that repeat among the
/// entries themselves are not its own to judge, and stay.
fn put_all(
    into: &mut Vec<(Node, Node)>,
    entries: Vec<(Node, Node)>,
    dialect: Dialect,
) -> Result<(), ConvertError> {
    let mut index: HashMap<String, usize> = into
        .iter()
        .enumerate()
        .filter_map(|(at, (key, _))| Some((identity(key, dialect)?, at)))
        .collect();
    let mut own = HashSet::new();
    for (key, value) in entries {
        let Some(name) = identity(&key, dialect) else {
            into.push((key, value));
            continue;
        };
        if dialect == Dialect::Kyaml && !own.insert(name.clone()) {
            into.push((key, value));
        } else if let Some(entry) = index.get(&name).and_then(|at| into.get_mut(*at)) {
            let (_, replaced) = std::mem::replace(entry, (key, value));
            if dialect == Dialect::Sigs {
                refuse_unreadable(&replaced, dialect)?;
            }
        } else {
            index.insert(name, into.len());
            into.push((key, value));
        }
    }
    Ok(())
}
