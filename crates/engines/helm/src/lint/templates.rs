//! What the templates render.

use weir_gotmpl::{Host, quoted};

use super::documents::{Documents, Head};
use super::{Finding, Findings, Folder, LintOptions, Loaded, Node, Problem, Severity, Verdict};
use super::{deprecation, names};
use crate::capabilities::Capabilities;
use crate::chart::decode::{self, Fields};
use crate::chart::json::Type;
use crate::render::{self, RenderError, TemplateError};
use crate::values::Table;

const FOLDER: &str = "templates/";
/// The release that charts are linted for.
const RELEASE: &str = "test-release";
/// Kinds whose objects choose pods by labels.
const SELECTING: [&str; 4] = ["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"];
/// What a list is read into.
const LISTED: Type = Type::Fields(&[(
    "Items",
    Type::List(&Type::Fields(&[(
        "Metadata",
        Type::Fields(&[("Annotations", Type::Texts)]),
    )])),
)]);
/// Go reads no longer lines at once.
const MAX_LINE: usize = 64 << 10;

pub(super) fn check(
    folder: &dyn Folder,
    chart: Loaded<'_>,
    values: &Table,
    options: &LintOptions,
    host: &mut (dyn Host + Send),
    findings: &mut Findings,
) {
    let node = folder.node("templates");
    let exists = match node {
        None => Err("directory does not exist".into()),
        Some(_) => Ok(()),
    };
    if !findings.rule(Severity::Warning, FOLDER, exists) {
        return;
    }
    let is_folder = match node {
        Some(Node::File) => Err("not a directory".into()),
        _ => Ok(()),
    };
    if !findings.rule(Severity::Error, FOLDER, is_folder) {
        return;
    }
    let Some(chart) = findings.loaded(FOLDER, chart) else {
        return;
    };
    let mut capabilities = Capabilities::without_cluster();
    if let Some(version) = &options.kube_version {
        capabilities.kube_version = version.clone();
    }
    let cluster = capabilities.kube_version.clone();
    let options = render::Options {
        revision: 0,
        capabilities,
        skip_schema: options.skip_schema,
        ..render::Options::new(RELEASE, options.namespace.as_str())
    };
    let rendered = match render::lint(chart, values, &options, host) {
        Ok(Some(rendered)) => rendered,
        // Helm is silent where values for a subchart are no table.
        Ok(None) => return,
        Err(error) => {
            findings.0.push(failed(chart.name(), &error));
            return;
        }
    };
    for file in chart.templates.iter() {
        let path = file.name.as_str();
        findings.rule(Severity::Error, path, extension(path));
        if !is_yaml(path) {
            continue;
        }
        let content = rendered.get(&format!("{}/{path}", chart.name()));
        let content = content.map_or("", String::as_str);
        if content.trim().is_empty() {
            continue;
        }
        findings.rule(Severity::Warning, path, top_indent(content));
        for document in Documents::of(content) {
            let head = match document {
                Ok(Some(head)) => head,
                Ok(None) => continue,
                Err(problem) => {
                    // Lines are those of what was rendered, not of the template.
                    let problem = Problem::from(format!("unable to parse YAML: {}", problem.message));
                    findings.rule(Severity::Error, path, Err(problem));
                    return;
                }
            };
            findings.rule(Severity::Warning, path, names::check(&head));
            findings.rule(Severity::Warning, path, deprecation::check(&head, &cluster));
            findings.rule(Severity::Error, path, selector(&head, content));
            findings.rule(Severity::Error, path, list_annotations(&head, content));
        }
    }
}

/// A render that failed, with the place in the template where that is known.
fn failed(chart: &str, error: &RenderError) -> Finding {
    let place = match error {
        RenderError::Template(TemplateError { callers, .. }) => callers.last(),
        _ => None,
    };
    let message = match error {
        RenderError::Template(error) => error.message.clone(),
        other => other.to_string(),
    };
    let file = place.map(|place| {
        let own = place
            .file
            .strip_prefix(chart)
            .and_then(|file| file.strip_prefix('/'));
        own.unwrap_or(&place.file).to_owned()
    });
    Finding {
        severity: Severity::Error,
        path: FOLDER.to_owned(),
        message,
        line: place.and_then(|place| u32::try_from(place.line).ok()),
        file,
    }
}

/// Go's `filepath.Ext`: from the last dot of the last part on.
fn ending(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rfind('.').and_then(|at| name.get(at..)).unwrap_or_default()
}

fn extension(path: &str) -> Verdict {
    match ending(path) {
        ".yaml" | ".yml" | ".tpl" | ".txt" => Ok(()),
        other => Err(format!(
            "file extension '{other}' not valid. Valid extensions are .yaml, .yml, .tpl, or .txt"
        )
        .into()),
    }
}

fn is_yaml(path: &str) -> bool {
    matches!(ending(path).to_lowercase().as_str(), ".yaml" | ".yml")
}

/// The first line that is not blank must not be indented: a template has put white space before it.
fn top_indent(content: &str) -> Verdict {
    for line in content.lines() {
        if line.len() >= MAX_LINE {
            return Err("bufio.Scanner: token too long".into());
        }
        if line.trim().is_empty() {
            continue;
        }
        if line.starts_with([' ', '\t']) {
            return Err(format!(
                "document starts with an illegal indent: {}, which may cause parsing problems",
                quoted(line)
            )
            .into());
        }
        break;
    }
    Ok(())
}

/// Whether labels are chosen somewhere in the file.
fn selector(head: &Head, content: &str) -> Verdict {
    let is_there = content.contains("matchLabels") || content.contains("matchExpressions");
    if is_there || !SELECTING.contains(&head.kind.as_str()) {
        return Ok(());
    }
    let (kind, name) = (&head.kind, quoted(&head.name));
    Err(format!("a {kind} must contain matchLabels or matchExpressions, and {name} does not").into())
}

/// Policies of the objects in a list have no effect.
fn list_annotations(head: &Head, content: &str) -> Verdict {
    if head.kind != "List" {
        return Ok(());
    }
    let is_kept = policies(content).map_err(|message| {
        Problem::located(&message)
            .behind("unable to parse YAML: ")
            .message
    })?;
    if is_kept {
        return Err("annotation 'helm.sh/resource-policy' within List objects are ignored".into());
    }
    Ok(())
}

/// Whether an object in the list of a stream's first document has the annotation.
fn policies(content: &str) -> Result<bool, String> {
    const LIST: &str = "[]struct { Metadata struct { Annotations map[string]string } }";
    const ITEM: &str = "struct { Metadata struct { Annotations map[string]string } }";
    const METADATA: &str = "struct { Annotations map[string]string }";
    let Some(node) = decode::document(content)? else {
        return Ok(false);
    };
    // Into JSON first, and only then into fields: what there is no JSON for is an error wherever it stands.
    LISTED.check(&node)?;
    let fields = Fields::of(
        &node,
        "",
        "struct { Items []struct { Metadata struct { Annotations map[string]string } } }",
    )?;
    let items = fields.list("Items", LIST, |has: &mut bool, item, place| {
        let item = Fields::of(item, place, ITEM)?;
        if let Some(metadata) = item.fields("Metadata", ".Items.Metadata", METADATA)? {
            let annotations = metadata.text_map("Annotations")?;
            *has = annotations.contains_key("helm.sh/resource-policy");
        }
        Ok(())
    })?;
    Ok(items.into_iter().flatten().any(|has| has))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compared by hand with `helm lint` of Helm 4.2.4: what a manifest takes for a text a list need not.
    #[test]
    fn a_list_is_read_by_way_of_json() {
        let list = |content: &str| {
            let head = Head {
                kind: "List".to_owned(),
                ..Head::default()
            };
            list_annotations(&head, content).map_err(|problem| problem.message)
        };
        for (content, said) in [
            ("apiVersion: .inf\nkind: List\n", "json: unsupported value: +Inf"),
            (
                "kind: List\nmetadata: {name: .nan}\nitems: []\n",
                "json: unsupported value: NaN",
            ),
            (
                "kind: A\nmetadata: {name: -.inf}\n---\nkind: List\nmetadata: {name: a}\n",
                "json: unsupported value: -Inf",
            ),
        ] {
            let message = list(content).unwrap_err();
            let begin = "unable to parse YAML: error converting YAML to JSON: ";
            assert!(
                message.starts_with(begin) && message.ends_with(said),
                "{content}: {message}"
            );
        }
        assert_eq!(
            list("kind: List\nitems: [{metadata: {annotations: {helm.sh/resource-policy: ~}}}]\n"),
            Err("annotation 'helm.sh/resource-policy' within List objects are ignored".to_owned())
        );
        // Of a stream the first document alone is looked at.
        assert_eq!(
            list("kind: List\nitems: [{metadata: {annotations: {a: b}}}]\n---\nname: .inf\n"),
            Ok(())
        );
    }
}
