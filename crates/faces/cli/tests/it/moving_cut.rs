//! Runs that are cut at every request, and pairs of runs that meet at every request: a moving tag always names what
//! verifies, with its record, and running again ends as if nothing had happened.

use weir_oci::Digest;

use crate::harness::Ran;
use crate::line::{At, Line, is_shared};
use crate::moving::{PROMOTE, ROLLBACK, World, publish};
use crate::provenance::{GITHUB, stated};

const TAGS: [&str; 2] = ["latest", "stable"];

/// A world with two versions published, the first of them promoted.
async fn world() -> World {
    let world = World::new();
    world.publish("v1", &[]).await;
    world.run(&PROMOTE).await.success();
    world.publish("v2", &[]).await;
    world
}

async fn names(world: &World) -> Vec<Option<Digest>> {
    let mut names = Vec::new();
    for tag in TAGS {
        // What it names must verify.
        names.push(world.verified(tag).await.map(|(digest, _)| digest));
    }
    assert_eq!(world.registry.tags("org/apps"), TAGS, "other tags");
    names
}

/// Cuts the command at every request. Each time tags are as before or as after, and the next run does the rest.
async fn cut_everywhere(args: &[&str]) -> usize {
    cut_everywhere_from(world().await, args).await
}

async fn cut_everywhere_from(start: World, args: &[&str]) -> usize {
    let model = start.copy();
    let before = names(&model).await;
    let line = Line::to(&model.registry, At::Never).await;
    model.over(&line, args).await.success();
    let (after, count) = (names(&model).await, line.count());
    assert_ne!(before, after);
    for at in 0..count {
        let world = start.copy();
        let line = Line::to(&world.registry, At::Cut(at)).await;
        let ran = world.over(&line, args).await;
        let now = names(&world).await;
        // The last requests of all ask for what is not needed to say yes.
        let done = ran.exit == weir_cli::Exit::Success;
        assert!(now == after || (now == before && !done), "cut at {at}");
        world.run(args).await.success();
        assert_eq!(names(&world).await, after, "again after a cut at {at}");
        let sequence = |record: (Digest, weir_verify::Promotion)| record.1.sequence;
        for tag in TAGS {
            let (here, there) = (world.verified(tag).await, model.verified(tag).await);
            assert_eq!(here.map(sequence), there.map(sequence), "cut at {at}");
        }
        if at % 4 != 0 {
            continue;
        }
        // And there is nothing left to do.
        world.registry.forget_seen();
        world.run(args).await.success();
        let seen = world.registry.seen();
        assert!(
            seen.iter()
                .all(|one| ["GET", "HEAD"].contains(&one.method.as_str())),
            "cut at {at}"
        );
    }
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publication_that_is_cut_at_any_request_leaves_whole_tags_and_is_finished_by_the_next() {
    let folder = World::new();
    let path = folder.version("v3");
    let count = cut_everywhere(&publish(&path, "v3")).await;
    assert!(count > 30, "{count} requests");
}

/// A job states its provenance, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_publication_of_a_job_that_is_cut_at_any_request_is_finished_by_the_next() {
    let start = world().await.in_job(&GITHUB);
    let path = start.version("v3");
    let args = publish(&path, "v3");
    let count = cut_everywhere_from(start.copy(), &args).await;
    assert!(count > 40, "{count} requests");
    start.run(&args).await.success();
    assert_eq!(stated(&start).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_that_is_cut_at_any_request_leaves_whole_tags_and_is_finished_by_the_next() {
    let count = cut_everywhere(&PROMOTE).await;
    assert!(count > 15, "{count} requests");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_that_is_cut_at_any_request_leaves_whole_tags_and_is_finished_by_the_next() {
    let count = cut_everywhere(&ROLLBACK).await;
    assert!(count > 15, "{count} requests");
}

/// What a pair of runs left.
struct Met {
    world: World,
    held: Ran,
    whole: Ran,
}

/// Runs `held` up to this request of those that others can meet, then `whole` from start to end, then the rest of `held`. Nothing when `held` has no
/// such request.
async fn meet(start: &World, held: &[&str], at: usize, whole: &[&str]) -> Option<Met> {
    let world = start.copy();
    // That what is left at each request is whole, the cuts above show.
    let line = Line::over(world.registry.router(), is_shared, At::Hold(at)).await;
    let whole = async {
        let ran = world.run(whole).await;
        names(&world).await;
        ran
    };
    let (held, whole) = Box::pin(line.meeting(world.over(&line, held), whole)).await?;
    Some(Met { world, held, whole })
}

/// Lets two commands meet at every such request of the first. Whatever happens, the tags are whole, and once both are run
/// again they stay where the last of them puts them.
async fn meet_everywhere(held: &[&str], whole: &[&str], check: impl Fn(usize, &Met)) -> usize {
    meet_from(&world().await, held, whole, check).await
}

/// The same from another beginning.
async fn meet_from(start: &World, held: &[&str], whole: &[&str], check: impl Fn(usize, &Met)) -> usize {
    let mut at = 0;
    while let Some(met) = meet(start, held, at, whole).await {
        names(&met.world).await;
        check(at, &met);
        if at % 4 == 0 {
            next_goes_through(&met.world, at).await;
        }
        at += 1;
    }
    at
}

/// The next publication goes through, whatever was left, with a number that nobody has seen.
async fn next_goes_through(world: &World, at: usize) {
    let number = |record: Option<(Digest, weir_verify::Promotion)>| record.map(|one| one.1.sequence);
    let before = number(world.verified("latest").await);
    world.publish("v9", &[]).await;
    assert!(number(world.verified("latest").await) > before, "at {at}");
}

fn must_succeed(ran: &Ran, at: usize) {
    assert_eq!(ran.exit, weir_cli::Exit::Success, "at {at}: {}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_during_a_publication_and_the_other_way_round() {
    let folder = World::new();
    let path = folder.version("v3");
    let both = |at: usize, met: &Met| {
        must_succeed(&met.held, at);
        must_succeed(&met.whole, at);
    };
    assert!(meet_everywhere(&PROMOTE, &publish(&path, "v3"), both).await > 15);
    assert!(meet_everywhere(&publish(&path, "v3"), &PROMOTE, both).await > 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_rolled_back_meanwhile_does_not_come_back() {
    let folder = World::new();
    // What the tag names, published again while it is rolled back.
    let path = folder.version("v2");
    let count = meet_everywhere(&publish(&path, "v2"), &ROLLBACK, |at, met| {
        must_succeed(&met.whole, at);
        let bad = met.world.registry.tag("org/apps", "latest");
        let whole: &str = met.whole.stdout.trim();
        assert!(whole.ends_with(&bad.expect("a tag").to_string()), "at {at}");
    })
    .await;
    assert!(count > 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_publications_at_once_end_in_one_of_the_two() {
    let folder = World::new();
    let (one, other) = (folder.version("v3"), folder.version("v4"));
    let count = meet_everywhere(&publish(&one, "v3"), &publish(&other, "v4"), |at, met| {
        must_succeed(&met.held, at);
        must_succeed(&met.whole, at);
        let ended = met.world.tag("latest").expect("a tag").to_string();
        let of = |ran: &Ran| ran.stdout.trim().ends_with(&ended);
        assert!(of(&met.held) || of(&met.whole), "at {at}: {ended}");
    })
    .await;
    assert!(count > 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_promotions_at_once_end_in_one_of_the_two() {
    // What stable names, what the one promotes, what the other does.
    let start = world().await;
    let second = start.tag("latest").expect("a tag").to_string();
    start.publish("v3", &[]).await;
    let third = start.tag("latest").expect("a tag").to_string();
    let mut other = PROMOTE;
    for part in &mut other {
        if *part == "latest" {
            *part = &second;
        }
    }
    let count = meet_from(&start, &PROMOTE, &other, |at, met| {
        must_succeed(&met.held, at);
        must_succeed(&met.whole, at);
        let ended = met.world.tag("stable").expect("a tag").to_string();
        assert!([&second, &third].contains(&&ended), "at {at}: {ended}");
    })
    .await;
    assert!(count > 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_rollbacks_at_once_go_back_once() {
    let start = world().await;
    let good = start.tag("latest").expect("a tag");
    start.publish("v3", &[]).await;
    let count = meet_from(&start, &ROLLBACK, &ROLLBACK, |at, met| {
        must_succeed(&met.whole, at);
        let stopped = met.held.stderr.contains("moved by somebody else meanwhile");
        let done = met.held.exit == weir_cli::Exit::Success;
        assert!(stopped || done, "at {at}: {}", met.held.stderr);
        // Not to the one before that, too.
        assert_eq!(met.world.tag("latest"), Some(good), "at {at}");
    })
    .await;
    assert!(count > 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publication_while_a_rollback_is_under_way_and_the_other_way_round() {
    let folder = World::new();
    let path = folder.version("v3");
    // A rollback that finds something new there stops, for nobody wanted to go back from that.
    let count = meet_everywhere(&ROLLBACK, &publish(&path, "v3"), |at, met| {
        must_succeed(&met.whole, at);
        let stopped = met.held.stderr.contains("moved by somebody else meanwhile");
        let done = met.held.exit == weir_cli::Exit::Success;
        assert!(stopped || done, "at {at}: {}", met.held.stderr);
    })
    .await;
    assert!(count > 15);
    let count = meet_everywhere(&publish(&path, "v3"), &ROLLBACK, |at, met| {
        must_succeed(&met.held, at);
        must_succeed(&met.whole, at);
    })
    .await;
    assert!(count > 15);
}
