//! A stream of YAML documents taken apart as Helm does it.

/// The documents of a stream, without the blank ones.
///
/// Three dashes at the start of a line separate, whatever follows them: charts may render `---apiVersion: v1`, and Helm
/// has always read that as a new document. White space before a document is dropped, after it is kept.
pub fn split<'s>(stream: &'s str) -> Vec<&'s str> {
    let mut documents = Vec::new();
    let mut add = |document: &'s str| {
        if !document.is_empty() {
            documents.push(document);
        }
    };
    let stream = stream.trim_start();
    let mut from = 0;
    for separator in separators(stream) {
        add(stream.get(from..separator).unwrap_or_default().trim_start());
        let rest = stream.get(separator + 3..).unwrap_or_default();
        from = separator + 3 + (rest.len() - rest.trim_start_matches([' ', '\t']).len());
    }
    add(stream.get(from..).unwrap_or_default().trim_start());
    documents
}

/// Where lines start with three dashes.
fn separators(stream: &str) -> impl Iterator<Item = usize> + '_ {
    let first = stream.starts_with("---").then_some(0);
    first
        .into_iter()
        .chain(stream.match_indices("\n---").map(|(at, _)| at + 1))
}
