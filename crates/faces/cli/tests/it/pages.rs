//! `weir explain`.

use crate::harness::weir;

#[tokio::test]
async fn a_reason_is_explained_whatever_its_case() {
    let page = weir(&["explain", "healthcheckfailed"]).await.success();
    assert!(page.starts_with("# HealthCheckFailed\n"));
    assert!(page.contains("## What to do"));
}

#[tokio::test]
async fn without_a_reason_all_are_listed() {
    let list = weir(&["explain"]).await.success();
    assert_eq!(list.lines().count(), weir_apis::reason::ALL.len());
    for reason in weir_apis::reason::ALL {
        assert!(list.lines().any(|line| line.starts_with(reason)), "{reason}");
    }
}

#[tokio::test]
async fn an_unknown_reason_is_a_failure_with_near_ones() {
    let said = weir(&["explain", "healthcheck"]).await.failure();
    assert!(said.contains("there is no page about `healthcheck`"));
    assert!(said.contains("HealthCheckFailed"));
    let said = weir(&["explain", "HelthChekFailed"]).await.failure();
    assert!(said.contains("did you mean HealthCheckFailed?"), "{said}");
}
