//! Building a directory.

use serde_json::Value;
use weir_yaml::emit;

use crate::cache::Cache;
use crate::charts::Charts;
use crate::effects::{Effects, Trace};
use crate::error::{Error, Result};
use crate::fieldspec::FieldSpec;
use crate::files::Files;
use crate::loader::{LoadRestrictions, Loader};
use crate::marshal::marshal;
use crate::origin::Origin;
use crate::resmap::ResMap;
use crate::resource::{Resource, loose_id};
use crate::shared::Build;
use crate::target::Target;
use crate::transform::{Transformer, sort, sort_legacy};

/// The order of the output where the kustomization file has no `sortOptions`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reorder {
    /// Namespaces, definitions and the like first: the default of `kustomize build`.
    #[default]
    Legacy,
    /// As accumulated: `kustomize build --reorder none`, and what Flux does.
    None,
}

/// How to build.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What files may be read.
    pub load_restrictions: LoadRestrictions,
    /// Order of the output.
    pub reorder: Reorder,
    /// Add the label `app.kubernetes.io/managed-by: kustomize-…`.
    pub add_managed_by_label: bool,
}

/// The line between two objects.
const SEPARATOR: &str = "---\n";

/// The version of kustomize whose output this is, as its label has it.
const VERSION: &str = "kustomize-v5.8.1";

/// An object of the output.
#[derive(Clone, Debug)]
pub struct Object {
    /// The object.
    pub value: Value,
    /// Where it came from, if the kustomization file asks for `buildMetadata`.
    pub origin: Option<Origin>,
}

/// The output of a build.
#[derive(Clone, Debug, Default)]
pub struct Resources {
    objects: Vec<Object>,
    warnings: Vec<String>,
}

impl Resources {
    /// The objects in order.
    pub fn objects(&self) -> &[Object] {
        &self.objects
    }

    /// The objects' values in order.
    pub fn to_json_objects(&self) -> Vec<Value> {
        self.objects.iter().map(|object| object.value.clone()).collect()
    }

    /// What `kustomize build` prints.
    pub fn to_yaml(&self) -> String {
        emit::sigs_stream(self.objects.iter().map(|object| &object.value))
    }

    /// Remarks on deprecated fields.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// What `kustomize build` prints, an object at a time: trees and texts of all objects are never in memory together.
#[derive(Clone, Debug, Default)]
pub struct Printed {
    documents: Vec<String>,
    warnings: Vec<String>,
}

impl Printed {
    /// The parts of the output in order, each with the line that separates it from the one before.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        let separators = std::iter::once("").chain(std::iter::repeat(SEPARATOR));
        let documents = self.documents.iter().map(String::as_str);
        separators
            .zip(documents)
            .flat_map(|(separator, document)| [separator, document])
    }

    /// Remarks on deprecated fields.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// Builds the kustomization in a directory.
///
/// Reads only through `files`; fetches and runs nothing. The result does not depend on anything
/// but the files and the options.
pub fn build(files: &dyn Files, directory: &str, options: &Options) -> Result<Resources, Error> {
    build_shared(files, directory, options, &Build::new(None, None))
}

/// As [`build`], with files that other builds have parsed; the result is the same.
pub fn build_cached(
    files: &dyn Files,
    directory: &str,
    options: &Options,
    cache: &Cache,
) -> Result<Resources, Error> {
    build_shared(files, directory, options, &Build::new(Some(cache), None))
}

/// As [`build`], with charts: `kustomize build --enable-helm`. Charts must be in the tree; none is fetched.
pub fn build_with_charts(
    files: &dyn Files,
    directory: &str,
    options: &Options,
    charts: &dyn Charts,
) -> Result<Resources, Error> {
    build_shared(files, directory, options, &Build::new(None, Some(charts)))
}

/// As [`build`], with what transformers did.
pub(crate) fn build_watched(
    files: &dyn Files,
    directory: &str,
    options: &Options,
    charts: Option<&dyn Charts>,
) -> (Result<Resources, Error>, Trace) {
    let shared = Build::new(None, charts).watched();
    let built = build_shared(files, directory, options, &shared);
    (built, shared.take_trace())
}

/// Builds the kustomization in a directory and prints it: the parts together are what [`Resources::to_yaml`] returns,
/// for less memory. Charts are rendered if there is somebody who does.
pub fn print(
    files: &dyn Files,
    directory: &str,
    options: &Options,
    charts: Option<&dyn Charts>,
) -> Result<Printed, Error> {
    let finished = accumulate(files, directory, options, &Build::new(None, charts))?;
    let warnings = finished.warnings;
    let documents = finished
        .map
        .into_list()
        .into_iter()
        .filter(|resource| !resource.is_empty())
        .map(|resource| Ok(emit::sigs(&finish(resource, finished.notes)?.value)))
        .collect::<Result<_>>()?;
    Ok(Printed { documents, warnings })
}

fn build_shared(
    files: &dyn Files,
    directory: &str,
    options: &Options,
    shared: &Build<'_>,
) -> Result<Resources, Error> {
    let finished = accumulate(files, directory, options, shared)?;
    let warnings = finished.warnings;
    let objects = finished
        .map
        .into_list()
        .into_iter()
        .filter(|resource| !resource.is_empty())
        .map(|resource| finish(resource, finished.notes))
        .collect::<Result<_>>()?;
    Ok(Resources { objects, warnings })
}

/// All objects of a build, in the order of the output.
struct Accumulated {
    map: ResMap,
    notes: Notes,
    warnings: Vec<String>,
}

/// Which annotations about their past objects keep.
#[derive(Clone, Copy)]
struct Notes {
    origins: bool,
    transformations: bool,
}

fn accumulate(
    files: &dyn Files,
    directory: &str,
    options: &Options,
    shared: &Build<'_>,
) -> Result<Accumulated, Error> {
    let loader = Loader::new(files, options.load_restrictions, directory)?;
    let target = Target::load(shared, loader)?;
    let (mut map, file) = target.make()?;
    let schema = shared.schema();
    match (&file.sort_options, options.reorder) {
        (Some(sort_options), _) => sort(sort_options, &mut map, &schema)?,
        (None, Reorder::Legacy) => sort_legacy(&mut map, &schema),
        (None, Reorder::None) => {}
    }
    let asks_for = |name: &str| file.build_metadata.iter().any(|option| option == name);
    if options.add_managed_by_label || asks_for("managedByLabel") {
        Transformer::Labels {
            labels: [("app.kubernetes.io/managed-by".to_owned(), VERSION.to_owned())].into(),
            specs: vec![FieldSpec::created("metadata/labels")],
        }
        .run(&mut map, &schema, &mut Effects::unwatched())?;
    }
    Ok(Accumulated {
        map,
        notes: Notes {
            origins: asks_for("originAnnotations"),
            transformations: asks_for("transformerAnnotations"),
        },
        warnings: shared.warnings.take(),
    })
}

fn finish(mut resource: Resource, notes: Notes) -> Result<Object> {
    resource.finish(notes.origins, notes.transformations)?;
    let value = marshal(resource.node())
        .map_err(|error| error.within(format!("printing {}", loose_id(resource.node()))))?;
    let origin = resource.origin.take().map(|origin| *origin);
    Ok(Object { value, origin })
}
