//! Comparing a version with one comparison, rule by rule.

use std::cmp::Ordering;

use super::{Mismatch, Operator, Part, Precision};
use crate::version::{Version, compare_prerelease};

/// The reason given for a pre-release where only releases are looked for.
pub(super) fn is_prerelease(version: &Version) -> Mismatch {
    Mismatch(format!(
        "\"{version}\" is a prerelease version and the constraint is only looking for release versions"
    ))
}

impl Part {
    /// Whether `version` satisfies this comparison, and if not, why. A pre-release never does unless
    /// `prereleases` is set.
    pub(super) fn check(&self, version: &Version, prereleases: bool) -> Result<(), Mismatch> {
        if !version.prerelease().is_empty() && !prereleases {
            return Err(is_prerelease(version));
        }
        match self.operator {
            Operator::TildeOrEqual if self.precision == Precision::Full => {
                self.hold(*version == self.version, version, "is not equal to", "")
            }
            Operator::TildeOrEqual | Operator::Tilde => self.tilde(version),
            Operator::NotEqual => self.hold(self.differs(version), version, "is equal to", ""),
            Operator::Greater => {
                self.hold(self.exceeded_by(version), version, "is less than or equal to", "")
            }
            Operator::Less => self.hold(
                *version < self.version,
                version,
                "is greater than or equal to",
                "",
            ),
            Operator::GreaterEqual => self.hold(*version >= self.version, version, "is less than", ""),
            Operator::LessEqual => self.hold(self.covers(version), version, "is greater than", ""),
            Operator::Caret => self.caret(version),
        }
    }

    fn hold(&self, holds: bool, version: &Version, relation: &str, remark: &str) -> Result<(), Mismatch> {
        if holds {
            Ok(())
        } else {
            Err(Mismatch(format!(
                "\"{version}\" {relation} \"{}\"{remark}",
                self.written
            )))
        }
    }

    /// `!=`
    fn differs(&self, version: &Version) -> bool {
        let ours = &self.version;
        match self.precision {
            // `!=*` compares the major number with 0: nothing else was written.
            Precision::Nothing | Precision::Major if ours.major() != version.major() => true,
            Precision::Major => false,
            Precision::Nothing if ours.minor() != version.minor() => true,
            Precision::Nothing if ours.patch() != version.patch() => true,
            Precision::Nothing | Precision::Full => version != ours,
            Precision::Minor if (ours.major(), ours.minor()) != (version.major(), version.minor()) => true,
            Precision::Minor => {
                compare_prerelease(version.prerelease(), ours.prerelease()) != Ordering::Equal
            }
        }
    }

    /// `>`: a partial version stands for its whole range, so `>1.2` begins at 1.3.0.
    fn exceeded_by(&self, version: &Version) -> bool {
        match self.precision {
            Precision::Nothing | Precision::Full => *version > self.version,
            Precision::Major => version.major() > self.version.major(),
            Precision::Minor => {
                (version.major(), version.minor()) > (self.version.major(), self.version.minor())
            }
        }
    }

    /// `<=`: a partial version stands for its whole range, so `<=1.2` ends before 1.3.0.
    fn covers(&self, version: &Version) -> bool {
        let (major, minor) = (self.version.major(), self.version.minor());
        match self.precision {
            Precision::Full => *version <= self.version,
            Precision::Major => version.major() <= major,
            Precision::Nothing | Precision::Minor => (version.major(), version.minor()) <= (major, minor),
        }
    }

    /// `~`, and a partial version without an operator.
    fn tilde(&self, version: &Version) -> Result<(), Mismatch> {
        let ours = &self.version;
        self.hold(version >= ours, version, "is less than", "")?;
        let is_zero = (ours.major(), ours.minor(), ours.patch()) == (0, 0, 0);
        if is_zero && matches!(self.precision, Precision::Nothing | Precision::Full) {
            return Ok(());
        }
        self.hold(
            version.major() == ours.major(),
            version,
            "does not have same major version as",
            "",
        )?;
        let minor_fits = version.minor() == ours.minor() || self.precision == Precision::Major;
        self.hold(
            minor_fits,
            version,
            "does not have same major and minor version as",
            "",
        )
    }

    /// `^`: the leftmost number that is not zero stays.
    fn caret(&self, version: &Version) -> Result<(), Mismatch> {
        const MINOR: &str = ". Expected minor versions to match when constraint major version is 0";
        const PATCH: &str = ". Expect version and constraint to equal when major and minor versions are 0";
        let ours = &self.version;
        self.hold(version >= ours, version, "is less than", "")?;
        let major_fits = version.major() == ours.major();
        self.hold(major_fits, version, "does not have same major version as", "")?;
        if ours.major() > 0 || self.precision == Precision::Major {
            return Ok(());
        }
        let minor_fits = version.minor() == ours.minor();
        if ours.minor() > 0 || self.precision == Precision::Minor {
            return self.hold(minor_fits, version, "does not have same minor version as", MINOR);
        }
        self.hold(minor_fits, version, "does not have same minor version as", "")?;
        self.hold(version.patch() == ours.patch(), version, "does not equal", PATCH)
    }
}
