//! Against Helm itself, where it is there: every chart of the D2 fleet with its own values and with the fleet's.

use std::path::{Path, PathBuf};
use std::process::Command;

use weir_helm::{Chart, KubeVersion, Options, Table, parse, render};

use crate::support::{Fixed, chart, shared};

/// The program that `cargo xtask tools` builds.
pub(crate) fn helm() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    let path = cache.join("weir/tools/helm-v4.2.4/helm");
    if path.is_file() {
        return Some(path);
    }
    assert!(
        std::env::var_os("CI").is_none_or(|ci| ci != "true"),
        "no helm; `cargo xtask tools` builds it"
    );
    eprintln!("not run: no helm (`cargo xtask tools` builds it)");
    None
}

fn ours(chart: &Chart, values: &Table, name: &str, namespace: &str) -> String {
    let mut options = Options::new(name, namespace);
    options.capabilities.kube_version = KubeVersion::parse("1.34.2").unwrap();
    let rendered = render(chart, values, &options, &mut Fixed::default(), None)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut out = rendered.manifest_with_crds().trim().to_owned();
    out.push('\n');
    for hook in &rendered.hooks {
        out.push_str(&format!("---\n# Source: {}\n{}\n", hook.path, hook.manifest));
    }
    out
}

fn theirs(helm: &Path, chart: &Path, values: Option<&Path>, name: &str, namespace: &str) -> String {
    let mut command = Command::new(helm);
    command.args(["template", name]).arg(chart);
    command.args([
        "--namespace",
        namespace,
        "--kube-version",
        "1.34.2",
        "--include-crds",
    ]);
    if let Some(values) = values {
        command.arg("-f").arg(values);
    }
    let out = command
        .env_remove("KUBECONFIG")
        .env("TZ", "UTC")
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// Compares line by line. Lines in which Helm differs from itself are random: names, passwords, keys.
fn compare(what: &str, ours: &str, theirs: &str, again: &str) -> Result<(), String> {
    if let Some(keep) = std::env::var_os("WEIR_KEEP") {
        std::fs::write(Path::new(&keep).join(format!("{what}.ours")), ours).unwrap();
        std::fs::write(Path::new(&keep).join(format!("{what}.theirs")), theirs).unwrap();
    }
    if ours == theirs {
        return Ok(());
    }
    let mut lines = ours.lines().zip(theirs.lines().zip(again.lines())).enumerate();
    if let Some((at, (a, (b, _)))) = lines.find(|(_, (a, (b, c)))| a != b && b == c) {
        return Err(format!("{what}: line {}: {a:?} instead of {b:?}", at + 1));
    }
    if ours.lines().count() == theirs.lines().count() && ours.ends_with('\n') == theirs.ends_with('\n') {
        return Ok(());
    }
    Err(format!(
        "{what}: {} lines instead of {}",
        ours.lines().count(),
        theirs.lines().count()
    ))
}

#[test]
fn d2s_charts_render_as_helm_renders_them() {
    let (Some(helm), Some(root)) = (helm(), shared("WEIR_D2", "d2")) else {
        return;
    };
    let mut problems = Vec::new();
    let mut count = 0;
    for folder in ["charts", "charts/newer"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "tgz") {
                continue;
            }
            let name = path
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .replace(['.', '_'], "-");
            let run = || theirs(&helm, &path, None, &name, "apps");
            let ours = ours(&chart(&path), &Table::new(), &name, "apps");
            problems.extend(compare(&name, &ours, &run(), &run()).err());
            count += 1;
        }
    }
    let index = std::fs::read_to_string(root.join("expected/helm/index.tsv")).unwrap();
    for line in index.lines().skip(1) {
        let [case, release, namespace, file] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let values = root.join(format!("expected/helm/{case}.values.yaml"));
        let path = root.join("charts").join(file);
        let run = || theirs(&helm, &path, Some(&values), release, namespace);
        let table = parse(&std::fs::read_to_string(&values).unwrap()).unwrap();
        let ours = ours(&chart(&path), &table, release, namespace);
        problems.extend(compare(case, &ours, &run(), &run()).err());
        count += 1;
    }
    eprintln!("{count} renders compared with helm");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
