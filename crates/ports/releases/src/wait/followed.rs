//! Objects that are waited for: how each was last seen, and when to look again.

use std::time::Duration;

use futures::stream::{BoxStream, SelectAll};
use futures::{StreamExt, stream};
use tokio::time::{Instant, sleep_until};
use weir_apis::{Object, ObjectRef};
use weir_cluster::{Seen, chain, follow};

use super::IN_FLIGHT;
use crate::Context;
use crate::error::Failure;

/// How an object was last seen.
#[derive(Debug, Clone)]
pub(super) enum Latest {
    There(Box<Object>),
    Gone,
    /// It could not be read.
    Unknown(String),
}

/// Why there is something to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Objects have changed.
    Changed,
    /// It is time to look at what no watch shows.
    Look,
    /// Time is up; what is open has just been read once more.
    Over,
}

struct One {
    object: ObjectRef,
    latest: Latest,
    is_followed: bool,
    has_changed: bool,
}

/// The objects of one wait.
pub(super) struct Followed {
    all: Vec<One>,
    streams: SelectAll<BoxStream<'static, (usize, Seen)>>,
    end: Instant,
    every: Duration,
    next_look: Instant,
}

impl Followed {
    /// Objects as they have just been stored.
    pub(super) fn of(stored: &[&Object], timeout: Duration, every: Duration) -> Self {
        let there = |object: &&Object| (object.reference(), Latest::There(Box::new(Object::clone(object))));
        Self::new(stored.iter().map(there).collect(), timeout, every)
    }

    /// Objects as they were just seen.
    pub(super) fn new(objects: Vec<(ObjectRef, Latest)>, timeout: Duration, every: Duration) -> Self {
        let all = objects.into_iter().map(|(object, latest)| One {
            object,
            latest,
            is_followed: false,
            has_changed: false,
        });
        let now = Instant::now();
        Self {
            all: all.collect(),
            streams: SelectAll::new(),
            end: now + timeout,
            every,
            next_look: now + every,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn objects(&self) -> impl Iterator<Item = &ObjectRef> {
        self.all.iter().map(|one| &one.object)
    }

    /// How an object was last seen.
    pub(super) fn latest(&self, at: usize) -> &Latest {
        self.all.get(at).map_or(&Latest::Gone, |one| &one.latest)
    }

    /// Waits until there is something to look at. Objects that are open are watched from now on; one that was watched once
    /// is until the end, since what was ready may not stay so.
    pub(super) async fn next(
        &mut self,
        ctx: &Context<'_>,
        is_open: impl Fn(usize) -> bool,
    ) -> Result<Turn, Failure> {
        for (at, one) in self.all.iter_mut().enumerate() {
            if is_open(at) && !one.is_followed {
                one.is_followed = true;
                let known = match &one.latest {
                    Latest::There(live) => Some(&**live),
                    _ => None,
                };
                let seen = follow(ctx.client.clone(), one.object.clone(), known);
                self.streams.push(seen.map(move |seen| (at, seen)).boxed());
            }
        }
        let until = self.next_look.min(self.end);
        tokio::select! {
            biased;
            () = ctx.cancel.cancelled() => return Err(Failure::cancelled()),
            Some((at, seen)) = self.streams.next() => {
                self.take(at, seen);
                return Ok(Turn::Changed);
            }
            () = sleep_until(until) => {}
        }
        if Instant::now() < self.end {
            self.next_look = Instant::now() + self.every;
            return Ok(Turn::Look);
        }
        self.read(ctx, is_open).await;
        Ok(Turn::Over)
    }

    fn take(&mut self, at: usize, seen: Seen) {
        if let Some(one) = self.all.get_mut(at) {
            one.has_changed = true;
            one.latest = match seen {
                Seen::There(live) => Latest::There(live),
                Seen::Gone => Latest::Gone,
            };
        }
    }

    /// The objects to look at in this turn: those that have changed, else all that are open.
    pub(super) fn changed(&mut self, turn: Turn, is_open: impl Fn(usize) -> bool) -> Vec<usize> {
        let all = self.all.iter_mut().enumerate();
        all.filter_map(|(at, one)| {
            let has_changed = std::mem::take(&mut one.has_changed);
            (has_changed || (turn != Turn::Changed && is_open(at))).then_some(at)
        })
        .collect()
    }

    /// Reads what is open, for the last time.
    async fn read(&mut self, ctx: &Context<'_>, is_open: impl Fn(usize) -> bool) {
        let open: Vec<usize> = (0..self.all.len()).filter(|at| is_open(*at)).collect();
        let looks: Vec<_> = open
            .iter()
            .filter_map(|at| self.all.get(*at))
            .map(|one| ctx.client.get(&one.object))
            .collect();
        let found: Vec<_> = stream::iter(looks).buffered(IN_FLIGHT).collect().await;
        for (at, found) in open.into_iter().zip(found) {
            if let Some(one) = self.all.get_mut(at) {
                one.latest = match found {
                    Ok(Some(live)) => Latest::There(Box::new(live)),
                    Ok(None) => Latest::Gone,
                    Err(error) => Latest::Unknown(chain(&error)),
                };
            }
        }
    }
}
