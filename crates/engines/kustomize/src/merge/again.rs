//! What a walk leaves of the patch's side, for an item that is met again.

use weir_yaml::{Data, Node};

use super::{Context, Directive, Origin, missing, take_directive};
use crate::ops::Kind;
use crate::schema::TypeRef;

impl<'a> Context<'a> {
    /// Does to a node of the patch what kyaml's walk does to it on the way, while it lays it over a destination: directives
    /// are taken out, and what the destination takes over as a whole has lost its nulls.
    ///
    /// Whatever is wrong is the walk's own to refuse. Lists that are merged by key are left as they are: none is known
    /// within items of a list with several keys, which alone are met again.
    pub(super) fn wear(self, dest: Option<&Node>, origin: &mut Node, schema: Option<TypeRef<'a>>) {
        if origin.is_null() || Kind::of(origin) != Kind::Mapping {
            return;
        }
        let Ok(directive) = take_directive(origin) else {
            return;
        };
        match dest.filter(|dest| !missing(Some(dest))) {
            _ if directive == Directive::Delete => {}
            Some(dest) if directive == Directive::Merge => {
                let Data::Mapping(entries) = origin.data_mut() else {
                    return;
                };
                for (key, value) in entries {
                    let Some(name) = key.as_str() else { continue };
                    let field = schema.and_then(|schema| schema.field(name));
                    self.wear(dest.get(name), value, field);
                }
            }
            _ => {
                let walked = self.walk(None, Origin::Some(origin.clone()), schema);
                if let Ok(Some(walked)) = walked.map(|outcome| outcome.node) {
                    *origin = walked;
                }
            }
        }
    }
}
