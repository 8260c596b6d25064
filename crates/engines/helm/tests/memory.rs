//! What reading a large index costs. A program of its own: the peak that is measured is that of the whole process.

#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

use std::fmt::Write as _;
use std::fs;

use weir_helm::Index;

/// Bytes of the index. What must hold is a factor, so that this need not be the largest that is taken.
const SIZE: usize = 2 << 20;

/// An index as chartmuseum writes it.
fn text() -> String {
    let mut text = String::from("apiVersion: v1\nentries:\n");
    for chart in 0.. {
        writeln!(text, "  chart-{chart}:").unwrap();
        for version in 0..40 {
            write!(
                text,
                "  - apiVersion: v2\n    appVersion: 1.{version}.0\n    created: \"2026-01-01T00:00:00.123456789Z\"\n    description: A chart that installs something and says so in a sentence\n    digest: {:064x}\n    home: https://charts.example/chart-{chart}\n    keywords:\n    - one\n    - two\n    maintainers:\n    - email: somebody@charts.example\n      name: somebody\n    name: chart-{chart}\n    sources:\n    - https://git.example/charts\n    urls:\n    - https://charts.example/chart-{chart}-1.{version}.0.tgz\n    version: 1.{version}.0\n",
                chart * 100 + version
            )
            .unwrap();
        }
        if text.len() > SIZE {
            return text;
        }
    }
    text
}

/// The most memory that the process has had, in bytes.
fn peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() << 10
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "the peak is read from /proc")]
fn reading_an_index_takes_little_more_memory_than_its_text() {
    let text = text();
    // The pages of the program itself count, too: they are read in by a small index first.
    let few = text.split_inclusive("version: 1.9.0\n").next().unwrap();
    assert!(few.len() < SIZE / 10, "{}", few.len());
    let small = Index::read(few.as_bytes()).unwrap();
    assert!(!small.is_empty());
    drop(Index::read_whole(few.as_bytes()).unwrap().to_json());
    let before = peak();
    let index = Index::read(text.as_bytes()).unwrap();
    let taken = peak() - before;
    assert!(index.len() > 2_000, "{}", index.len());
    assert!(taken < 2 * text.len(), "{taken} bytes for {}", text.len());
    let before = peak();
    let json = Index::read_whole(text.as_bytes()).unwrap().to_json();
    let taken = peak() - before;
    assert!(json.len() > SIZE / 2);
    assert!(taken < 4 * text.len(), "{taken} bytes for {}", text.len());
}
