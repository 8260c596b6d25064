//! What Flux does around a kustomize build: makes a kustomization file where there is none, and
//! writes a Kustomization object's own fields into it.
//!
//! [`generate`] changes nothing in the tree; its result is the tree with that one file laid over
//! it, ready to be built.

mod overlay;
mod scan;

use serde::Serialize;
use serde_json::{Map, Value, json};
use weir_yaml::emit;

use crate::build::{Object, Options, Reorder, Resources, build};
use crate::cache::Cache;
use crate::decode;
use crate::error::{Error, ErrorKind, Result, Within};
use crate::files::{FileKind, Files, MemoryFiles, clean, join};
use crate::kustomization::{FILE_NAMES, Image, Patch};
use crate::loader::{LoadRestrictions, is_local};
use crate::shape::KUSTOMIZATION;

pub use overlay::Overlay;

/// Fields of a Kustomization object that end up in the kustomization file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `spec.targetNamespace`
    pub target_namespace: Option<String>,
    /// `spec.namePrefix`
    pub name_prefix: Option<String>,
    /// `spec.nameSuffix`
    pub name_suffix: Option<String>,
    /// `spec.patches`, put behind the file's own.
    pub patches: Vec<Patch>,
    /// `spec.components`, put behind the file's own.
    pub components: Vec<String>,
    /// `spec.ignoreMissingComponents`
    pub ignore_missing_components: bool,
    /// `spec.images`, merged with the file's own by name.
    pub images: Vec<Image>,
    /// `spec.buildMetadata`, in place of the file's own.
    pub build_metadata: Vec<String>,
}

/// Makes the kustomization file of a directory.
///
/// A file that is there is the base; otherwise one is made that lists the directory's manifests,
/// each of which must be readable as Kubernetes objects.
pub fn generate<'a>(
    files: &'a dyn Files,
    directory: &str,
    overrides: &Overrides,
) -> Result<Overlay<'a>, Error> {
    let directory = clean(directory);
    let is_directory = matches!(
        files.find(&directory),
        Ok(Some(found)) if found.kind == FileKind::Directory
    );
    if !is_directory {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!("kustomization path not found: '{directory}' is no directory of the artifact"),
        ));
    }
    let existing = scan::kustomization_file(files, &directory)?;
    let (name, mut file) = match existing {
        Some(name) => (name, read(files, &join(&directory, name))?),
        None => (FILE_NAMES[0], scan::make(files, &directory)?),
    };
    apply(&mut file, overrides, files, &directory)?;
    let path = join(&directory, name);
    let content = emit::sigs(&Value::Object(file));
    Ok(Overlay::new(files, directory, path, content))
}

/// Builds a directory as the Kustomization controller does: the file of [`generate`], any file of
/// the tree within reach, objects in the order of accumulation.
pub fn build_directory(
    files: &dyn Files,
    directory: &str,
    overrides: &Overrides,
) -> Result<Resources, Error> {
    generate(files, directory, overrides)?.build()
}

/// As [`build_directory`], with files that other builds have parsed; the result is the same.
pub fn build_directory_cached(
    files: &dyn Files,
    directory: &str,
    overrides: &Overrides,
    cache: &Cache,
) -> Result<Resources, Error> {
    generate(files, directory, overrides)?.build_cached(cache)
}

/// Applies patches and image changes to objects that are there already, as post-renderers do.
pub fn post_render(objects: &[Value], patches: &[Patch], images: &[Image]) -> Result<Vec<Object>, Error> {
    let mut files = MemoryFiles::new();
    files.insert("/objects.yaml", emit::sigs_stream(objects));
    let kustomization = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["objects.yaml"],
        "patches": to_value(&patches)?,
        "images": to_value(&images)?,
    });
    files.insert("/kustomization.yaml", emit::sigs(&kustomization));
    let options = Options {
        reorder: Reorder::None,
        ..Options::default()
    };
    Ok(build(&files, "/", &options)?.objects().to_vec())
}

fn to_value<T: Serialize>(value: &T) -> Result<Value> {
    serde_json::to_value(value).map_err(|error| Error::invalid(error.to_string()))
}

/// The fields of a file; unknown ones are dropped, as Flux's rewriting does.
fn read(files: &dyn Files, path: &str) -> Result<Map<String, Value>> {
    let bytes = files
        .read(path)
        .map_err(|error| Error::new(ErrorKind::NotFound, error.to_string()))?;
    let value = decode::text(&bytes, path)
        .and_then(decode::yaml)
        .and_then(|value| decode::checked(value, &KUSTOMIZATION, false))
        .within(|| format!("invalid Kustomization in '{path}'"))?;
    let Value::Object(mut file) = value else {
        return Ok(Map::new());
    };
    for (key, value) in [
        ("apiVersion", "kustomize.config.k8s.io/v1beta1"),
        ("kind", "Kustomization"),
    ] {
        if !file.contains_key(key) {
            file.insert(key.into(), value.into());
        }
    }
    let lists_nothing = |key: &str| file.get(key).and_then(Value::as_array).is_none_or(Vec::is_empty);
    // Else a file that only holds overrides would count as empty.
    if lists_nothing("resources") && !file.contains_key("buildMetadata") {
        file.insert("buildMetadata".into(), json!(["originAnnotations"]));
    }
    Ok(file)
}

fn apply(
    file: &mut Map<String, Value>,
    overrides: &Overrides,
    files: &dyn Files,
    directory: &str,
) -> Result<()> {
    for (field, value) in [
        ("namespace", &overrides.target_namespace),
        ("namePrefix", &overrides.name_prefix),
        ("nameSuffix", &overrides.name_suffix),
    ] {
        if let Some(value) = value {
            file.insert(field.into(), value.clone().into());
        }
    }
    append(file, "patches", &overrides.patches)?;
    let mut components = Vec::new();
    for component in &overrides.components {
        if !is_local(component) {
            return Err(Error::new(
                ErrorKind::Security,
                format!("component path '{component}' must be local and relative"),
            ));
        }
        let there = matches!(files.find(&join(directory, component)), Ok(Some(_)));
        if there || !overrides.ignore_missing_components {
            components.push(component.clone());
        }
    }
    append(file, "components", &components)?;
    merge_images(file, &overrides.images)?;
    if !overrides.build_metadata.is_empty() {
        file.insert("buildMetadata".into(), to_value(&overrides.build_metadata)?);
    }
    Ok(())
}

fn append<T: Serialize>(file: &mut Map<String, Value>, field: &str, items: &[T]) -> Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    let list = file.entry(field).or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(list) = list {
        for item in items {
            list.push(to_value(item)?);
        }
    }
    Ok(())
}

/// An image of the same name takes the new name if there is one, and tag and digest as a pair.
fn merge_images(file: &mut Map<String, Value>, images: &[Image]) -> Result<()> {
    for image in images {
        let known = file
            .get_mut("images")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
            .find(|known| known.get("name").and_then(Value::as_str) == Some(&image.name));
        let Some(Value::Object(known)) = known else {
            append(file, "images", std::slice::from_ref(image))?;
            continue;
        };
        if !image.new_name.is_empty() {
            known.insert("newName".into(), image.new_name.clone().into());
        }
        if !image.new_tag.is_empty() || !image.digest.is_empty() {
            for (field, value) in [("newTag", &image.new_tag), ("digest", &image.digest)] {
                if value.is_empty() {
                    known.remove(field);
                } else {
                    known.insert(field.into(), value.clone().into());
                }
            }
        }
    }
    Ok(())
}

/// How the controller builds.
fn options() -> Options {
    Options {
        load_restrictions: LoadRestrictions::None,
        reorder: Reorder::None,
        add_managed_by_label: false,
    }
}
