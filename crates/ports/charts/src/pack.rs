//! Charts, packed.

use bytes::Bytes;
use jiff::Timestamp;
use weir_helm::{Chart, PackageError};
use weir_store::archive;

/// Why a chart cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The chart itself.
    #[error(transparent)]
    Chart(#[from] PackageError),
    /// Memory that takes no more.
    #[error("cannot write the archive")]
    Write(#[from] std::io::Error),
}

/// The archive of a chart: the tar within is Helm's byte for byte, the compression differs. Files without a time get
/// `now`.
pub fn pack(chart: &Chart, now: Timestamp) -> Result<Bytes, PackError> {
    let files = chart.package(now.into())?;
    let files = files.iter().map(|file| {
        let nanoseconds = file.modified.map_or(now, |time| time.timestamp()).as_nanosecond();
        // As Go does: to the nearest second.
        let seconds = (nanoseconds + 500_000_000).div_euclid(1_000_000_000);
        (
            file.name.as_str(),
            file.data.as_ref(),
            u64::try_from(seconds).unwrap_or_default(),
        )
    });
    Ok(archive::chart(files)?)
}
