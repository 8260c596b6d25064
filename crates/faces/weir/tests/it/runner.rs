//! A runner of steps: what of GitHub Actions and GitLab's CI the files in `examples/actions` use, and nothing else. What it does
//! not know stops the test.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use tokio::process::Command;
use weir_yaml::{Dialect, parse_all, to_json};

use crate::outside::{Outside, Variables, run};

type Texts = BTreeMap<String, String>;

/// What a job left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) success: bool,
    /// What the steps said.
    pub(crate) said: String,
    pub(crate) outputs: Texts,
}

impl Ended {
    /// The outputs of a job that must have succeeded.
    #[track_caller]
    pub(crate) fn outputs(self) -> Texts {
        assert!(self.success, "{}", self.said);
        self.outputs
    }

    /// What a job that must have failed said.
    #[track_caller]
    pub(crate) fn failure(self) -> String {
        assert!(!self.success, "{}", self.said);
        self.said
    }
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../examples/actions")
        .join(name)
}

fn documents(path: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(path).expect("reads");
    let documents = parse_all(&text).expect("YAML");
    let roots = documents.iter().filter_map(|one| one.root.as_ref());
    roots
        .map(|root| to_json(root, Dialect::Sigs).expect("JSON"))
        .collect()
}

fn pairs(value: &serde_json::Value) -> impl Iterator<Item = (&String, &serde_json::Value)> {
    value.as_object().into_iter().flatten()
}

/// What was given for the inputs that are declared, and the defaults of the others.
fn inputs(declared: &serde_json::Value, given: &[(&str, &str)]) -> Texts {
    let mut inputs = Texts::new();
    for (name, about) in pairs(declared) {
        let given = given.iter().find(|(one, _)| one == name).map(|(_, value)| *value);
        let value = given.or(about["default"].as_str());
        let value = value.unwrap_or_else(|| panic!("the input {name} is missing"));
        inputs.insert(name.clone(), value.to_owned());
    }
    for (name, _) in given {
        assert!(inputs.contains_key(*name), "there is no input {name}");
    }
    inputs
}

/// Puts values in the places of expressions between `open` and `close`.
fn fill(text: &str, open: &str, close: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(open) {
        let (expression, after) = after.split_once(close).expect("an end");
        let expression = expression.trim();
        filled.push_str(before);
        filled.push_str(&value(expression).unwrap_or_else(|| panic!("cannot tell {expression}")));
        rest = after;
    }
    filled + rest
}

/// `name=value` lines.
fn lines(path: &Path) -> Texts {
    let text = fs::read_to_string(path).unwrap_or_default();
    let pair = |line: &str| {
        let (name, value) = line
            .split_once('=')
            .unwrap_or_else(|| panic!("no name=value: {line}"));
        (name.to_owned(), value.to_owned())
    };
    text.lines().map(pair).collect()
}

/// Runs a composite action of GitHub in a job with these variables.
pub(crate) async fn github(
    outside: &Outside,
    action: &str,
    given: &[(&str, &str)],
    job: &Variables,
) -> Ended {
    let [action] = documents(&example(action).join("action.yml"))
        .try_into()
        .expect("one document");
    let inputs = inputs(&action["inputs"], given);
    let runs = &action["runs"];
    assert_eq!(runs["using"], "composite");
    let files = tempfile::tempdir().expect("a folder");
    let (output, environment) = (files.path().join("output"), files.path().join("env"));
    let mut steps: BTreeMap<String, Texts> = BTreeMap::new();
    let (mut said, mut success) = (String::new(), true);
    let mut job = job.clone();
    for step in runs["steps"].as_array().expect("steps") {
        for (name, _) in pairs(step) {
            assert!(
                ["id", "shell", "env", "run"].contains(&name.as_str()),
                "a step has {name}"
            );
        }
        assert_eq!(step["shell"], "bash");
        let value = |expression: &str| {
            expression
                .strip_prefix("inputs.")
                .and_then(|name| inputs.get(name))
                .cloned()
        };
        let mut variables = job.clone();
        for (name, text) in pairs(&step["env"]) {
            let text = text.as_str().expect("a text");
            variables.insert(name.clone(), fill(text, "${{", "}}", value));
        }
        let script = step["run"].as_str().expect("a script");
        assert!(!script.contains("${{"), "an input would be run");
        for file in [&output, &environment] {
            fs::write(file, "").expect("writes");
        }
        for (name, file) in [("GITHUB_OUTPUT", &output), ("GITHUB_ENV", &environment)] {
            variables.insert(name.to_owned(), file.display().to_string());
        }
        let path = files.path().join("script.sh");
        fs::write(&path, script).expect("writes");
        let mut bash = Command::new("bash");
        bash.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(path);
        let ran = run(&mut bash, outside.folder(), &variables).await;
        tell(&mut said, &ran);
        if let Some(id) = step["id"].as_str() {
            steps.insert(id.to_owned(), lines(&output));
        }
        job.extend(lines(&environment));
        if !ran.status.success() {
            success = false;
            break;
        }
    }
    let value = |expression: &str| {
        let (step, name) = expression.strip_prefix("steps.")?.split_once(".outputs.")?;
        // What a step did not say is empty.
        Some(steps.get(step)?.get(name).cloned().unwrap_or_default())
    };
    let outputs = pairs(&action["outputs"]).map(|(name, about)| {
        let text = about["value"].as_str().expect("a text");
        (name.clone(), fill(text, "${{", "}}", value))
    });
    Ended {
        success,
        said,
        outputs: outputs.collect(),
    }
}

/// Runs the one job of a GitLab component in a pipeline with these variables, with the tokens that it asks for.
pub(crate) async fn gitlab(
    outside: &Outside,
    component: &str,
    given: &[(&str, &str)],
    pipeline: &Variables,
    token: impl Fn(&str) -> String,
) -> Ended {
    let path = example("gitlab/templates").join(format!("{component}.yml"));
    let [head, body] = documents(&path).try_into().expect("two documents");
    let inputs = inputs(&head["spec"]["inputs"], given);
    let value = |expression: &str| {
        expression
            .strip_prefix("inputs.")
            .and_then(|name| inputs.get(name))
            .cloned()
    };
    let filled = |text: &serde_json::Value| fill(text.as_str().expect("a text"), "$[[", "]]", value);
    let [(name, job)] = pairs(&body).collect::<Vec<_>>().try_into().expect("one job");
    assert!(!fill(name, "$[[", "]]", value).is_empty());
    for (name, _) in pairs(job) {
        let known = ["stage", "id_tokens", "variables", "script", "artifacts"];
        assert!(known.contains(&name.as_str()), "a job has {name}");
    }
    let mut variables = pipeline.clone();
    for (name, about) in pairs(&job["id_tokens"]) {
        variables.insert(name.clone(), token(about["aud"].as_str().expect("an audience")));
    }
    for (name, text) in pairs(&job["variables"]) {
        variables.insert(name.clone(), expand(&filled(text), pipeline));
    }
    let script = job["script"].as_array().expect("a script").iter();
    let script: Vec<&str> = script.map(|part| part.as_str().expect("a text")).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("script.sh");
    fs::write(&path, script.join("\n")).expect("writes");
    // Any POSIX shell must do.
    let ran = run(
        Command::new("sh").arg("-e").arg(path),
        outside.folder(),
        &variables,
    )
    .await;
    let mut said = String::new();
    tell(&mut said, &ran);
    let report = job["artifacts"]["reports"]["dotenv"].as_str().expect("a report");
    let report = outside.folder().join(report);
    let outputs = lines(&report);
    let _gone = fs::remove_file(report);
    Ended {
        success: ran.status.success(),
        said,
        outputs,
    }
}

/// Puts values in the places of variables, as GitLab does; those that are not there are empty.
fn expand(text: &str, variables: &Variables) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        let end = after
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        expanded.push_str(before);
        if name.is_empty() {
            expanded.push('$');
        }
        expanded.push_str(variables.get(name).map_or("", String::as_str));
        rest = after;
    }
    expanded + rest
}

fn tell(said: &mut String, ran: &Output) {
    said.push_str(&String::from_utf8_lossy(&ran.stdout));
    said.push_str(&String::from_utf8_lossy(&ran.stderr));
}
