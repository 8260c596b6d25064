//! Secret values on every way from values to what is told (N56): generated cases, each a release of its own, in simulated
//! time.
//!
//! A case is a secret word, a way into the values, and a place where it does harm. Whatever comes of it through the life of a
//! release, the word is in no condition, no event, no line of the log, in none of its forms.

mod harms;
mod words;

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use weir_apis::condition::{Conditions, READY, Status};
use weir_apis::{GroupVersionKind, Object, ObjectRef};
use weir_cluster::Propagation;
use weir_real::{Ground, object, source};

use crate::scenarios::helm::{change, reconciled};
use crate::settings;
use harms::{HARMS, Harm};
use words::{Word, shows};

/// How the word gets into the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// In `spec.values`, which whoever may read the object sees; only what ends in a Secret is secret then.
    Inline,
    /// In YAML of a Secret.
    Yaml,
    /// By itself in a Secret, with a target path.
    Literal,
    /// The same, read in the language of `--set`: it may become something else there, or an error.
    Set,
}

/// One release.
#[derive(Debug)]
struct Case {
    number: usize,
    harm: &'static Harm,
    way: Way,
    word: Word,
}

impl Case {
    fn namespace(&self) -> String {
        format!("n56-{}", self.number)
    }

    /// The fields of the spec that set the values.
    fn fields(&self, harm: &str, last: bool) -> Value {
        let mut values = json!({"harm": harm, "last": last});
        let by_path = |literal: bool| json!([{"kind": "Secret", "name": "values", "valuesKey": "word", "targetPath": "word", "literal": literal}]);
        let from = match self.way {
            Way::Inline => {
                values["word"] = json!(self.word.text);
                Value::Null
            }
            Way::Yaml => json!([{"kind": "Secret", "name": "values"}]),
            Way::Literal => by_path(true),
            Way::Set => by_path(false),
        };
        json!({"values": values, "valuesFrom": from})
    }
}

/// Every harm on every way that it can be done on, each with a word of another kind than the case before.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for harm in HARMS {
        for way in [Way::Yaml, Way::Literal, Way::Set, Way::Inline] {
            if way == Way::Inline && !harm.is_inline {
                continue;
            }
            let number = cases.len();
            let word = Word::new(number);
            cases.push(Case {
                number,
                harm,
                way,
                word,
            });
        }
    }
    cases
}

/// What has been logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// Takes what is there.
    fn take(&self) -> String {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&std::mem::take(&mut *bytes)).into_owned()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn n56_no_way_of_a_secret_value_ends_in_what_is_told() -> Result<()> {
    let log = Lines::default();
    let lines = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(weir_cli::log_filter("debug"))
        .with_ansi(false)
        .with_writer(move || lines.clone())
        .finish();
    // Where a process has one subscriber only, a place that logs asks that of the thread that comes there first, for good: other
    // tests' threads have none. With two, all are asked (tracing-core 0.1, `callsite::Rebuilder::JustOne`).
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    // Everything runs on this thread, and nothing else does; renders on threads of their own log nothing.
    let _guard = tracing::subscriber::set_default(subscriber);
    let ground = Ground::standin(settings()).await?;
    let cases = cases();
    let (mut failures, mut logged) = (0, Vec::new());
    for case in &cases {
        let lived = live(&ground, case).await;
        failures += lived.with_context(|| format!("{case:?}"))?;
        logged.push(log.take());
    }
    ensure!(
        failures > cases.len(),
        "the templates do no harm: {failures} failures"
    );
    // Events come a moment later than what they are about, and lines of the log may.
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    logged.push(log.take());
    for case in &cases {
        let events = events(&ground, &case.namespace()).await?;
        let lines = logged.iter().skip(case.number).take(2);
        let lines = lines.map(String::as_str).collect::<String>();
        ensure!(lines.contains(&case.namespace()), "nothing was logged");
        for (place, text) in [("an event", &events), ("the log", &lines)] {
            if let Some(found) = shows(text, &case.word) {
                anyhow::bail!("{case:?}: {place} shows it: {found}");
            }
        }
    }
    println!("n56: {} releases, {failures} failures of theirs", cases.len());
    Ok(())
}

/// Through the life of a release: installed, upgraded, drifted, removed, each with failures. Gives how many there were.
async fn live(ground: &Ground, case: &Case) -> Result<usize> {
    let ns = &case.namespace();
    let files = case.harm.files();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    ground.chart_stage(ns, &files).await?;
    ground.until_ready(&source(ns, ns)).await?;
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "values", "namespace": ns},
        "stringData": {"values.yaml": format!("word: {}\n", case.word.yaml()), "word": case.word.text}});
    ground.apply_json(secret).await?;
    let web = ground
        .helm_release(ns, case.fields(case.harm.name, false))
        .await?;
    let mut failures = usize::from(!went_well(ground, case, &web, 1).await?);

    // Then without the harm, as an installation or an upgrade; then with it, as an upgrade.
    let mut is_there = false;
    for harm in ["none", case.harm.name] {
        let generation = change(ground, &web, case.fields(harm, false)).await?.generation();
        let good = went_well(ground, case, &web, generation).await?;
        is_there |= good;
        failures += usize::from(!good);
    }
    // What `--set` makes of a word may be no value at all.
    ensure!(is_there || case.way == Way::Set, "it was never installed");
    if is_there {
        failures += drift(ground, case, &web).await?;
    }
    // Suspended, it is let go.
    change(ground, &web, json!({"suspend": true})).await?;
    ground.client.delete(&web, Propagation::Background, None).await?;
    ground.until_gone(&web).await?;
    Ok(failures)
}

/// Drift of what holds the word is told and put back; then a removal fails on a hook that holds it.
async fn drift(ground: &Ground, case: &Case, web: &ObjectRef) -> Result<usize> {
    let mut fields = case.fields("none", true);
    fields["driftDetection"] = json!({"mode": "enabled"});
    let generation = change(ground, web, fields).await?.generation();
    let calm = went_well(ground, case, web, generation).await?;
    ensure!(calm, "{}", told(ground, web).await?);
    let kept = object("v1", "Secret", &web.namespace, "kept");
    let before = ground.get(&kept).await?.get(&["data", "a"]).cloned();
    let edit = json!({"data": {"a": STANDARD.encode("edited")}, "metadata": {"labels": {"edited": "yes"}}});
    ground.client.merge(&kept, &edit, "somebody").await?;
    reconciled(ground, web).await?;
    ground
        .until(&kept, |live| live.get(&["data", "a"]) == before.as_ref())
        .await?;
    is_silent(ground, case, web).await?;

    // The Secret may go first.
    if case.number.is_multiple_of(2) && case.way != Way::Inline {
        let gone = object("v1", "Secret", &web.namespace, "values");
        ground.client.delete(&gone, Propagation::Background, None).await?;
    }
    ground.client.delete(web, Propagation::Background, None).await?;
    ground
        .until_condition(web, READY, Status::False, "UninstallFailed")
        .await?;
    is_silent(ground, case, web).await?;
    Ok(1)
}

/// Waits until the object has been tried in this form, and says whether that went well. Nothing that is told of it shows the
/// word.
async fn went_well(ground: &Ground, case: &Case, web: &ObjectRef, generation: i64) -> Result<bool> {
    let ready = |live: &Object| {
        let ready = Conditions::of(live).get(READY).cloned();
        ready.filter(|c| c.observed_generation == Some(generation) && c.status != Status::Unknown)
    };
    let live = ground.until(web, |live| ready(live).is_some()).await?;
    is_silent(ground, case, web).await?;
    Ok(ready(&live).is_some_and(|c| c.status == Status::True))
}

async fn is_silent(ground: &Ground, case: &Case, web: &ObjectRef) -> Result<()> {
    let text = told(ground, web).await?;
    match shows(&text, &case.word) {
        Some(found) => anyhow::bail!("it is told: {found}"),
        None => Ok(()),
    }
}

/// All that is told of a release: the object without its spec, and the namespace's events.
async fn told(ground: &Ground, web: &ObjectRef) -> Result<String> {
    let live = ground.get(web).await?;
    let mut own = live.to_value();
    own["spec"].take();
    let mut text = own.to_string();
    // The messages as they are, too, not escaped.
    for condition in Conditions::of(&live).sorted() {
        text.push('\n');
        text.push_str(&condition.message);
    }
    Ok(text + &events(ground, &web.namespace).await?)
}

async fn events(ground: &Ground, ns: &str) -> Result<String> {
    let gvk = GroupVersionKind::new("", "v1", "Event");
    let mut text = String::new();
    for event in ground.client.list(&gvk, ns, "").await? {
        text.push('\n');
        text.push_str(&event.to_value().to_string());
        let message = event.get(&["message"]).and_then(Value::as_str);
        text.push_str(message.unwrap_or_default());
    }
    Ok(text)
}
