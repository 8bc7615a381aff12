//! Where manifests go, and what they are called.

use serde_json::json;

use super::super::Review;
use super::documents;

#[tokio::test]
async fn names_that_clash_get_more_parts_and_files_that_are_there_stay() {
    let review = Review::begin().await;
    let job = |number: usize, template: &str| json!({format!("{template}.7f0c.{number}"): {"scheduleState": "Active"}});
    for (number, name, template) in
        [(1, "Größe", "scim"), (2, "grosse", "BoxOutDelta"), (3, "On", "scim"), (4, "on", "scim")]
    {
        review.principal(number, &json!({"displayName": name, "jobs": job(number, template)})).await;
    }
    let expected = ["grosse-boxoutdelta.yaml", "grosse-scim.yaml", "on-scim-c0000000-2.yaml", "on-scim-c0000000.yaml"];
    assert_eq!(review.import(&["--output-dir", "deep/jobs"]).await.code, 0);
    assert_eq!(review.files("deep/jobs"), expected);

    review.write("deep/jobs/grosse-scim.yaml", "mine");
    std::fs::remove_file(review.dir.path().join("deep/jobs/grosse-boxoutdelta.yaml")).unwrap();
    let again = review.import(&["--output-dir", "deep/jobs"]).await;
    assert_eq!((again.code, review.read("deep/jobs/grosse-scim.yaml").as_str()), (1, "mine"));
    assert!(again.err.contains("'deep/jobs/grosse-scim.yaml'") && again.err.contains("--force"), "{}", again.err);
    assert_eq!(review.files("deep/jobs").len(), 3, "nothing was written");
    let forced = review.import(&["--output-dir", "deep/jobs", "--force"]).await;
    assert_eq!((forced.code, review.files("deep/jobs").len()), (0, 4), "{}", forced.err);
    assert!(review.read("deep/jobs/grosse-scim.yaml").contains("# Größe, app id d0000000-"));
    review.nothing_would_change("deep/jobs", 4).await;
}

#[tokio::test]
async fn a_file_in_the_place_of_the_directory_is_found_before_anybody_is_asked() {
    let review = Review::begin().await;
    review.write("jobs", "");
    let run = review.import(&["--output-dir", "jobs"]).await;
    assert_eq!((run.code, run.err.as_str()), (1, "entrain: 'jobs' is not a directory\n"));
    assert_eq!(review.arrived("listServicePrincipals").await, 0);
}

#[tokio::test]
async fn what_the_tenant_calls_something_stays_a_comment() {
    let review = Review::begin().await;
    let odd = "x\nspec: {state: Paused}\r---\u{2028}kind: Secret\u{85}a\u{1b}[2J";
    let jobs = json!({"scim.7f0c.1": {"scheduleState": "Active"}});
    review.principal(1, &json!({"displayName": odd, "appId": "a\nb", "jobs": jobs})).await;
    let run = review.import(&[]).await;
    let objects = documents(&run.out);
    assert_eq!((run.code, objects.len(), &objects[0]["spec"]["state"]), (0, 1, &json!("Running")), "{}", run.out);
    assert!(!run.out.contains(['\u{1b}', '\u{2028}', '\u{85}', '\r']), "{}", run.out);
}
