//! The whole way from a chart to hooks and manifests.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};

use weir_gotmpl::{Env, Functions, Host, Limits, Map, MissingKey, Set, Str};

use super::context::{self, VALUES};
use super::error::{RenderError, TemplateError};
use crate::ahead::Ahead;
use crate::capabilities::{self, Capabilities};
use crate::chart::{Chart, File, own_crds};
use crate::coalesce::{self, Nulls};
use crate::manifest::{self, Hook, Manifest, ManifestError, Order, Sorted};
use crate::postrender::{self, Files, PostRender, Strategy};
use crate::release::ChartRecord;
use crate::schema;
use crate::tree::{self, Node};
use crate::values::{Origins, Table};

/// A render's stack: templates include each other up to a thousand times. Only what is used costs memory.
const STACK: usize = 64 << 20;

/// What a chart is rendered for.
#[derive(Clone, Debug)]
pub struct Options {
    /// The release's name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its revision, from 1.
    pub revision: i64,
    /// Whether it is an upgrade; else it is an installation.
    pub is_upgrade: bool,
    /// The cluster.
    pub capabilities: Capabilities,
    /// Whether values.schema.json is passed over.
    pub skip_schema: bool,
    /// Whether the notes of subcharts are part of the release's.
    pub subchart_notes: bool,
    /// Where the values come from, for messages.
    pub origins: Origins,
    /// How hooks go through the post-renderer.
    pub strategy: Strategy,
}

impl Options {
    /// For the first installation of a release, without a cluster.
    pub fn new(name: impl Into<String>, namespace: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            namespace: namespace.into(),
            revision: 1,
            is_upgrade: false,
            capabilities: Capabilities::without_cluster(),
            skip_schema: false,
            subchart_notes: false,
            origins: Origins::default(),
            strategy: Strategy::default(),
        }
    }
}

/// What a chart rendered.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// Hooks, in the order of kinds.
    pub hooks: Vec<Hook>,
    /// Objects, in the order in which they are installed.
    pub manifests: Vec<Manifest>,
    /// NOTES.txt.
    pub notes: String,
    /// The manifests of `crds/`, of the charts that take part, with their paths.
    pub crds: Vec<(String, File)>,
    /// The chart as a release record keeps it.
    pub chart: ChartRecord,
    /// What Helm prints warnings about.
    pub warnings: Vec<String>,
}

impl Rendered {
    /// The manifest of the release: documents with the file that each comes from.
    pub fn manifest(&self) -> String {
        let size = self
            .manifests
            .iter()
            .map(|m| m.content.len() + m.name.len() + 16)
            .sum();
        let mut out = String::with_capacity(size);
        for manifest in &self.manifests {
            document(&mut out, &manifest.name, &manifest.content);
        }
        out
    }

    /// The same with the CRDs before it.
    pub fn manifest_with_crds(&self) -> String {
        let mut out = String::new();
        for (path, file) in &self.crds {
            document(&mut out, path, &file.text());
        }
        out.push_str(&self.manifest());
        out
    }
}

/// Adds a document with its source.
pub(super) fn document(out: &mut String, source: &str, content: &str) {
    let Ok(()) = part(source, content, &mut |part| {
        out.push_str(part);
        Ok::<_, Infallible>(())
    });
}

/// Gives a document with its source away.
pub(super) fn part<E>(
    source: &str,
    content: &str,
    to: &mut impl FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    ["---\n# Source: ", source, "\n", content, "\n"]
        .into_iter()
        .try_for_each(to)
}

/// Renders a chart with the user's values.
///
/// The outside, for `lookup`, the time and random values, is the host's. A post-renderer, if there is one, gets all
/// that was rendered before it is put in order.
pub fn render(
    chart: &Chart,
    values: &Table,
    options: &Options,
    host: &mut (dyn Host + Send),
    post: Option<&mut (dyn PostRender + Send)>,
) -> Result<Rendered, RenderError> {
    apart(|| here(chart, values, options, host, post, None))
}

/// The same with what has been begun while the chart was loaded.
pub fn render_ahead(
    chart: &Chart,
    values: &Table,
    options: &Options,
    host: &mut (dyn Host + Send),
    ahead: &Ahead,
) -> Result<Rendered, RenderError> {
    apart(|| here(chart, values, options, host, None, Some(ahead)))
}

/// Renders the templates of a chart as it is, with the values as they are: nothing is coalesced, no subchart is left
/// out, nothing is taken apart. The result is by path.
pub fn render_files(
    chart: &Chart,
    values: &Table,
    options: &Options,
    host: &mut (dyn Host + Send),
) -> Result<BTreeMap<String, String>, RenderError> {
    apart(|| {
        let root = Node::of(chart);
        let top = scope(coalesce::table(values), options);
        let mut files = BTreeMap::new();
        execute(&root, &top, options, host, None, |path, text| {
            files.insert(path.to_owned(), text);
        })?;
        Ok(files)
    })
}

/// Renders as Helm lints: the values are coalesced twice, so that what a null has deleted is there again; the release is
/// neither installed nor upgraded; the chart's own demand on the cluster is not asked. Nothing where the values of a subchart
/// are no table.
pub(crate) fn lint(
    chart: &Chart,
    values: &Table,
    options: &Options,
    host: &mut (dyn Host + Send),
) -> Result<Option<BTreeMap<String, String>>, RenderError> {
    apart(|| {
        let mut warnings = Vec::new();
        let values = coalesce::table(values);
        let mut root = Node::of(chart);
        if root.prepare(&values, &mut warnings).is_err() {
            return Ok(None);
        }
        let once = coalesce::copy_table(&values);
        if coalesce::coalesce(&root, &once, Nulls::Delete, &mut warnings).is_err() {
            return Ok(None);
        }
        let top = top(&root, &once, options, &mut warnings)?;
        if let Some(weir_gotmpl::Value::Map(release)) = top.get("Release") {
            release.insert("IsInstall", false);
        }
        let mut files = BTreeMap::new();
        execute(&root, &top, options, host, None, |path, text| {
            files.insert(path.to_owned(), text);
        })?;
        Ok(Some(files))
    })
}

/// The manifests of `crds/` of a chart and those of its subcharts that take part, given the user's values, with their
/// paths: they are installed before the chart is rendered.
pub fn definitions(chart: &Chart, values: &Table) -> Result<Vec<(String, File)>, RenderError> {
    let mut root = Node::of(chart);
    root.prepare(&coalesce::table(values), &mut Vec::new())
        .map_err(RenderError::Dependencies)?;
    let mut crds = Vec::new();
    add_crds(&root, root.name(), &mut crds);
    Ok(crds)
}

/// On a thread of its own, for the size of its stack.
fn apart<T: Send>(run: impl FnOnce() -> Result<T, RenderError> + Send) -> Result<T, RenderError> {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("helm-render".to_owned())
            .stack_size(STACK)
            .spawn_scoped(scope, run)
            .map_err(|error| RenderError::Run(error.to_string()))?
            .join()
            .map_err(|_| RenderError::Run("the renderer broke down".to_owned()))?
    })
}

fn here(
    chart: &Chart,
    values: &Table,
    options: &Options,
    host: &mut (dyn Host + Send),
    post: Option<&mut (dyn PostRender + Send)>,
    ahead: Option<&Ahead>,
) -> Result<Rendered, RenderError> {
    let mut warnings = Vec::new();
    let values = coalesce::table(values);
    let mut root = Node::of(chart);
    root.prepare(&values, &mut warnings)
        .map_err(RenderError::Dependencies)?;
    let top = top(&root, &values, options, &mut warnings)?;
    let wanted = &root.metadata.kube_version;
    let kube = &options.capabilities.kube_version;
    if !wanted.is_empty() && !tree::fits(wanted, &kube.normalized) {
        return Err(RenderError::KubeVersion {
            wanted: wanted.clone(),
            found: kube.version.clone(),
        });
    }
    let (files, sorted) = match post {
        None => execute_and_read(&root, &top, options, host, ahead)?,
        Some(post) => {
            let mut files = Files::new();
            execute(&root, &top, options, host, None, |path, text| {
                files.insert(path.to_owned(), Arc::new(text));
            })?;
            let notes = take_notes(&mut files);
            let mut files = postrender::run(files, post, options.strategy)?;
            let sorted = manifest::sort_shared(&files, Order::Install);
            files.extend(notes);
            (files, sorted)
        }
    };
    let sorted = match sorted {
        Ok(sorted) => sorted,
        Err(error) => {
            let files = files.into_iter().filter(|(path, _)| !is_notes(path)).collect();
            return Err(RenderError::Manifest { error, files });
        }
    };
    let notes = notes(&files, root.name(), options.subchart_notes);
    let mut crds = Vec::new();
    add_crds(&root, root.name(), &mut crds);
    Ok(Rendered {
        hooks: sorted.hooks,
        manifests: sorted.manifests,
        notes,
        crds,
        chart: ChartRecord::of(chart, &root),
        warnings,
    })
}

/// The values of the top chart with those of all charts, checked; and what all charts see.
fn top(root: &Node, values: &Map, options: &Options, warnings: &mut Vec<String>) -> Result<Map, RenderError> {
    let values = coalesce::copy_table(values);
    coalesce::coalesce(root, &values, Nulls::Delete, warnings).map_err(RenderError::Values)?;
    if !options.skip_schema {
        schema::check(root, &values, &options.origins).map_err(RenderError::Schema)?;
    }
    Ok(scope(values, options))
}

/// What all charts see: the release, the cluster, and the values of the top chart.
fn scope(values: Map, options: &Options) -> Map {
    let release = Map::new();
    release.insert("Name", options.name.as_str());
    release.insert("Namespace", options.namespace.as_str());
    release.insert("IsUpgrade", options.is_upgrade);
    release.insert("IsInstall", !options.is_upgrade);
    release.insert("Revision", weir_gotmpl::Value::int(options.revision));
    release.insert("Service", "Helm");
    let top = Map::new();
    top.insert("Release", release);
    top.insert("Capabilities", capabilities::capabilities(&options.capabilities));
    top.insert("Values", values.retyped(&VALUES));
    top
}

/// Executes all templates, while another thread reads what they have rendered; this one helps it once all are executed.
fn execute_and_read(
    root: &Node,
    top: &Map,
    options: &Options,
    host: &mut (dyn Host + Send),
    ahead: Option<&Ahead>,
) -> Result<(Files, Result<Sorted, ManifestError>), RenderError> {
    let (sender, receiver) = std::sync::mpsc::channel::<(String, String)>();
    let rendered = Mutex::new(receiver);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| read_all(&rendered));
        // Moved in here, so that it ends with this scope whatever happens: the reader waits for that.
        let sender = sender;
        let executed = execute(root, top, options, host, ahead, |path, text| {
            // The receiver lives as long as this scope.
            let _sent = sender.send((path.to_owned(), text));
        });
        drop(sender);
        let (mut files, mut read) = match executed {
            Ok(()) => read_all(&rendered),
            Err(error) => return Err(error),
        };
        let (more_files, more_read) = reader
            .join()
            .map_err(|_| RenderError::Run("the reader of manifests broke down".to_owned()))?;
        files.extend(more_files);
        read.extend(more_read);
        Ok((files, manifest::put_in_order(read, Order::Install)))
    })
}

/// What a file held, with its path.
type ReadFile = (String, Result<Sorted, ManifestError>);

/// Reads rendered files until no more can come.
fn read_all(rendered: &Mutex<Receiver<(String, String)>>) -> (Files, Vec<ReadFile>) {
    let mut files = Files::new();
    let mut read = Vec::new();
    let next = || {
        // A reader that broke down had taken its file; the rest is as it was.
        let rendered = rendered.lock().unwrap_or_else(PoisonError::into_inner);
        rendered.recv().ok()
    };
    while let Some((path, text)) = next() {
        let text = Arc::new(text);
        if !is_notes(&path) {
            read.push((path.clone(), manifest::read(&path, &text)));
        }
        files.insert(path, text);
    }
    (files, read)
}

/// A set for templates of charts, without any.
pub(crate) fn template_set() -> Set {
    Set::new(
        Arc::new(Functions::helm()),
        weir_gotmpl::Options {
            // Messages say it.
            name: "gotpl".to_owned(),
            missing_key: MissingKey::Zero,
            ..weir_gotmpl::Options::default()
        },
    )
}

/// Executes all templates, and hands on what each renders.
fn execute(
    root: &Node,
    top: &Map,
    options: &Options,
    host: &mut (dyn Host + Send),
    ahead: Option<&Ahead>,
    mut rendered: impl FnMut(&str, String),
) -> Result<(), RenderError> {
    let templates = context::templates(root, top);
    // The deepest first, so that what a chart defines replaces what its subcharts define.
    let mut paths: Vec<&String> = templates.keys().collect();
    paths.sort_by_cached_key(|path| std::cmp::Reverse((path.matches('/').count(), *path)));
    let mut set = ahead.map_or_else(template_set, Ahead::set);
    let texts: Vec<(&str, Arc<String>)> = paths
        .iter()
        .filter_map(|path| Some((path.as_str(), Arc::clone(&templates.get(*path)?.text))))
        .collect();
    let parsed = match ahead {
        Some(ahead) => ahead.parse_all(&mut set, &texts),
        None => set.parse_all(&texts),
    };
    parsed.map_err(|error| {
        let text = templates.get(&error.name).map_or("", |template| &template.text);
        RenderError::Template(TemplateError::parse(&error.name, text, &error))
    })?;
    let limits = Limits {
        stack: STACK - (4 << 20),
        ..Limits::default()
    };
    let mut env = Env::new(&set, host, &limits);
    for path in paths {
        let Some(template) = templates.get(path) else {
            continue;
        };
        if super::is_partial(path) {
            continue;
        }
        let about = Map::of(&VALUES);
        about.insert("Name", path.as_str());
        about.insert("BasePath", template.base.as_str());
        template.data.insert("Template", about);
        let text = env
            .execute_into(path, &template.data.clone().into(), printed)
            .map_err(|error| {
                RenderError::Template(TemplateError::exec(path, &error, &templates, &options.origins))
            })?;
        rendered(path, text);
    }
    Ok(())
}

/// What Go prints for a missing value, and Helm takes out.
const NO_VALUE: &str = "<no value>";

/// What a template wrote, as the text of a file.
fn printed(out: &[u8]) -> String {
    let text = match std::str::from_utf8(out) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Str::from_bytes(out).to_str().into_owned().into(),
    };
    if text.contains(NO_VALUE) {
        text.replace(NO_VALUE, "")
    } else {
        text.into_owned()
    }
}

fn is_notes(path: &str) -> bool {
    path.ends_with("NOTES.txt")
}

/// Takes the notes out of the rendered files.
fn take_notes(files: &mut Files) -> Files {
    let all = std::mem::take(files);
    let (notes, rest) = all.into_iter().partition(|(path, _)| is_notes(path));
    *files = rest;
    notes
}

/// The notes among rendered files: the chart's own, or those of subcharts too.
fn notes(files: &Files, chart: &str, with_subcharts: bool) -> String {
    let own = format!("{chart}/templates/NOTES.txt");
    let notes: Vec<&str> = files
        .iter()
        .filter(|(path, _)| is_notes(path) && (with_subcharts || **path == own))
        .map(|(_, text)| text.as_str())
        .collect();
    notes.join("\n")
}

fn add_crds(chart: &Node, path: &str, crds: &mut Vec<(String, File)>) {
    crds.extend(own_crds(&chart.files).map(|file| (format!("{path}/{}", file.name), file.clone())));
    for child in &chart.dependencies {
        add_crds(child, &format!("{path}/charts/{}", child.name()), crds);
    }
}
