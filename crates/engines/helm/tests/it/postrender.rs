//! Post-rendering: what goes through, in how many runs, and where it comes back to.

use weir_helm::{Options, PostRender, Rendered, Strategy, Table, render};

use crate::support::{Fixed, memory};

/// Keeps what it gets, and gives it back with a change.
struct Keep {
    runs: Vec<String>,
    change: fn(&str) -> Result<String, String>,
}

impl PostRender for Keep {
    fn run(&mut self, documents: &str) -> Result<String, String> {
        self.runs.push(documents.to_owned());
        (self.change)(documents)
    }
}

fn through(
    strategy: Strategy,
    change: fn(&str) -> Result<String, String>,
) -> (Result<Rendered, String>, Vec<String>) {
    let chart = memory(&[
        ("Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.0.0\n"),
        (
            "templates/b.yaml",
            "kind: Service\nmetadata: {name: b}\n---\nkind: ConfigMap\nmetadata: {name: b}\n",
        ),
        (
            "templates/a.yaml",
            "kind: Job\nmetadata:\n  name: a\n  annotations:\n    helm.sh/hook: pre-install\n",
        ),
        ("templates/NOTES.txt", "not: through\n"),
        ("templates/empty.yaml", "\n"),
    ]);
    let mut options = Options::new("a", "b");
    options.strategy = strategy;
    let mut post = Keep {
        runs: Vec::new(),
        change,
    };
    let rendered = render(
        &chart,
        &Table::new(),
        &options,
        &mut Fixed::default(),
        Some(&mut post),
    );
    (rendered.map_err(|error| error.to_string()), post.runs)
}

fn same(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

#[test]
fn files_come_back_to_their_names_and_kinds_to_their_order() {
    for (strategy, runs) in [
        (Strategy::Combined, 1),
        (Strategy::Separate, 2),
        (Strategy::NoHooks, 1),
    ] {
        let (rendered, seen) = through(strategy, same);
        let rendered = rendered.unwrap();
        assert_eq!(seen.len(), runs, "{strategy:?}");
        let names: Vec<(&str, &str)> = rendered
            .manifests
            .iter()
            .map(|one| (one.name.as_str(), one.head.kind.as_str()))
            .collect();
        assert_eq!(
            names,
            [
                ("app/templates/b.yaml", "ConfigMap"),
                ("app/templates/b.yaml", "Service")
            ]
        );
        let hook = rendered.hooks.first().unwrap();
        assert_eq!(
            (hook.path.as_str(), rendered.notes.as_str()),
            ("app/templates/a.yaml", "not: through\n")
        );
        assert!(!hook.manifest.contains("postrender"), "{}", hook.manifest);
    }
}

#[test]
fn hooks_go_through_as_the_strategy_says() {
    let (_, combined) = through(Strategy::Combined, same);
    assert!(combined[0].contains("kind: Job") && combined[0].contains("kind: Service"));
    assert!(
        combined[0].contains("postrenderer.helm.sh/postrender-filename: 'app/templates/b.yaml'")
            || combined[0].contains("postrenderer.helm.sh/postrender-filename: app/templates/b.yaml")
    );
    let (_, separate) = through(Strategy::Separate, same);
    assert!(separate[0].contains("kind: Job") && !separate[0].contains("kind: Service"));
    let (_, without) = through(Strategy::NoHooks, same);
    assert!(!without[0].contains("kind: Job"));
}

#[test]
fn what_lost_its_annotation_gets_a_name() {
    let (rendered, _) = through(Strategy::Combined, |_| {
        Ok("kind: Namespace\nmetadata: {name: new}\n".to_owned())
    });
    let rendered = rendered.unwrap();
    assert_eq!(
        rendered.manifests.first().unwrap().name,
        "generated-by-postrender-0.yaml"
    );
    let (rendered, _) = through(Strategy::Separate, |_| {
        Ok("kind: Namespace\nmetadata: {name: new}\n".to_owned())
    });
    let names: Vec<String> = rendered
        .unwrap()
        .manifests
        .into_iter()
        .map(|one| one.name)
        .collect();
    assert_eq!(
        names,
        [
            "generated-by-postrender-hooks-0.yaml",
            "generated-by-postrender-manifests-0.yaml"
        ]
    );
}

#[test]
fn failures_are_told() {
    let (rendered, _) = through(Strategy::Combined, |_| Err("it broke".to_owned()));
    assert_eq!(
        rendered.unwrap_err(),
        "error while running post render on files: it broke"
    );
    let (rendered, _) = through(Strategy::Combined, |_| Ok("a: [".to_owned()));
    assert!(
        rendered
            .unwrap_err()
            .starts_with("error while parsing post rendered output: ")
    );
}
