//! What is wrong in the files is said before anybody is asked anything.

use super::{Review, WIKI, run, sync_job};

async fn nobody_was_asked(review: &Review) {
    assert_eq!(review.control.calls().await.unwrap()["value"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn an_unknown_field_is_named_with_its_file_and_document() {
    let review = Review::begin().await;
    let good = sync_job("wiki", WIKI, "scim", "");
    let bad = sync_job("box", &review.demo.service_principal_id, "scim", "pollInterval: 5, state: Paused");
    review.write("deep/jobs.yaml", &format!("{good}---\n{bad}"));
    let run = review.plan(&["-f", "."]).await;
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert_eq!(run.err, "entrain: ./deep/jobs.yaml, document 2: spec.pollInterval: there is no such field\n");
    nobody_was_asked(&review).await;
}

#[tokio::test]
async fn twins_are_refused() {
    let review = Review::begin().await;
    review.write("a.yaml", &sync_job("a", WIKI, "scim", ""));
    review.write("b.yaml", &sync_job("b", &format!("/servicePrincipals/{}", WIKI.to_uppercase()), "SCIM", ""));
    let run = review.plan(&["-f", "a.yaml", "-f", "b.yaml"]).await;
    assert_eq!(run.code, 1);
    assert!(run.err.contains("b.yaml, document 1: SyncJob 'identity/b' has the same"), "{}", run.err);
    assert!(run.err.contains("'identity/a' (a.yaml, document 1)"), "{}", run.err);
    nobody_was_asked(&review).await;
}

#[tokio::test]
async fn a_file_that_is_not_there_is_an_error_and_a_directory_without_sync_jobs_is_a_remark() {
    let review = Review::begin().await;
    let missing = review.plan(&["-f", "nowhere.yaml"]).await;
    assert_eq!(missing.code, 1);
    assert!(missing.err.contains("nowhere.yaml: "), "{}", missing.err);
    review.write("other.yaml", "kind: ConfigMap\n");
    let empty = run(review.command(&["-f", "."])).await;
    assert_eq!((empty.code, empty.out.as_str()), (0, "Verdict: no changes, 0 unchanged.\n"));
    assert!(empty.err.contains("there is no SyncJob"), "{}", empty.err);
    nobody_was_asked(&review).await;
}

#[tokio::test]
async fn a_command_line_that_is_not_understood_does_not_pass_for_changes() {
    let review = Review::begin().await;
    for arguments in [&["--colour"][..], &[]] {
        let run = review.plan(arguments).await;
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{}", run.err);
    }
    let help = review.plan(&["--help"]).await;
    assert_eq!(help.code, 0);
    assert!(help.out.contains("Exit codes:"), "{}", help.out);
}
