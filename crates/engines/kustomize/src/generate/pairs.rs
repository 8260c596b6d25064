//! Keys and values from literals, files and env files.

use crate::error::{Error, Result, Within};
use crate::files::base_name;
use crate::kustomization::GeneratorArgs;
use crate::loader::Loader;

type Pair = (String, Vec<u8>);

/// All pairs of a generator: env files, then literals, then files.
pub(super) fn load(args: &GeneratorArgs, loader: &Loader<'_>) -> Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    for path in &args.envs {
        env_file(path, loader, &mut pairs)
            .within(|| format!("env source files: [{}]", args.envs.join(" ")))?;
    }
    for text in &args.literals {
        let pair = literal(text).within(|| format!("literal sources [{}]", args.literals.join(" ")))?;
        pairs.push(pair);
    }
    for source in &args.files {
        let pair = file(source, loader).within(|| format!("file sources: [{}]", args.files.join(" ")))?;
        pairs.push(pair);
    }
    Ok(pairs)
}

fn env_file(path: &str, loader: &Loader<'_>, pairs: &mut Vec<Pair>) -> Result<()> {
    let content = loader.load(path)?;
    for (number, line) in content.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = std::str::from_utf8(line)
            .map_err(|_| Error::invalid(format!("line {} of '{path}' has invalid utf8 bytes", number + 1)))?;
        let line = if number == 0 {
            line.trim_start_matches('\u{feff}')
        } else {
            line
        };
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        if !key.is_empty() {
            pairs.push((key.to_owned(), value.as_bytes().to_vec()));
        }
    }
    Ok(())
}

fn literal(text: &str) -> Result<Pair> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), unquote(value).as_bytes().to_vec())),
        _ => Err(Error::invalid(format!(
            "invalid literal source {text}, expected key=value"
        ))),
    }
}

/// Takes off quotes that stand on both sides.
fn unquote(text: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner;
        }
    }
    text
}

fn file(source: &str, loader: &Loader<'_>) -> Result<Pair> {
    let (key, path) = match source.split_once('=') {
        None => (base_name(source), source),
        Some(("", path)) if !path.contains('=') => {
            return Err(Error::invalid(format!(
                "missing key name for file path \"{path}\" in source \"{source}\""
            )));
        }
        Some((key, "")) => {
            return Err(Error::invalid(format!(
                "missing file path for key name \"{key}\" in source \"{source}\""
            )));
        }
        Some((_, path)) if path.contains('=') => {
            return Err(Error::invalid(format!(
                "source \"{source}\" key name or file path contains '='"
            )));
        }
        Some(pair) => pair,
    };
    Ok((key.to_owned(), loader.load(path)?))
}
