//! Which hooks run, and which objects go when they have.

use crate::manifest::{Event, Hook, Policy};

/// Which hooks are run of those that an event calls, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only these; empty for all.
    pub only: Vec<String>,
    /// Never these.
    pub not: Vec<String>,
}

impl Filter {
    fn lets(&self, hook: &Hook) -> bool {
        !self.not.contains(&hook.name) && (self.only.is_empty() || self.only.contains(&hook.name))
    }
}

/// The positions of the hooks that run at an event, in the order in which they run.
pub fn chosen(hooks: &[Hook], event: Event, filter: &Filter) -> Vec<usize> {
    let mut chosen = Hook::at(hooks, event);
    chosen.retain(|at| hooks.get(*at).is_some_and(|hook| filter.lets(hook)));
    chosen
}

/// The hooks whose objects go after all have succeeded, in the order in which they go: the last that ran first.
pub fn after_success(hooks: &[Hook], ran: &[usize]) -> Vec<usize> {
    deleted(hooks, ran.iter().rev(), &Policy::Succeeded)
}

/// The hooks whose objects go after the last of those that `ran` failed, in the order in which they go.
pub fn after_failure(hooks: &[Hook], ran: &[usize]) -> Vec<usize> {
    let Some((failed, before)) = ran.split_last() else {
        return Vec::new();
    };
    let mut gone = deleted(hooks, [failed].into_iter(), &Policy::Failed);
    gone.extend(deleted(hooks, before.iter(), &Policy::Succeeded));
    gone
}

fn deleted<'r>(hooks: &[Hook], ran: impl Iterator<Item = &'r usize>, policy: &Policy) -> Vec<usize> {
    ran.copied()
        .filter(|at| hooks.get(*at).is_some_and(|hook| hook.is_deleted(policy)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hook(name: &str, weight: i64, policies: &[Policy]) -> Hook {
        Hook {
            name: name.to_owned(),
            kind: "Job".to_owned(),
            events: vec![Event::Test],
            weight,
            delete_policies: policies.to_vec(),
            ..Hook::default()
        }
    }

    #[test]
    fn hooks_go_by_their_policies_when_they_have_run() {
        let hooks = [
            hook("last", 5, &[Policy::Failed]),
            hook("first", -1, &[Policy::Succeeded]),
            hook("second", 0, &[Policy::BeforeCreation]),
            hook("third", 1, &[Policy::Succeeded, Policy::Failed]),
        ];
        let ran = chosen(&hooks, Event::Test, &Filter::default());
        assert_eq!(ran, [1, 2, 3, 0]);
        assert_eq!(after_success(&hooks, &ran), [3, 1]);
        assert_eq!(after_failure(&hooks, &ran), [0, 1, 3]);
        assert_eq!(after_failure(&hooks, &[]), [0_usize; 0]);
    }

    #[test]
    fn a_filter_names_hooks() {
        let hooks = [hook("a", 0, &[]), hook("b", 0, &[]), hook("c", 0, &[])];
        let names = |only: &[&str], not: &[&str]| {
            let filter = Filter {
                only: only.iter().map(|&name| name.to_owned()).collect(),
                not: not.iter().map(|&name| name.to_owned()).collect(),
            };
            chosen(&hooks, Event::Test, &filter)
        };
        assert_eq!(names(&["b"], &[]), [1]);
        assert_eq!(names(&[], &["b"]), [0, 2]);
        assert_eq!(names(&["a", "b"], &["b"]), [0]);
    }
}
