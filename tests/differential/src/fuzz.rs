//! Mutated inputs, which must do no harm: no panic, no hang, no growth, and what is read, written and read again stays
//! the same. Seeded by a corpus, without a look at coverage, so that it runs on stable Rust.

mod corpus;
mod mutate;
mod watch;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use weir_kustomize::{MemoryFiles, Options, build};
use weir_yaml::{Data, Dialect, Node, Style, emit, parse_all, parse_one, to_json};

use crate::dice::Dice;
use crate::helm::fuzz::{chart_files, run_chart, run_record, run_templates, templates};
use crate::kept;
use crate::kustomize::generated_files;
use watch::Watch;

/// Text with one to four of the changes that inputs get.
pub(crate) fn damage(dice: &mut Dice, text: &str) -> String {
    let mut input = vec![(String::new(), text.as_bytes().to_vec())];
    mutate::mutate(dice, &mut input, &[]);
    let content = input.pop().map(|(_, content)| content).unwrap_or_default();
    String::from_utf8_lossy(&content).into_owned()
}

/// What to feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Subject {
    /// The YAML reader and writer.
    Yaml,
    /// The builder.
    Kustomize,
    /// The parser and the evaluator of templates.
    Templates,
    /// The loader and the renderer of charts.
    Charts,
    /// The decoder of release records.
    Records,
}

/// How long, and from where.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to feed.
    subject: Subject,
    /// For how many minutes.
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// The first choice of everything.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// An input: files by path; the YAML reader takes one.
pub(crate) type Input = Vec<(String, Vec<u8>)>;

/// Runs until the time is over or something is found.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let corpus = corpus::load(arguments.subject)?;
    let name = format!("{:?}", arguments.subject).to_lowercase();
    println!(
        "fuzz {name}: {} inputs to start from, {} minutes, --seed {}",
        corpus.len(),
        arguments.minutes,
        arguments.seed
    );
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let watch = Watch::start(keep_folder(&name)?);
    let begun = Instant::now();
    let end = Duration::from_mins(arguments.minutes);
    let mut number = 0;
    let mut accepted: u64 = 0;
    let mut said = 0;
    let mut found = None;
    while begun.elapsed() < end {
        let mut dice = Dice::new(arguments.seed, number);
        let mut input = match arguments.subject {
            Subject::Kustomize if dice.chance(50) => generated_files(&mut dice),
            Subject::Templates => templates(&mut dice),
            Subject::Charts => chart_files(&mut dice),
            _ => dice.one(&corpus).cloned().unwrap_or_default(),
        };
        mutate::mutate(&mut dice, &mut input, &corpus);
        watch.begin(&input);
        match check(arguments.subject, &input) {
            Verdict::Refused => {}
            Verdict::Accepted => accepted += 1,
            Verdict::Wrong(problem) => {
                found = Some((input, problem));
                break;
            }
        }
        watch.end()?;
        number += 1;
        if begun.elapsed().as_secs() / 60 > said {
            said = begun.elapsed().as_secs() / 60;
            println!(
                "  {number} inputs, {accepted} of them accepted, {said} of {} minutes; {}",
                arguments.minutes,
                watch.words()
            );
        }
    }
    watch.rest();
    let Some((input, problem)) = found else {
        std::panic::set_hook(quiet);
        println!(
            "fuzz {name}: {number} inputs, {accepted} of them accepted, nothing found; {}",
            watch.words()
        );
        return Ok(());
    };
    let input = shrink(arguments.subject, input);
    std::panic::set_hook(quiet);
    let folder = keep_folder(&name)?.join(format!("{}-{number}", arguments.seed));
    for (path, content) in &input {
        let path = folder.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
        std::fs::write(&path, content)?;
        println!("--- {}\n{}", path.display(), String::from_utf8_lossy(content));
    }
    bail!("input {number}: {problem}; kept in {}", folder.display())
}

fn keep_folder(name: &str) -> Result<PathBuf> {
    let folder = kept::folder().join("fuzz").join(name);
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// How an input fared.
pub(crate) enum Verdict {
    /// It was read or built, and nothing is wrong with the outcome.
    Accepted,
    /// With an error, as most damaged inputs should be.
    Refused,
    Wrong(String),
}

fn check(subject: Subject, input: &Input) -> Verdict {
    let outcome = catch_unwind(AssertUnwindSafe(|| match subject {
        Subject::Yaml => input
            .iter()
            .map(|(_, content)| yaml(content))
            .find(|verdict| !matches!(verdict, Verdict::Refused))
            .unwrap_or(Verdict::Refused),
        Subject::Kustomize => kustomize(input),
        Subject::Templates => run_templates(input),
        Subject::Charts => run_chart(input),
        Subject::Records => run_record(input),
    }));
    outcome.unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Verdict::Wrong(format!("panic: {}", text.unwrap_or_default()))
    })
}

fn is_wrong(subject: Subject, input: &Input) -> bool {
    matches!(check(subject, input), Verdict::Wrong(_))
}

/// Line breaks to YAML 1.1 and to the writers, which descend from it, but not to the reader.
const BREAKS: [char; 3] = ['\u{2028}', '\u{2029}', '\u{85}'];

fn yaml(content: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(content) else {
        return Verdict::Refused;
    };
    if text.contains(BREAKS) {
        return Verdict::Refused;
    }
    let Ok(documents) = parse_all(text) else {
        return Verdict::Refused;
    };
    let mut verdict = Verdict::Refused;
    for root in documents.into_iter().filter_map(|document| document.root) {
        let Ok(value) = to_json(&root, Dialect::Kyaml) else {
            continue;
        };
        if value.to_string().contains(BREAKS) {
            continue;
        }
        match read_again(root, &value) {
            Ok(()) => verdict = Verdict::Accepted,
            Err(problem) => return Verdict::Wrong(problem),
        }
    }
    verdict
}

/// What is written must be read as what it was.
fn read_again(mut root: Node, value: &serde_json::Value) -> Result<(), String> {
    unfold(&mut root);
    let value = &to_json(&root, Dialect::Kyaml).map_err(|error| format!("{error}: {value}"))?;
    let printed = emit::kyaml(&root);
    match parse_one(&printed).map(|again| to_json(&again, Dialect::Kyaml)) {
        Ok(Ok(again)) if again == *value => {}
        Ok(Ok(again)) => return Err(format!("{value} became {again} by way of\n{printed}")),
        Ok(Err(error)) => return Err(format!("{error}: {printed}")),
        Err(error) => return Err(format!("written, but cannot be read: {error}: {printed}")),
    }
    let sigs = emit::sigs(value);
    match parse_one(&sigs).map(|again| to_json(&again, Dialect::Sigs)) {
        Ok(Ok(again)) if emit::sigs(&again) == sigs => Ok(()),
        Ok(Ok(again)) => Err(format!("{sigs} became {} on the second way", emit::sigs(&again))),
        Ok(Err(error)) => Err(format!("{error}: {sigs}")),
        Err(error) => Err(format!("written for sigs, but cannot be read: {error}: {sigs}")),
    }
}

/// The writer doubles line breaks of folded text with indented lines, as yaml v3 does: the other styles must be stable.
fn unfold(node: &mut Node) {
    let is_folded = node.style() == Style::Folded;
    match node.data_mut() {
        Data::Sequence(items) => items.iter_mut().for_each(unfold),
        Data::Mapping(entries) => {
            for (key, value) in entries {
                unfold(key);
                unfold(value);
            }
        }
        _ if is_folded => node.set_style(Style::DoubleQuoted),
        _ => {}
    }
}

fn kustomize(input: &Input) -> Verdict {
    let files: MemoryFiles = input
        .iter()
        .map(|(path, content)| (path.clone(), content.clone()))
        .collect();
    let directories: Vec<&str> = input
        .iter()
        .filter_map(|(path, _)| path.strip_suffix("/kustomization.yaml"))
        .collect();
    let mut verdict = Verdict::Refused;
    for directory in directories {
        let Ok(built) = build(&files, directory, &Options::default()) else {
            continue;
        };
        verdict = Verdict::Accepted;
        let printed = built.to_yaml();
        if let Err(error) = parse_all(&printed)
            && !printed.contains(BREAKS)
        {
            return Verdict::Wrong(format!("output cannot be read: {error}"));
        }
        let again = build(&files, directory, &Options::default()).map(|built| built.to_yaml());
        if again.ok().as_deref() != Some(printed.as_str()) {
            return Verdict::Wrong("two builds differ".into());
        }
    }
    verdict
}

/// Cuts pieces out for as long as something is wrong.
fn shrink(subject: Subject, mut input: Input) -> Input {
    let mut at = 0;
    while at < input.len() {
        let mut smaller = input.clone();
        smaller.remove(at);
        if is_wrong(subject, &smaller) {
            input = smaller;
        } else {
            at += 1;
        }
    }
    for file in 0..input.len() {
        let mut size = 1024;
        while size > 0 {
            let mut from = 0;
            while let Some((_, content)) = input.get(file).filter(|(_, content)| from < content.len()) {
                let to = (from + size).min(content.len());
                let mut smaller = input.clone();
                if let Some((_, content)) = smaller.get_mut(file) {
                    content.drain(from..to);
                }
                if is_wrong(subject, &smaller) {
                    input = smaller;
                } else {
                    from += size;
                }
            }
            size /= 2;
        }
    }
    input
}
