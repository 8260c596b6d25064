//! `weir kustomize build`.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::Value;
use weir_kustomize::{
    Charts, ErrorKind, FILE_NAMES, LoadRestrictions, Options, Printed, Resources, build, build_with_charts,
    print,
};
use weir_schema::{GroupVersionKind, Schemas};

use super::charts::Renderer;
use super::open::{Opened, open};
use super::place::locate;
use crate::global::Context;
use crate::{CommandError, Exit, Kind, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir kustomize build                          # the folder we are in
  weir kustomize build clusters/production
  weir kustomize build base -o manifests.yaml   # or a folder: a file an object
  weir kustomize build web --enable-helm        # charts in the tree are rendered, by weir itself

Nothing is fetched and no program is run, whatever a kustomization asks for.";

/// Print what a kustomization makes of its resources
///
/// The output is that of kustomize v5.8.1.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Build {
    /// Folder with a kustomization file
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Write to this file, or into this folder a file for each object
    #[arg(short, long, value_name = "FILE|DIR")]
    output: Option<PathBuf>,
    /// Whether files may be loaded from outside the folder of their kustomization
    #[arg(long, value_enum, default_value_t, value_name = "RULE")]
    load_restrictor: Restrictor,
    /// Order of the output where the kustomization file has no `sortOptions`
    #[arg(long, value_enum, default_value_t, value_name = "ORDER")]
    reorder: Reorder,
    /// Add the label `app.kubernetes.io/managed-by`
    #[arg(long)]
    enable_managedby_label: bool,
    /// Render the charts that `helmCharts` lists; they must lie in the tree. No helm program is run
    #[arg(long)]
    enable_helm: bool,
    /// API versions that charts see besides the built-in ones, where the kustomization names none
    #[arg(
        long,
        value_name = "VERSION",
        requires = "enable_helm",
        hide_short_help = true
    )]
    helm_api_versions: Vec<String>,
    /// Kubernetes version that charts see, where the kustomization names none
    #[arg(
        long,
        value_name = "VERSION",
        requires = "enable_helm",
        hide_short_help = true
    )]
    helm_kube_version: Option<String>,
    /// Known for the sake of scripts: what charts render is printed in any case, and errors say the way
    #[arg(long, hide = true)]
    helm_debug: bool,
    /// Known for the sake of scripts: an error always says the way to it
    #[arg(long, hide = true)]
    stack_trace: bool,
    #[command(flatten)]
    refused: Refused,
}

/// Flags of kustomize that would run programs or read the environment. They are known in order to be refused with
/// the reason.
#[derive(Debug, Args)]
struct Refused {
    #[arg(long, hide = true, value_name = "COMMAND")]
    helm_command: Option<String>,
    #[arg(long, hide = true)]
    enable_alpha_plugins: bool,
    #[arg(long, hide = true)]
    enable_exec: bool,
    #[arg(long, hide = true)]
    network: bool,
    #[arg(long, hide = true, value_name = "NAME")]
    network_name: Option<String>,
    #[arg(long, hide = true, value_name = "MOUNT")]
    mount: Vec<String>,
    #[arg(short = 'e', long, hide = true, value_name = "NAME=VALUE")]
    env: Vec<String>,
    #[arg(long, hide = true)]
    as_current_user: bool,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(super) enum Restrictor {
    /// Only files in or below the folder of their kustomization
    #[default]
    #[value(name = "LoadRestrictionsRootOnly")]
    RootOnly,
    /// Any file of this machine
    #[value(name = "LoadRestrictionsNone")]
    None,
}

impl From<Restrictor> for LoadRestrictions {
    fn from(restrictor: Restrictor) -> Self {
        match restrictor {
            Restrictor::RootOnly => Self::RootOnly,
            Restrictor::None => Self::None,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Reorder {
    /// Namespaces and definitions first, webhooks last
    #[default]
    Legacy,
    /// As the resources are listed
    None,
}

impl Refused {
    fn check(&self) -> Result<()> {
        let given = [
            (
                "--helm-command",
                self.helm_command.is_some(),
                "it would run that program; charts are rendered without one",
            ),
            (
                "--enable-alpha-plugins",
                self.enable_alpha_plugins,
                "plugins are programs, and none is ever run",
            ),
            (
                "--enable-exec",
                self.enable_exec,
                "it would run programs that the kustomization names",
            ),
            (
                "--network",
                self.network || self.network_name.is_some(),
                "functions in containers are never run",
            ),
            (
                "--mount",
                !self.mount.is_empty(),
                "functions in containers are never run",
            ),
            (
                "--env",
                !self.env.is_empty(),
                "functions in containers are never run",
            ),
            (
                "--as-current-user",
                self.as_current_user,
                "functions in containers are never run",
            ),
        ];
        match given.iter().find(|(_, given, _)| *given) {
            None => Ok(()),
            Some((flag, _, why)) => Err(CommandError::usage(format!("`{flag}` is refused: {why}"))
                .hint("a build that only reads its files gives the same result everywhere; use kustomize itself for the rest")),
        }
    }
}

impl Build {
    pub(crate) fn run(self, cx: &mut Context<'_>) -> Result {
        self.refused.check()?;
        let Opened {
            folder,
            files,
            directory,
        } = open(&self.folder)?;
        let options = Options {
            load_restrictions: self.load_restrictor.into(),
            reorder: match self.reorder {
                Reorder::None => weir_kustomize::Reorder::None,
                Reorder::Legacy => weir_kustomize::Reorder::Legacy,
            },
            add_managed_by_label: self.enable_managedby_label,
        };
        let renderer = self.enable_helm.then(|| Renderer {
            now: cx.io.now(),
            kube_version: self.helm_kube_version,
            api_versions: self.helm_api_versions,
        });
        let charts = renderer.as_ref().map(|renderer| renderer as &dyn Charts);
        let failed = |error: weir_kustomize::Error| explain(&self.folder, &folder, &error);
        if let Some(path) = self.output.as_ref().filter(|path| path.is_dir()) {
            let built = match charts {
                Some(charts) => build_with_charts(&files, &directory, &options, charts),
                None => build(&files, &directory, &options),
            };
            let resources = built.map_err(failed)?;
            warn(cx, resources.warnings());
            write_each(path, &resources)?;
            return Ok(Exit::Success);
        }
        let printed = print(&files, &directory, &options, charts).map_err(failed)?;
        warn(cx, printed.warnings());
        match &self.output {
            None => printed.parts().try_for_each(|part| cx.io.print(part))?,
            Some(path) => write(path, &printed).map_err(|error| CommandError::file("write", path, &error))?,
        }
        Ok(Exit::Success)
    }
}

fn warn(cx: &mut Context<'_>, warnings: &[String]) {
    for warning in warnings {
        cx.io.talk(&format!("warning: {warning}"));
    }
}

fn write(path: &Path, printed: &Printed) -> io::Result<()> {
    let mut file = io::BufWriter::new(fs::File::create(path)?);
    for part in printed.parts() {
        file.write_all(part.as_bytes())?;
    }
    file.flush()
}

/// The engine's error with what a person can do about it, and the place if it says one.
pub(super) fn explain(given: &Path, folder: &Path, error: &weir_kustomize::Error) -> CommandError {
    let message = format!("cannot build {}", given.display());
    let mut converted = CommandError::caused(Kind::User, message, error);
    let mut places = error.places();
    // The text of a parser's error leads further in than the field that named the file.
    let innermost = if let Some((named, line, column)) = place(&error.chain())
        && let Some(path) = file(folder, &named)
        && let Ok(content) = fs::read_to_string(&path)
    {
        converted = converted.at(&shown(given, folder, &path), line, column, Some(&content));
        None
    } else {
        places.pop()
    };
    if let Some(place) = innermost
        && let Some(found) = locate(place)
    {
        let file = shown(given, folder, Path::new(&place.file));
        converted = converted.at(&file, found.line, found.column, Some(&found.content));
    }
    for place in places.iter().rev() {
        let file = shown(given, folder, Path::new(&place.file));
        if let Some(found) = locate(place).filter(|found| found.line > 0) {
            converted = converted.via(format!("{file}:{}:{}", found.line, found.column));
        }
    }
    if let Some(help) = error.help() {
        converted = converted.hint(help);
    }
    // A path that is refused as a file is tried as a folder, so the first failure may hide in the text.
    let kind = if error.chain().contains("security; file") {
        ErrorKind::Security
    } else {
        error.kind()
    };
    match kind {
        ErrorKind::NotFound if error.help().is_some() => converted,
        ErrorKind::NotFound => converted.hint("check the path: it counts from the folder of the kustomization file"),
        ErrorKind::Security => converted.hint(
            "move the file below its kustomization, or allow it with `--load-restrictor LoadRestrictionsNone`",
        ),
        ErrorKind::Remote => converted.hint("copy what is remote into the tree, so that the build is the same every time"),
        ErrorKind::Plugin => converted.hint("render its output into a file, and list that as a resource"),
        ErrorKind::Cycle => converted.hint("take one of the folders out of `resources` of the other"),
        ErrorKind::Invalid => converted,
    }
}

/// A path as the person would write it: from the folder that was given on.
pub(super) fn shown(given: &Path, folder: &Path, path: &Path) -> String {
    let up = folder.ancestors().enumerate();
    for (levels, above) in up.take(4) {
        if let Ok(rest) = path.strip_prefix(above) {
            let mut shown = given.to_owned();
            shown.extend(std::iter::repeat_n("..", levels));
            return shown.join(rest).display().to_string();
        }
    }
    path.display().to_string()
}

/// The file that a message names: itself, or the kustomization file in a folder.
fn file(folder: &Path, named: &str) -> Option<PathBuf> {
    let path = folder.join(named);
    let inside = FILE_NAMES.iter().map(|name| path.join(name));
    std::iter::once(path.clone())
        .chain(inside)
        .find(|path| path.is_file())
}

/// `line 3, column 5` and the file named nearest to it in a message.
fn place(message: &str) -> Option<(String, usize, usize)> {
    let (before, after) = message.rsplit_once("line ")?;
    let number = |text: &str| -> Option<usize> {
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    let line = number(after)?;
    let column = after
        .split_once("column ")
        .and_then(|(_, rest)| number(rest))
        .unwrap_or(1);
    // Paths stand in quotes; the last one before the place is the innermost.
    let is_path = |part: &&str| part.contains(['.', '/']) && !part.contains([' ', ':']);
    let quotes = ['\'', '"'];
    let file = before
        .rsplit(quotes)
        .find(is_path)
        .or_else(|| after.rsplit(quotes).find(is_path))?;
    Some((file.to_owned(), line, column))
}

/// A file for each object, named as kustomize names them.
fn write_each(folder: &Path, resources: &Resources) -> Result<()> {
    let schemas = Schemas::builtin();
    let mut namespaces = BTreeSet::new();
    let mut objects = Vec::new();
    for object in resources.to_json_objects() {
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let gvk = GroupVersionKind::from_api_version(&text("/apiVersion"), &text("/kind"));
        // Types that nobody knows count as namespaced.
        let namespace = schemas.is_namespaced(&gvk).unwrap_or(true).then(|| {
            let namespace = text("/metadata/namespace");
            if namespace.is_empty() {
                "default".to_owned()
            } else {
                namespace
            }
        });
        namespaces.extend(namespace.clone());
        let parts = [gvk.group, gvk.version, gvk.kind, text("/metadata/name")];
        let name: Vec<String> = parts
            .iter()
            .filter(|part| !part.is_empty())
            .map(|part| part.to_lowercase())
            .collect();
        objects.push((namespace, name.join("_"), object));
    }
    let mut written = BTreeSet::new();
    for (namespace, name, object) in objects {
        let prefix = match namespace {
            Some(namespace) if namespaces.len() > 1 => format!("{}_", namespace.to_lowercase()),
            _ => String::new(),
        };
        let name = format!("{prefix}{name}.yaml");
        // A name comes from the tree that is built, and must stay in the folder.
        if name.contains(['/', '\\']) {
            return Err(CommandError::user(format!(
                "`{name}` cannot be the name of a file"
            )));
        }
        if !written.insert(name.clone()) {
            return Err(CommandError::user(format!(
                "two objects would be written to {name}"
            )));
        }
        let path = folder.join(&name);
        fs::write(&path, weir_yaml::emit::sigs(&object))
            .map_err(|error| CommandError::file("write", &path, &error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_in_a_message_is_found() {
        let message =
            "accumulating resources from 'deploy.yaml': MalformedYAMLError: yaml: line 3, column 5: bad";
        assert_eq!(place(message), Some(("deploy.yaml".to_owned(), 3, 5)));
        assert_eq!(place("no place here"), None);
        assert_eq!(place("line x of 'a.yaml'"), None);
    }
}
