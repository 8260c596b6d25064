//! Chart.yaml.

use weir_gotmpl::quoted;
use weir_semver::Version;

use super::{Findings, Folder, Node, Problem, Severity, Verdict, address, strict};
use crate::chart::{API_V1, API_V2, Metadata, decode};
use crate::values::convert;

const FILE: &str = "Chart.yaml";

/// Constraints begin above this version.
const LOWEST: &str = "0.0.0-0";

pub(super) fn check(folder: &dyn Folder, findings: &mut Findings) {
    let is_folder = folder.node(FILE) == Some(Node::Folder);
    let verdict = if is_folder {
        Err("should be a file, not a directory".into())
    } else {
        Ok(())
    };
    findings.rule(Severity::Error, FILE, verdict);
    let text = match folder.read(FILE) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(message) => {
            findings.rule(Severity::Error, FILE, Err(unreadable(message.into())));
            return;
        }
    };
    let (metadata, lines) = match read(&text) {
        Ok(read) => read,
        Err(message) => {
            let problem = unreadable(Problem::located(&message));
            findings.rule(Severity::Error, FILE, Err(problem));
            return;
        }
    };
    let metadata = &metadata;
    let mut rule = |severity, field: &str, verdict: Verdict| {
        let verdict = verdict.map_err(|problem| problem.at(lines.of(field)));
        findings.rule(severity, FILE, verdict);
    };
    rule(
        Severity::Warning,
        "",
        strict::check(lines.0.as_ref())
            .map_err(|problem| problem.behind("failed to strictly parse chart metadata file\n\t")),
    );
    rule(Severity::Error, "name", name(metadata));
    rule(Severity::Error, "apiVersion", api_version(metadata));
    rule(Severity::Error, "version", lines.is_text("version"));
    rule(Severity::Error, "version", version(metadata));
    rule(Severity::Error, "appVersion", lines.is_text("appVersion"));
    rule(Severity::Error, "maintainers", maintainers(metadata));
    rule(Severity::Error, "sources", sources(metadata));
    let icon = if metadata.icon.is_empty() {
        Err("icon is recommended".into())
    } else {
        Ok(())
    };
    rule(Severity::Info, "icon", icon);
    rule(Severity::Error, "icon", icon_address(metadata));
    rule(Severity::Error, "type", kind(metadata));
    rule(Severity::Error, "dependencies", dependencies(metadata));
    let verdict = match Version::parse_strict(&metadata.version) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("version '{}' is not a valid SemVerV2", metadata.version).into()),
    };
    rule(Severity::Warning, "version", verdict);
}

fn unreadable(problem: Problem) -> Problem {
    problem.behind("unable to parse YAML\n\t")
}

fn read(text: &str) -> Result<(Metadata, Lines), String> {
    let root = decode::document(text)?;
    let mut metadata = Metadata::default();
    if let Some(root) = &root {
        metadata.merge_node(root)?;
    }
    Ok((metadata, Lines(root)))
}

/// The document, for where its fields stand and what they are.
struct Lines(Option<weir_yaml::Node>);

impl Lines {
    /// The field of a name, spelled as it is: of several the last.
    fn entry(&self, field: &str) -> Option<&(weir_yaml::Node, weir_yaml::Node)> {
        let entries = self.0.as_ref()?.entries()?;
        entries
            .iter()
            .rev()
            .find(|(key, _)| key.as_str().is_some_and(|key| key == field))
    }

    fn of(&self, field: &str) -> Option<u32> {
        self.entry(field).map(|(key, _)| key.span().line)
    }

    /// A number would do for Helm's loader, but is not meant: 1.10 would become 1.1.
    fn is_text(&self, field: &str) -> Verdict {
        let Some((_, value)) = self.entry(field) else {
            return Ok(());
        };
        // Helm asks the whole document as JSON, and is silent where there is no JSON for it: `.inf`.
        if self.0.as_ref().is_some_and(|root| convert(root).is_err()) {
            return Ok(());
        }
        match decode::go_type(value) {
            "string" => Ok(()),
            other => Err(format!("{field} should be of type string but it's of type {other}").into()),
        }
    }
}

fn name(metadata: &Metadata) -> Verdict {
    if metadata.name.is_empty() {
        return Err("name is required".into());
    }
    if last_part(&metadata.name) != metadata.name {
        return Err(format!("chart name {} is invalid", quoted(&metadata.name)).into());
    }
    Ok(())
}

/// Go's `filepath.Base`.
fn last_part(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() {
        return "/";
    }
    trimmed.rsplit('/').next().unwrap_or(trimmed)
}

fn api_version(metadata: &Metadata) -> Verdict {
    const CHOICE: &str = "The value must be either \"v1\" or \"v2\"";
    match metadata.api_version.as_str() {
        API_V1 | API_V2 => Ok(()),
        "" => Err(format!("apiVersion is required. {CHOICE}").into()),
        other => Err(format!("apiVersion '{other}' is not valid. {CHOICE}").into()),
    }
}

fn version(metadata: &Metadata) -> Verdict {
    if metadata.version.is_empty() {
        return Err("version is required".into());
    }
    let Ok(version) = Version::parse(&metadata.version) else {
        return Err(format!("version '{}' is not a valid SemVer", metadata.version).into());
    };
    match Version::parse(LOWEST) {
        Ok(lowest) if version <= lowest => {
            Err(format!("version \"{version}\" is less than or equal to {LOWEST:?}").into())
        }
        _ => Ok(()),
    }
}

fn maintainers(metadata: &Metadata) -> Verdict {
    for maintainer in &metadata.maintainers {
        let Some(maintainer) = maintainer else {
            return Err("a maintainer entry is empty".into());
        };
        let (name, email, url) = (&maintainer.name, &maintainer.email, &maintainer.url);
        if name.is_empty() {
            return Err("each maintainer requires a name".into());
        }
        if !email.is_empty() && !address::is_email(email) {
            return Err(format!("invalid email '{email}' for maintainer '{name}'").into());
        }
        if !url.is_empty() && !address::is_url(url) {
            return Err(format!("invalid url '{url}' for maintainer '{name}'").into());
        }
    }
    Ok(())
}

fn sources(metadata: &Metadata) -> Verdict {
    match metadata
        .sources
        .iter()
        .find(|source| !address::is_request_url(source))
    {
        Some(source) => Err(format!("invalid source URL '{source}'").into()),
        None => Ok(()),
    }
}

fn icon_address(metadata: &Metadata) -> Verdict {
    let icon = &metadata.icon;
    if icon.is_empty() || address::is_request_url(icon) {
        return Ok(());
    }
    Err(format!("invalid icon URL '{icon}'").into())
}

fn kind(metadata: &Metadata) -> Verdict {
    let version = &metadata.api_version;
    if metadata.kind.is_empty() || version == API_V2 {
        return Ok(());
    }
    Err(
        format!("chart type is not valid in apiVersion '{version}'. It is valid in apiVersion '{API_V2}'")
            .into(),
    )
}

fn dependencies(metadata: &Metadata) -> Verdict {
    let version = &metadata.api_version;
    if metadata.dependencies.is_empty() || version == API_V2 {
        return Ok(());
    }
    Err(format!(
        "dependencies are not valid in the Chart file with apiVersion '{version}'. They are valid in apiVersion '{API_V2}'"
    )
    .into())
}
