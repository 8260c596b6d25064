//! `weir helm dependency build` and `update`.

use std::fs;
use std::path::Path;

use weir_charts::pack;
use weir_helm::{API_V1, Chart, Dependency, Lock};
use weir_semver::{Constraint, Version};

use super::super::pull::write;
use super::super::source::{self, Tgz};
use super::Fetching;
use super::fetch::Market;
use super::repositories::{self, Known};
use super::resolve::{Origin, origin, resolve};
use crate::global::Context;
use crate::{CommandError, Exit, run::Result};

pub(super) async fn run(cx: &mut Context<'_>, fetching: &Fetching, is_update: bool) -> Result {
    let folder = fetching.chart.as_path();
    if !folder.is_dir() {
        let message = if folder.exists() {
            "only unpacked charts can be updated".to_owned()
        } else {
            format!("could not find {}: no such file or directory", folder.display())
        };
        return Err(CommandError::user(message).hint("name the chart's folder"));
    }
    let chart = source::load(folder)?;
    let declared: Vec<Dependency> = chart.metadata.dependencies.iter().flatten().cloned().collect();
    let is_old = chart.metadata.api_version == API_V1;
    let known = repositories::read(cx)?;
    let lock = chart.lock.as_ref().filter(|_| !is_update);
    if lock.is_none() && declared.is_empty() {
        return Ok(Exit::Success);
    }
    let wanted = named(&declared, &known)?;
    let mut market = Market::new(&fetching.asking);
    let some = |list: &[Dependency]| list.iter().cloned().map(Some).collect::<Vec<_>>();
    if let Some(lock) = lock {
        let digest = Lock::digest_of(&some(&wanted), &lock.dependencies);
        if digest != lock.digest && !(is_old && Lock::digest_of_helm2(&some(&declared)) == lock.digest) {
            let message = if is_old {
                "the lock file (requirements.lock) is out of sync with the dependencies file (requirements.yaml). Please update the dependencies"
            } else {
                "the lock file (Chart.lock) is out of sync with the dependencies file (Chart.yaml). Please update the dependencies with 'helm dependency update'"
            };
            return Err(CommandError::user(message)
                .hint(format!("`weir helm dependency update {}`", folder.display())));
        }
        let mut locked: Vec<Dependency> = lock.dependencies.iter().flatten().cloned().collect();
        market.open(cx, &locked, &known, fetching.skip_refresh).await?;
        save(cx, folder, &mut locked, &market).await?;
        return Ok(Exit::Success);
    }
    market.open(cx, &wanted, &known, fetching.skip_refresh).await?;
    let mut locked = resolve(cx, folder, &wanted, &market).await?;
    save(cx, folder, &mut locked, &market).await?;
    let digest = Lock::digest_of(&some(&wanted), &some(&locked));
    if chart.lock.as_ref().is_some_and(|old| old.digest == digest) {
        return Ok(Exit::Success);
    }
    let lock = Lock {
        generated: cx.io.now().to_string(),
        digest,
        dependencies: some(&locked),
    };
    let name = if is_old { "requirements.lock" } else { "Chart.lock" };
    // N08: what is written never follows a link.
    let path = folder.join(name);
    if let Ok(target) = fs::read_link(&path) {
        let target = target.display().to_string();
        return Err(CommandError::user(format!(
            "the {name} file is a symlink to {target:?}"
        )));
    }
    write(folder, name, lock.to_yaml().as_bytes())?;
    Ok(Exit::Success)
}

/// The dependencies with addresses in place of names of repositories.
fn named(declared: &[Dependency], known: &[Known]) -> Result<Vec<Dependency>> {
    let mut named = declared.to_vec();
    let mut missing = Vec::new();
    for one in &mut named {
        let repository = one.repository.clone();
        let name = repository
            .strip_prefix('@')
            .or_else(|| repository.strip_prefix("alias:"));
        match name {
            Some(name) => match known.iter().find(|known| known.name == name) {
                Some(found) => one.repository.clone_from(&found.url),
                None => missing.push(repository),
            },
            None if repository.is_empty() || repository.contains("://") || repository.starts_with('/') => {}
            None => missing.push(repository),
        }
    }
    if missing.is_empty() {
        return Ok(named);
    }
    let is_word =
        |name: &String| !name.contains("//") && !name.starts_with('@') && !name.starts_with("alias:");
    let mut message = format!(
        "no repository definition for {}. Please add them via 'helm repo add'",
        missing.join(", ")
    );
    if missing.iter().any(is_word) {
        message.push_str("\nNote that repositories must be URLs or aliases. For example, to refer to the \"example\"\nrepository, use \"https://charts.example.com/\" or \"@example\" instead of\n\"example\". Don't forget to add the repo, too ('helm repo add').");
    }
    Err(CommandError::user(message))
}

/// Brings charts/ to what is locked: everything is fetched before anything is written.
async fn save(
    cx: &mut Context<'_>,
    folder: &Path,
    locked: &mut [Dependency],
    market: &Market<'_>,
) -> Result<()> {
    let charts = folder.join("charts");
    if charts.exists() && !charts.is_dir() {
        let shown = charts.display().to_string();
        return Err(CommandError::user(format!("{shown:?} is not a directory")));
    }
    fs::create_dir_all(&charts).map_err(|error| CommandError::file("create", &charts, &error))?;
    cx.io.print(&format!("Saving {} charts\n", locked.len()))?;
    let mut files = Vec::new();
    let mut done = Vec::new();
    for one in locked.iter_mut() {
        add(cx, folder, one, market, &mut files, &mut done).await?;
    }
    for (name, content) in &files {
        write(&charts, name, content)?;
    }
    cx.io.print("Deleting outdated charts\n")?;
    for entry in fs::read_dir(&charts).map_err(|error| CommandError::file("read", &charts, &error))? {
        let path = entry
            .map_err(|error| CommandError::file("read", &charts, &error))?
            .path();
        let is_new = files
            .iter()
            .any(|(name, _)| path.file_name().is_some_and(|own| own == name.as_str()));
        if path.is_dir() || is_new {
            continue;
        }
        match source::load(&path) {
            // What is no chart is not ours to remove.
            Err(_) => cx.io.print(&format!(
                "Could not verify {} for deletion (Skipping)\n",
                path.display()
            ))?,
            Ok(found) => {
                let is_local = |one: &Dependency| one.repository.is_empty() && one.name == found.name();
                if !locked.iter().any(is_local) {
                    fs::remove_file(&path).map_err(|error| CommandError::file("remove", &path, &error))?;
                }
            }
        }
    }
    Ok(())
}

/// Gets one dependency.
async fn add(
    cx: &mut Context<'_>,
    folder: &Path,
    one: &mut Dependency,
    market: &Market<'_>,
    files: &mut Vec<(String, bytes::Bytes)>,
    done: &mut Vec<String>,
) -> Result<()> {
    let fits = |found: &Chart, range: &str| {
        let version = Version::parse(&found.metadata.version);
        let range = Constraint::parse(range);
        matches!((range, version), (Ok(range), Ok(version)) if range.matches(&version))
    };
    let origin = origin(folder, one)?;
    match &origin {
        Origin::Here => {
            cx.io.print(&format!(
                "Dependency {} did not declare a repository. Assuming it exists in the charts directory\n",
                one.name
            ))?;
            let found = source::load(&folder.join("charts").join(&one.name))?;
            if !fits(&found, &one.version) {
                return Err(CommandError::user(format!(
                    "dependency {} at version {} does not satisfy the constraint {}",
                    one.name, found.metadata.version, one.version
                )));
            }
        }
        Origin::Folder(path) => {
            let found = source::load(path)?;
            if !fits(&found, &one.version) {
                return Err(CommandError::user(format!(
                    "can't get a valid version for dependency {}",
                    one.name
                )));
            }
            let packed = pack(&found, cx.io.now()).map_err(|error| CommandError::user(error.to_string()))?;
            one.version.clone_from(&found.metadata.version);
            files.push((format!("{}-{}.tgz", found.name(), found.metadata.version), packed));
        }
        Origin::Registry(_) | Origin::Index => {
            let Some((name, archive, said)) = market.fetch(cx, one, &origin, done).await? else {
                cx.io.print(&format!(
                    "Already downloaded {} from repo {}\n",
                    one.name, one.repository
                ))?;
                return Ok(());
            };
            cx.io.print(&format!(
                "Downloading {} from repo {}\n",
                one.name, one.repository
            ))?;
            cx.io.print(&said)?;
            Chart::from_archive(&archive, &Tgz).map_err(|error| {
                CommandError::user(format!("{name} from {} is no chart: {error}", one.repository))
            })?;
            files.push((name, archive));
        }
    }
    Ok(())
}
