//! Image names, tags and digests.

use std::cell::Cell;
use std::collections::BTreeMap;

use weir_re2::Pattern;
use weir_yaml::{Data, Node, Tag};

use crate::effects::Effects;
use crate::error::Result;
use crate::fieldspec::{FieldSpec, Specs};
use crate::kustomization::Image;
use crate::ops::{self, Kind};
use crate::pattern::{Plain, compile};
use crate::resmap::ResMap;
use crate::resource;

/// Changes the images of some names, one after the other: those of containers wherever they are,
/// and those at the specs' paths.
pub(super) fn run(
    images: &[Image],
    specs: &[FieldSpec],
    map: &mut ResMap,
    effects: &mut Effects,
) -> Result<()> {
    if are_independent(images) {
        return pass(images, 0, specs, map, effects);
    }
    // One after the other, as kustomize does it: an image may be changed twice, and the next one sees what came out.
    for (number, image) in images.chunks(1).enumerate() {
        pass(image, number, specs, map, effects)?;
    }
    Ok(())
}

/// Whether no value is looked for by more than one image, before it is changed or after, so that all can be changed on
/// one way through the objects. Dots in names stand for any character.
fn are_independent(images: &[Image]) -> bool {
    if images.len() < 2 {
        return true;
    }
    let mut by_length: BTreeMap<usize, Vec<(usize, Plain)>> = BTreeMap::new();
    for (number, image) in images.iter().enumerate() {
        let (Some(plain), true) = (Plain::new(&image.name), is_bare(&image.name)) else {
            return false;
        };
        let length = image.name.chars().count();
        by_length.entry(length).or_default().push((number, plain));
    }
    let is_found_by_another = |number: usize, name: &str| {
        let same_length = by_length.get(&name.chars().count()).into_iter().flatten();
        same_length
            .filter(|(other, _)| *other != number)
            .any(|(_, plain)| plain.meets(name))
    };
    !images.iter().enumerate().any(|(number, image)| {
        !is_bare(&image.new_name)
            || is_found_by_another(number, &image.name)
            || is_found_by_another(number, &image.new_name)
    })
}

/// Whether a name has nothing behind it that could be a tag or a digest.
fn is_bare(name: &str) -> bool {
    !name.rsplit('/').next().unwrap_or_default().contains([':', '@'])
}

/// One way through the objects with some of the images, from a number on.
fn pass(
    images: &[Image],
    first: usize,
    specs: &[FieldSpec],
    map: &mut ResMap,
    effects: &mut Effects,
) -> Result<()> {
    let change = Change::new(images)?;
    let mut specs = Specs::new(specs);
    for node in map
        .nodes_mut()
        .filter(|node| resource::kind(node) != "CustomResourceDefinition")
    {
        change.containers(node)?;
        specs.apply_all(node, None, &mut |node| change.set(node))?;
    }
    for (number, hits) in change.hits.iter().enumerate() {
        effects.reached((first + number, 0), hits.get(), || None);
    }
    Ok(())
}

/// All changes, found by what they look for.
struct Change<'a> {
    images: &'a [Image],
    /// Numbers of the images with a plain name, by the length of the name.
    plain: BTreeMap<usize, Vec<(usize, Plain)>>,
    /// Names are patterns, as they are in kustomize.
    patterns: Vec<(usize, Pattern)>,
    /// How many values each image has changed.
    hits: Vec<Cell<usize>>,
}

impl<'a> Change<'a> {
    fn new(images: &'a [Image]) -> Result<Self> {
        let mut change = Self {
            images,
            plain: BTreeMap::new(),
            patterns: Vec::new(),
            hits: vec![Cell::new(0); images.len()],
        };
        for (number, image) in images.iter().enumerate() {
            if let Some(plain) = Plain::new(&image.name) {
                let length = image.name.chars().count();
                change.plain.entry(length).or_default().push((number, plain));
            } else {
                let pattern = compile(&format!(
                    "^{}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$",
                    image.name
                ))?;
                change.patterns.push((number, pattern));
            }
        }
        Ok(change)
    }

    /// The first image from a number on that looks for a value.
    fn next(&self, value: &str, from: usize) -> Option<usize> {
        // What may stand behind a name starts with a colon or an at sign.
        let ends = value
            .char_indices()
            .enumerate()
            .filter(|(_, (_, c))| matches!(c, ':' | '@'))
            .map(|(length, (at, _))| (length, at))
            .chain(std::iter::once((value.chars().count(), value.len())));
        let plain = ends
            .filter(|(_, at)| value.get(*at..).is_some_and(is_version))
            .filter_map(|(length, at)| {
                let (name, named) = (value.get(..at)?, self.plain.get(&length)?);
                let start = named.partition_point(|(number, _)| *number < from);
                let mut later = named.get(start..).unwrap_or_default().iter();
                later
                    .find(|(_, plain)| plain.strip(name) == Some(""))
                    .map(|(number, _)| *number)
            })
            .min();
        let pattern = self
            .patterns
            .iter()
            .filter(|(number, _)| *number >= from)
            .find(|(_, pattern)| pattern.is_match(value))
            .map(|(number, _)| *number);
        plain.into_iter().chain(pattern).min()
    }

    /// Looks for lists named `containers` and `initContainers` at any depth.
    fn containers(&self, node: &mut Node) -> Result<()> {
        match node.data_mut() {
            Data::Mapping(entries) => {
                for (key, value) in entries {
                    self.containers(value)?;
                    if matches!(key.as_str(), Some("containers" | "initContainers"))
                        && let Some(items) = value.items_mut()
                    {
                        for item in items {
                            if item.is_null() {
                                continue;
                            }
                            ops::expect(item, Kind::Mapping)?;
                            if let Some(image) = item.get_mut("image") {
                                self.set(image)?;
                            }
                        }
                    }
                }
                Ok(())
            }
            Data::Sequence(items) => items.iter_mut().try_for_each(|item| self.containers(item)),
            _ => Ok(()),
        }
    }

    fn set(&self, node: &mut Node) -> Result<()> {
        ops::expect(node, Kind::Scalar)?;
        let mut from = 0;
        while let Some(value) = node.as_str()
            && let Some(number) = self.next(value, from)
            && let Some(image) = self.images.get(number)
        {
            if let Some(hits) = self.hits.get(number) {
                hits.set(hits.get() + 1);
            }
            let text = changed(image, value);
            ops::set_scalar(node, &text, Tag::None)?;
            from = number + 1;
        }
        Ok(())
    }
}

/// Whether a text is what may stand behind the name of an image: a tag and a digest, or less.
fn is_version(text: &str) -> bool {
    let behind = |text: &str| {
        text.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "_.{}-".contains(c))
            .len()
    };
    let mut rest = text;
    if let Some(tag) = rest.strip_prefix(':') {
        rest = tag.get(tag.len() - behind(tag)..).unwrap_or_default();
    }
    match rest.strip_prefix("@sha256:") {
        Some(digest) => behind(digest) == 0,
        None => rest.is_empty(),
    }
}

/// A value with the change of an image.
fn changed(image: &Image, value: &str) -> String {
    let (name, mut tag, mut digest) = split(value);
    if !image.new_tag.is_empty() || !image.digest.is_empty() {
        // Either one replaces both.
        tag.clone_from(&image.new_tag);
        digest.clone_from(&image.digest);
    } else if !image.tag_suffix.is_empty() {
        tag.push_str(&image.tag_suffix);
        digest.clear();
    }
    let mut text = if image.new_name.is_empty() {
        name
    } else {
        image.new_name.clone()
    };
    if !tag.is_empty() {
        text.push(':');
        text.push_str(&tag);
    }
    if !digest.is_empty() {
        text.push('@');
        text.push_str(&digest);
    }
    text
}

/// Name, tag and digest of an image reference; a colon before the first slash is a port.
pub(crate) fn split(value: &str) -> (String, String, String) {
    let path = match value.find('/') {
        Some(at) if at > 0 => at,
        _ => 0,
    };
    let (host, rest) = value.split_at_checked(path).unwrap_or(("", value));
    let (before, digest) = match (rest.find('@'), rest.find(':')) {
        (Some(at), _) => {
            let (before, digest) = rest.split_at_checked(at).unwrap_or((rest, ""));
            (before, digest.trim_start_matches('@'))
        }
        _ => (rest, ""),
    };
    let (name, tag) = before.split_once(':').unwrap_or((before, ""));
    (format!("{host}{name}"), tag.to_owned(), digest.to_owned())
}
