//! Authentication and authorisation by the API server. The reviews are created and stored nowhere.

use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, UserInfo};
use k8s_openapi::api::authorization::v1::{NonResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use kube::api::PostParams;
use kube::{Api, Client};

use super::{Error, bounded};

/// The user of a token; `None` if it belongs to none.
pub async fn authenticate(client: &Client, token: &str) -> Result<Option<UserInfo>, Error> {
    let spec = TokenReviewSpec { token: Some(token.to_owned()), audiences: None };
    let review = TokenReview { spec, ..TokenReview::default() };
    let answer = bounded(Api::all(client.clone()).create(&PostParams::default(), &review)).await?;
    let status = answer.status.unwrap_or_default();
    Ok(status.user.filter(|_| status.authenticated == Some(true)))
}

/// Whether a user may do something with a path of a server, such as `get` `/metrics`.
pub async fn may(client: &Client, user: UserInfo, verb: &str, path: &str) -> Result<bool, Error> {
    let attributes = NonResourceAttributes { path: Some(path.to_owned()), verb: Some(verb.to_owned()) };
    let spec = SubjectAccessReviewSpec {
        non_resource_attributes: Some(attributes),
        user: user.username,
        uid: user.uid,
        groups: user.groups,
        extra: user.extra,
        ..SubjectAccessReviewSpec::default()
    };
    let review = SubjectAccessReview { spec, ..SubjectAccessReview::default() };
    let answer = bounded(Api::all(client.clone()).create(&PostParams::default(), &review)).await?;
    Ok(answer.status.is_some_and(|status| status.allowed && status.denied != Some(true)))
}
