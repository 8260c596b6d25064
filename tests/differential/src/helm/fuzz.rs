//! What is asked of damaged templates, charts and release records: no panic, no hang, and the same answer twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_gotmpl::{CallError, Env, Functions, Host, Limits, Set, Value};
use weir_helm::{Chart, File, NoArchives, Options, Release, Table, parse, render};

use super::operands::DATA;
use super::{chart, template};
use crate::dice::Dice;
use crate::fuzz::{Input, Verdict};

/// A run gets less than a controller gives it, so that one input takes milliseconds.
const LIMITS: Limits = Limits {
    output: 4 << 20,
    steps: 200_000,
    depth: 200,
    stack: 1 << 20,
};

fn input(files: BTreeMap<String, String>) -> Input {
    let files = files.into_iter();
    files
        .map(|(path, text)| (format!("/{path}"), text.into_bytes()))
        .collect()
}

/// The templates of a generated case.
pub(crate) fn templates(dice: &mut Dice) -> Input {
    let mut files = template::case(dice).files;
    files.retain(|path, _| path == template::ALONE || path.contains("templates/"));
    input(files)
}

/// The files of a generated chart, and its values files.
pub(crate) fn chart_files(dice: &mut Dice) -> Input {
    input(chart::release(dice).files)
}

/// Parses all templates and runs each.
pub(crate) fn run_templates(input: &Input) -> Verdict {
    let first = run_all(input);
    if first != run_all(input) {
        return Verdict::Wrong("two runs differ".into());
    }
    if first.iter().any(Result::is_ok) {
        Verdict::Accepted
    } else {
        Verdict::Refused
    }
}

fn run_all(input: &Input) -> Vec<Result<String, String>> {
    let mut set = Set::new(Arc::new(Functions::helm()), weir_gotmpl::Options::default());
    for (path, text) in input {
        if let Err(error) = set.parse(path, &String::from_utf8_lossy(text)) {
            return vec![Err(error.to_string())];
        }
    }
    let data = serde_json::from_str(DATA).unwrap_or_default();
    let run = |(path, _): &(String, Vec<u8>)| {
        // Functions change maps: each run gets its own.
        let top = weir_gotmpl::Map::new();
        top.insert("Values", Value::from_json(&data));
        let mut host = Still(0);
        let mut env = Env::new(&set, &mut host, &LIMITS);
        let out = env.execute(path, &top.into());
        out.map(|out| out.to_string()).map_err(|error| error.to_string())
    };
    input.iter().map(run).collect()
}

/// Loads a chart, renders it with its values file, and packs it; what was packed must load.
pub(crate) fn run_chart(input: &Input) -> Verdict {
    let files = || {
        let files = input
            .iter()
            .filter_map(|(path, data)| Some((path.strip_prefix("/chart/")?, data)));
        files.map(|(path, data)| File::new(path, data.clone())).collect()
    };
    let Ok(chart) = Chart::from_folder(files(), &NoArchives) else {
        return Verdict::Refused;
    };
    let values = input.iter().find(|(path, _)| path == "/values0.yaml");
    let values = match values.map(|(_, text)| parse(&String::from_utf8_lossy(text))) {
        None => Table::new(),
        Some(Ok(values)) => values,
        Some(Err(_)) => return Verdict::Refused,
    };
    let once = || {
        let rendered = render(&chart, &values, &Options::new("a", "b"), &mut Still(0), None);
        rendered
            .map(|rendered| {
                (
                    rendered.manifest_with_crds(),
                    rendered.notes,
                    rendered.hooks.len(),
                )
            })
            .map_err(|error| error.to_string())
    };
    let first = once();
    if first.as_ref().is_err_and(|error| error.contains("broke down")) {
        return Verdict::Wrong(format!("{first:?}"));
    }
    if first != once() {
        return Verdict::Wrong("two renders differ".into());
    }
    if first.is_ok() {
        Verdict::Accepted
    } else {
        Verdict::Refused
    }
}

/// Reads a record; what is written of it must be read as the same.
pub(crate) fn run_record(input: &Input) -> Verdict {
    let Some((_, data)) = input.first() else {
        return Verdict::Refused;
    };
    let _compressed = Release::decode(data);
    let Ok(release) = Release::from_json(data) else {
        return Verdict::Refused;
    };
    let written = release.to_json();
    match Release::from_json(written.as_bytes()) {
        Ok(again) if again.to_json() != written => {
            Verdict::Wrong(format!("{written} became {}", again.to_json()))
        }
        Err(error) => Verdict::Wrong(format!("written, but cannot be read: {error}: {written}")),
        Ok(_) => match Release::decode(release.encode().as_bytes()) {
            Ok(decoded) if decoded.to_json() == written => Verdict::Accepted,
            Ok(_) => Verdict::Wrong("the encoded record is another".into()),
            Err(error) => Verdict::Wrong(format!("encoded, but cannot be decoded: {error}")),
        },
    }
}

/// An outside that is always the same.
struct Still(u8);

impl Host for Still {
    fn random(&mut self, bytes: &mut [u8]) -> Result<(), CallError> {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(13).wrapping_add(7);
            *byte = self.0;
        }
        Ok(())
    }

    fn now(&mut self) -> Result<i128, CallError> {
        Ok(1_700_000_000_000_000_000)
    }
}
