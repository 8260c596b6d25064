//! `weir kustomize build` against kustomize, whole processes in the same run.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use weir_control_plane::tools;

use super::process::{Measured, folder, installed, measure, mebibytes, memory, milliseconds};
use super::trees::Tree;

/// Deployments up to which kustomize is run where nothing else is asked for: it takes minutes for more.
const REFERENCE: usize = 1000;
/// Deployments where it does not matter how many there are.
const FEW: usize = 100;

/// Builds an overlay of each size with both programs, and prints what they took.
pub(super) fn compare(sizes: &[usize], all: bool, weir: &Path) -> Result<()> {
    let programs = folder("kustomize-programs")?;
    let weir = &installed(weir, programs.path())?;
    let kustomize = installed(&tools::path("kustomize")?, programs.path())?;
    let mut rows = Vec::new();
    for &deployments in sizes {
        println!("{deployments} Deployments");
        let folder = folder(&format!("kustomize-{deployments}"))?;
        let overlay = Tree::Overlay.write(folder.path(), deployments)?;
        let ours = measure(|| ours(weir, &overlay))?;
        println!("  weir       {ours}");
        let theirs = if all || deployments <= REFERENCE {
            let theirs = measure(|| {
                let mut command = Command::new(&kustomize);
                command.arg("build").arg(&overlay);
                command
            })?;
            println!("  kustomize  {theirs}");
            ensure!(
                ours.output == theirs.output,
                "the outputs for {deployments} Deployments differ"
            );
            Some(theirs)
        } else {
            None
        };
        rows.push((deployments, ours, theirs));
    }
    println!("\n{}", table(&rows));
    Ok(())
}

/// Builds as they are measured, of few Deployments.
pub(super) fn commands(folder: &Path) -> Result<Vec<Vec<String>>> {
    let trees = Tree::GROWTH.into_iter();
    trees
        .map(|tree| {
            let path = tree.write(&folder.join(tree.name()), FEW)?;
            let path = path.to_string_lossy().into_owned();
            Ok(vec!["kustomize".to_owned(), "build".to_owned(), path])
        })
        .collect()
}

/// Builds trees that have many of one thing, and prints how time and memory grow from size to size.
pub(super) fn growth(sizes: &[usize], weir: &Path) -> Result<()> {
    let programs = folder("growth-programs")?;
    let weir = &installed(weir, programs.path())?;
    let mut lines = vec![
        format!(
            "| many | {} |",
            sizes
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" | ")
        ),
        format!("|---|{}", "---|".repeat(sizes.len())),
    ];
    for tree in Tree::GROWTH {
        let mut cells = Vec::new();
        let mut before: Option<Duration> = None;
        for &deployments in sizes {
            let folder = folder(&format!("kustomize-{deployments}"))?;
            let path = tree.write(folder.path(), deployments)?;
            let measured = measure(|| ours(weir, &path))?;
            println!("{} of {deployments}: {measured}", tree.name());
            let best = measured.best();
            let grown = before.map_or(String::new(), |before| {
                format!(" (× {:.1})", best.as_secs_f64() / before.as_secs_f64())
            });
            cells.push(format!(
                "{:.1} ms{grown}, {}",
                milliseconds(best),
                memory(measured.memory)
            ));
            before = Some(best);
        }
        lines.push(format!("| {} | {} |", tree.name(), cells.join(" | ")));
    }
    println!(
        "\nBest time (growth since the size before), peak memory\n\n{}",
        lines.join("\n")
    );
    Ok(())
}

fn ours(weir: &Path, folder: &Path) -> Command {
    let mut command = Command::new(weir);
    command.args(["kustomize", "build"]).arg(folder);
    command
}

fn table(rows: &[(usize, Measured, Option<Measured>)]) -> String {
    let mut lines = vec![
        "| Deployments | weir best | median | peak | private | kustomize best | median | peak | private | times faster \
         | share of peak | share of private | ms a Deployment |"
            .to_owned(),
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|".to_owned(),
    ];
    for (deployments, ours, theirs) in rows {
        let each = milliseconds(ours.best()) / f64::from(u32::try_from(*deployments).unwrap_or(u32::MAX));
        let figures = |of: &Measured| format!("{} | {}", of.figures(), memory(of.private));
        let own = figures(ours);
        let (reference, faster, shares) = match theirs {
            Some(theirs) => (
                figures(theirs),
                format!(
                    "{:.1}",
                    theirs.median().as_secs_f64() / ours.median().as_secs_f64()
                ),
                format!(
                    "{} | {}",
                    share(ours.memory, theirs.memory),
                    share(ours.private, theirs.private)
                ),
            ),
            None => (" | | | ".to_owned(), String::new(), " | ".to_owned()),
        };
        lines.push(format!(
            "| {deployments} | {own} | {reference} | {faster} | {shares} | {each:.2} |"
        ));
    }
    lines.join("\n")
}

/// How much of their memory ours is.
fn share(ours: u64, theirs: u64) -> String {
    if ours == 0 || theirs == 0 {
        return "not seen".to_owned();
    }
    format!("{:.1} %", 100.0 * mebibytes(ours) / mebibytes(theirs))
}
