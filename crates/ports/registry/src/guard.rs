//! Where weir does not call by itself, for other clients than that of registries (security case N59).

use url::Url;

pub use crate::address::{GuardedResolver, may_follow, same_origin};
use crate::address::{Reach, reach};

/// Whether an address that stands in an object may be called: plain web, no user information, and not link-local, where
/// clouds keep their metadata services. A client must use [`GuardedResolver`] too: a name may lead there as well.
pub fn may_call(url: &Url) -> Result<(), String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("it has the scheme {:?}", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it has user information".to_owned());
    }
    if reach(url) == Reach::LinkLocal {
        return Err("it is link-local".to_owned());
    }
    Ok(())
}
