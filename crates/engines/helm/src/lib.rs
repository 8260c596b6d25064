//! Helm charts as a pure library: loading, values, rendering, release records.
//!
//! It does what Helm 4.2.4 does with the same bytes: what `helm template` prints, and what Helm stores of a release.
//! It reads nothing and asks nothing by itself: archives are opened through [`Unpack`], values files read through
//! [`FileReader`], clusters, clocks and random numbers are the host's of the template engine.
//!
//! [`action`] decides what an installation, an upgrade, a rollback or a removal does with them.
//!
//! What it does not do: it fetches no charts, applies nothing, and runs no program.

pub mod action;

mod ahead;
mod capabilities;
mod chart;
mod coalesce;
mod files;
mod glob;
mod gojson;
pub mod lint;
mod manifest;
mod pattern;
mod postrender;
mod release;
mod render;
mod repository;
mod schema;
mod stream;
mod time;
mod tree;
mod values;

pub use ahead::Ahead;
pub use capabilities::{Capabilities, KubeVersion, KubeVersionError};
pub use chart::{
    API_V1, API_V2, Chart, Crd, Dependency, Entry, File, IGNORE_FILE, Ignore, IgnoreError, Import, LoadError,
    Lock, MAX_CHART_SIZE, MAX_FILE_SIZE, Maintainer, Metadata, NoArchives, PackageError, Unpack,
    ValuesFilesError,
};
pub use coalesce::{Nulls, TypeMismatch, coalesce_tables, coalesce_values};
pub use manifest::{
    Event, Head, Hook, HookRun, Manifest, ManifestError, Order, Phase, Policy, Sorted, Text, sort, split,
};
pub use postrender::{PostRender, Strategy};
pub use release::{
    ApplyMethod, ChartRecord, DecodeError, Info, NameError, Release, SECRET_TYPE, SYSTEM_LABELS,
    SnapshotDigest, Status, config_digest, flux_name, storage_labels, storage_name, validate_name,
};
pub use render::{
    Caller, DEFAULT_NAME, Options, RenderError, Rendered, Show, TemplateError, definitions, name_of_template,
    render, render_ahead, render_files,
};
pub use repository::{Blob, Index, IndexEntry, IndexError, NotFound, chart_manifest, highest_tag, is_range};
pub use schema::SchemaError;
pub use time::Time;
pub use values::{
    FileReader, Found, Layered, Origins, Reference, ReferenceError, ReferenceProblem, SetError, Setter,
    Sources, SourcesError, Table, ValuesError, from_json, from_references, overlay, parse, set_index,
    set_literal, set_path,
};

pub(crate) use render::is_partial;

/// Whether a shell pattern, in which `*` stops at a slash, matches a whole path. A malformed pattern matches nothing.
pub fn path_matches(pattern: &str, path: &str) -> bool {
    glob::matches(pattern, path).unwrap_or(false)
}
