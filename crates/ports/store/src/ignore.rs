//! What to leave out of an archive: gitignore patterns as Flux reads them.
//!
//! The dialect is that of Flux's own matcher, which was taken from go-git 5.16: `**` counts only as a whole
//! component, the last pattern that matches decides, `!` takes back, and an excluded folder is still walked,
//! so that a later `!` can bring a file below it back.
//!
//! ```
//! use weir_store::ignore::IgnoreRules;
//!
//! let rules = IgnoreRules::parse("*.md\n!/docs/README.md\n");
//! assert!(rules.excludes("CHANGES.md", false));
//! assert!(!rules.excludes("docs/README.md", false));
//! ```

mod glob;
mod pattern;

use pattern::{Pattern, Verdict};

use crate::tree::Tree;

/// The name of the files with patterns.
pub const FILE_NAME: &str = ".sourceignore";

/// Always left out.
const VCS: [&str; 4] = [".git/", ".gitignore", ".gitmodules", ".gitattributes"];
/// Left out by extension when no one says otherwise.
const EXTENSIONS: [&str; 8] = [
    "*.jpg", "*.jpeg", "*.gif", "*.png", "*.wmv", "*.flv", "*.tar.gz", "*.zip",
];
/// Files of build services, left out of sources but not of pushed artifacts.
const CI: [&str; 9] = [
    ".github/",
    ".circleci/",
    ".travis.yml",
    ".gitlab-ci.yml",
    "appveyor.yml",
    ".drone.yml",
    "cloudbuild.yaml",
    "codeship-services.yml",
    "codeship-steps.yml",
];
/// Files that tools keep beside manifests, left out of sources.
const EXTRA: [&str; 3] = ["**/.goreleaser.yml", "**/.sops.yaml", "**/.flux.yaml"];

/// Patterns in the order of their priority, the strongest last.
#[derive(Debug, Clone, Default)]
pub struct IgnoreRules {
    patterns: Vec<Pattern>,
}

impl IgnoreRules {
    /// Nothing is left out.
    pub fn none() -> Self {
        Self::default()
    }

    /// The patterns in `text`, one a line, and nothing else. What `--ignore-paths` and a Bucket's `spec.ignore`
    /// mean.
    pub fn parse(text: &str) -> Self {
        let mut rules = Self::default();
        rules.add(text, "");
        rules
    }

    /// What `flux push artifact` leaves out: version control and extensions, and then the lines of `added`.
    pub fn for_push(added: &str) -> Self {
        let mut rules = Self::default();
        rules.add_all(&VCS);
        rules.add_all(&EXTENSIONS);
        rules.add(added, "");
        rules
    }

    /// What source-controller leaves out of a source: version control, then the patterns of its
    /// `.sourceignore` files (folder and text each) and of `spec.ignore`; with none of those, the default set.
    pub fn for_source<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
        spec_ignore: Option<&str>,
    ) -> Self {
        let mut own = Self::default();
        for (folder, text) in files {
            own.add(text, folder);
        }
        own.add(spec_ignore.unwrap_or_default(), "");
        let mut rules = Self::default();
        rules.add_all(&VCS);
        if own.patterns.is_empty() {
            rules.add_all(&EXTENSIONS);
            rules.add_all(&CI);
            rules.add_all(&EXTRA);
        }
        rules.patterns.append(&mut own.patterns);
        rules
    }

    /// [`IgnoreRules::for_source`] with the `.sourceignore` files of `tree`, a folder before those in it.
    pub fn for_tree(tree: &Tree, spec_ignore: Option<&str>) -> Self {
        let mut files: Vec<(Vec<&str>, String)> = tree
            .files()
            .filter_map(|(path, entry)| {
                let folder = match path.rsplit_once('/') {
                    Some((folder, FILE_NAME)) => folder.split('/').collect(),
                    None if path == FILE_NAME => Vec::new(),
                    _ => return None,
                };
                // Flux does not look for patterns inside `.git`.
                let hidden = folder.contains(&".git");
                (!hidden).then(|| (folder, String::from_utf8_lossy(&entry.bytes).into_owned()))
            })
            .collect();
        files.sort();
        let files: Vec<(String, String)> = files
            .into_iter()
            .map(|(folder, text)| (folder.join("/"), text))
            .collect();
        Self::for_source(
            files
                .iter()
                .map(|(folder, text)| (folder.as_str(), text.as_str())),
            spec_ignore,
        )
    }

    /// Adds the patterns of `text`, which apply below `folder` only (empty for everywhere).
    pub fn add(&mut self, text: &str, folder: &str) {
        let domain: Vec<String> = folder
            .split('/')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        for line in text.split('\n') {
            let line = line.strip_suffix('\r').unwrap_or(line);
            if !line.starts_with('#') && !line.trim().is_empty() {
                self.patterns.push(Pattern::parse(line, &domain));
            }
        }
    }

    fn add_all(&mut self, patterns: &[&str]) {
        self.patterns
            .extend(patterns.iter().map(|pattern| Pattern::parse(pattern, &[])));
    }

    /// Whether `path` (relative, `/` between components) is left out.
    pub fn excludes(&self, path: &str, is_folder: bool) -> bool {
        let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        self.patterns
            .iter()
            .rev()
            .find_map(|pattern| match pattern.verdict(&path, is_folder) {
                Verdict::Silent => None,
                Verdict::Exclude => Some(true),
                Verdict::Include => Some(false),
            })
            .unwrap_or(false)
    }
}
