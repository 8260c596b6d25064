//! Image names, tags and digests.

use weir_re2::Pattern;
use weir_yaml::{Data, Node, Tag};

use crate::error::Result;
use crate::fieldspec::{FieldSpec, apply_all};
use crate::kustomization::Image;
use crate::ops::{self, Kind};
use crate::resmap::ResMap;
use crate::resource;
use crate::selector::compile;

/// Changes the images of a name: those of containers wherever they are, and those at the specs'
/// paths.
pub(super) fn run(image: &Image, specs: &[FieldSpec], map: &mut ResMap) -> Result<()> {
    let change = Change::new(image)?;
    for node in map
        .nodes_mut()
        .filter(|node| resource::kind(node) != "CustomResourceDefinition")
    {
        change.containers(node)?;
    }
    for node in map
        .nodes_mut()
        .filter(|node| resource::kind(node) != "CustomResourceDefinition")
    {
        apply_all(specs, node, None, &mut |node| change.set(node))?;
    }
    Ok(())
}

struct Change<'a> {
    image: &'a Image,
    pattern: Pattern,
}

impl<'a> Change<'a> {
    fn new(image: &'a Image) -> Result<Self> {
        // The name is a pattern, as it is in kustomize.
        let pattern = compile(&format!(
            "^{}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$",
            image.name
        ))?;
        Ok(Self { image, pattern })
    }

    /// Looks for lists named `containers` and `initContainers` at any depth.
    fn containers(&self, node: &mut Node) -> Result<()> {
        match &mut node.data {
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
        let Some(value) = node.as_str().filter(|value| self.pattern.is_match(value)) else {
            return Ok(());
        };
        let text = self.changed(value);
        ops::set_scalar(node, &text, Tag::None)
    }

    fn changed(&self, value: &str) -> String {
        let image = self.image;
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
}

/// Name, tag and digest of an image reference; a colon before the first slash is a port.
fn split(value: &str) -> (String, String, String) {
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
