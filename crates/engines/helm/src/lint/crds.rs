//! The definitions in crds/.

use super::documents::{Documents, Head};
use super::{Findings, Folder, Loaded, Node, Severity, Verdict};

const FOLDER: &str = "crds/";

pub(super) fn check(folder: &dyn Folder, chart: Loaded<'_>, findings: &mut Findings) {
    let verdict = match folder.node("crds") {
        None => return,
        Some(Node::Folder) => Ok(()),
        Some(Node::File) => Err("not a directory".into()),
    };
    if !findings.rule(Severity::Error, FOLDER, verdict) {
        return;
    }
    let Some(chart) = findings.loaded(FOLDER, chart) else {
        return;
    };
    for crd in chart.crds() {
        let file = &crd.file.name;
        // Those of subcharts are named as if they were the chart's own; their lines are not.
        let is_own = crd.path == format!("{}/{file}", chart.name());
        let from = findings.0.len();
        let goes_on = check_file(file, &crd.file.text(), findings);
        for finding in findings.0.iter_mut().skip(from).filter(|_| !is_own) {
            finding.file = None;
            finding.line = None;
        }
        if !goes_on {
            return;
        }
    }
}

fn check_file(file: &str, text: &str, findings: &mut Findings) -> bool {
    for document in Documents::of(text) {
        let head = match document {
            Ok(head) => head,
            Err(problem) => {
                let problem = problem.behind("unable to parse YAML: ");
                return findings.rule(Severity::Error, file, Err(problem));
            }
        };
        if let Some(head) = head {
            findings.rule(Severity::Error, file, version(&head));
            findings.rule(Severity::Error, file, kind(&head));
        }
    }
    true
}

fn version(head: &Head) -> Verdict {
    if head.api_version.starts_with("apiextensions.k8s.io") {
        return Ok(());
    }
    Err(super::Problem::from("apiVersion is not in 'apiextensions.k8s.io'").at(head.line))
}

fn kind(head: &Head) -> Verdict {
    if head.kind == "CustomResourceDefinition" {
        return Ok(());
    }
    Err(super::Problem::from("object kind is not 'CustomResourceDefinition'").at(head.line))
}
