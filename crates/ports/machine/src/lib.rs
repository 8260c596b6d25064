//! What templates get from this machine: random numbers, time zones, keys and certificates. The time is what its caller
//! says; clusters and networks it does not know.

mod certificates;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rand::TryRngCore as _;
use rand::rngs::OsRng;
use weir_gotmpl::{CallError, CertificateRequest, Host, KeyKind};

/// The outside of a render.
#[derive(Debug)]
pub struct Machine {
    now: Timestamp,
    lint: bool,
    /// What templates were warned about.
    pub warnings: Vec<String>,
}

impl Machine {
    /// One on which it is now this time.
    pub fn new(now: Timestamp) -> Self {
        Self {
            now,
            lint: false,
            warnings: Vec::new(),
        }
    }

    /// The same for linting: `required` and `fail` only warn.
    pub fn linting(now: Timestamp) -> Self {
        Self {
            lint: true,
            ..Self::new(now)
        }
    }
}

fn offset(zone: &TimeZone, seconds: i64) -> Option<(i32, String)> {
    let at = Timestamp::from_second(seconds).ok()?;
    let info = zone.to_offset_info(at);
    Some((info.offset().seconds(), info.abbreviation().to_owned()))
}

impl Host for Machine {
    fn random(&mut self, bytes: &mut [u8]) -> Result<(), CallError> {
        // Of the system itself: a process that makes one password would first prepare a generator of its own for as long as
        // a large chart takes.
        OsRng
            .try_fill_bytes(bytes)
            .map_err(|_| CallError::new("no source of random bytes"))
    }

    fn now(&mut self) -> Result<i128, CallError> {
        Ok(self.now.as_nanosecond())
    }

    fn zone(&mut self, name: &str, seconds: i64) -> Option<(i32, String)> {
        if matches!(name, "UTC" | "") {
            return Some((0, "UTC".to_owned()));
        }
        offset(&TimeZone::get(name).ok()?, seconds)
    }

    fn local_zone(&mut self, seconds: i64) -> (i32, String) {
        offset(&TimeZone::system(), seconds).unwrap_or_else(|| (0, "UTC".to_owned()))
    }

    fn private_key(&mut self, kind: KeyKind) -> Result<String, CallError> {
        certificates::private_key(kind).map_err(CallError::new)
    }

    fn certificate(&mut self, request: &CertificateRequest<'_>) -> Result<(String, String), CallError> {
        certificates::certificate(request, self.now).map_err(CallError::new)
    }

    fn warn(&mut self, message: &str) {
        self.warnings.push(message.to_owned());
    }

    fn is_lint(&self) -> bool {
        self.lint
    }
}
