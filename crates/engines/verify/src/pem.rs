//! PEM blocks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The longest PEM text that is read, in bytes; an RSA key of 8192 bits needs about 1,500, a chain of three
/// certificates about 6,000.
const MAX_BYTES: usize = 64 * 1024;

/// Why a text has no PEM block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InvalidPem {
    /// Nothing begins a block.
    NoBlock,
    /// A block does not end, is no base64, or the text is too long.
    Malformed,
}

/// The label and the content of the first block.
pub(crate) fn first(pem: &str) -> Result<(&str, Vec<u8>), InvalidPem> {
    block(pem).map(|(label, content, _)| (label, content))
}

/// The contents of all blocks, which must have the label `wanted`. No blocks are no error.
pub(crate) fn all(pem: &str, wanted: &str) -> Result<Vec<Vec<u8>>, InvalidPem> {
    let mut contents = Vec::new();
    let mut rest = pem;
    loop {
        match block(rest) {
            Ok((label, content, after)) if label == wanted => {
                contents.push(content);
                rest = after;
            }
            Ok(_) => return Err(InvalidPem::Malformed),
            Err(InvalidPem::NoBlock) => return Ok(contents),
            Err(error) => return Err(error),
        }
    }
}

/// The label and the content of the first block, and what follows it.
fn block(pem: &str) -> Result<(&str, Vec<u8>, &str), InvalidPem> {
    if pem.len() > MAX_BYTES {
        return Err(InvalidPem::Malformed);
    }
    let (_, rest) = pem.split_once("-----BEGIN ").ok_or(InvalidPem::NoBlock)?;
    let (label, rest) = rest.split_once("-----").ok_or(InvalidPem::Malformed)?;
    let end = format!("-----END {label}-----");
    let (body, after) = rest.split_once(&end).ok_or(InvalidPem::Malformed)?;
    let body: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let content = STANDARD.decode(body).map_err(|_| InvalidPem::Malformed)?;
    Ok((label, content, after))
}
