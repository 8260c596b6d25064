//! A chart's folder on this machine, as the rules look into it.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use weir_helm::lint::{Folder, Node, words};
use weir_helm::{Chart, IGNORE_FILE, Ignore};

use super::super::source::{self, Tgz};

/// A chart's folder.
pub(super) struct Disk {
    /// From the root on, without links resolved.
    path: String,
    folder: PathBuf,
}

impl Disk {
    /// The folder at a path; an error in Helm's words if it holds no Chart.yaml.
    pub(super) fn open(path: &str) -> Result<Self, String> {
        let definition = clean(&Path::new(path).join("Chart.yaml"));
        match fs::metadata(&definition) {
            Ok(_) => Ok(Self {
                path: absolute(path),
                folder: PathBuf::from(absolute(path)),
            }),
            Err(error) => Err(format!(
                "unable to check Chart.yaml file in chart: stat {}: {}",
                definition.display(),
                go_error(&error)
            )),
        }
    }
}

impl Folder for Disk {
    fn path(&self) -> &str {
        &self.path
    }

    fn node(&self, name: &str) -> Option<Node> {
        let metadata = fs::metadata(self.folder.join(name)).ok()?;
        Some(if metadata.is_dir() {
            Node::Folder
        } else {
            Node::File
        })
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        let path = self.folder.join(name);
        fs::read(&path).map_err(|error| {
            let verb = if error.kind() == io::ErrorKind::IsADirectory {
                "read"
            } else {
                "open"
            };
            format!("{verb} {}: {}", path.display(), go_error(&error))
        })
    }

    fn chart(&self) -> Result<Chart, String> {
        let rules = fs::read(self.folder.join(IGNORE_FILE)).ok();
        let rules = rules.as_deref().map(String::from_utf8_lossy);
        // Helm says what is wrong with a rule, and not where.
        Ignore::of_chart(rules.as_deref()).map_err(|error| error.message)?;
        let files = source::folder(&self.folder).map_err(|error| error.message().to_owned())?;
        Chart::from_folder_of_any_format(files, &Tgz).map_err(|error| words(&error))
    }
}

/// What Go says of an error of the system's.
pub(super) fn go_error(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::NotADirectory => "not a directory".to_owned(),
        io::ErrorKind::IsADirectory => "is a directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// A path from the root on, without `.` and `..`.
pub(super) fn absolute(path: &str) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path));
    clean(&path).display().to_string()
}

/// Go's `filepath.Clean`: by the text alone.
pub(super) fn clean(path: &Path) -> PathBuf {
    let mut parts: Vec<Component<'_>> = Vec::new();
    for part in path.components() {
        match (part, parts.last()) {
            (Component::CurDir, _) | (Component::ParentDir, Some(Component::RootDir)) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    if parts.is_empty() {
        return PathBuf::from(".");
    }
    parts.iter().collect()
}
