//! Lists, read page by page.

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use url::Url;

use super::answer::parse;
use super::client::Client;
use super::error::{Error, Kind};
use super::operation::Operation;
use super::request::Call;

const PAGES_MAX: usize = 100;
/// The size of a list, all its pages together.
const LIST_BYTES_MAX: usize = 16 * 1024 * 1024;

/// One page of a collection. `value` is not optional: a page without it says nothing about what there is.
#[derive(Debug, Deserialize)]
pub(super) struct Page<T> {
    pub value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    pub next_link: Option<String>,
}

impl Client {
    /// Reads every page or nothing, within one time limit and one limit of size for all pages.
    pub(super) async fn list<T: DeserializeOwned>(&self, operation: Operation, first: Url) -> Result<Vec<T>, Error> {
        let (mut items, mut seen, mut next, mut bytes) = (Vec::new(), HashSet::new(), first, 0);
        let until = Some(Instant::now() + self.list_timeout());
        loop {
            let call = Call { until, ..Call::read(operation, next.clone()) };
            let refuse = |message| Err(call.failed(Kind::Refused, message));
            if seen.len() == PAGES_MAX || !seen.insert(next.clone()) {
                return refuse("the list of pages does not end");
            }
            let answer = self.send(&call).await?;
            bytes += answer.len();
            if bytes > LIST_BYTES_MAX {
                return refuse("the pages of the list are larger than 16 MiB together");
            }
            let page: Page<T> = parse(&call, &answer)?;
            items.extend(page.value);
            let Some(link) = page.next_link else { return Ok(items) };
            match Url::parse(&link) {
                Ok(link) if self.is_ours(&link) => next = link,
                _ => return refuse("the next page is at another host; no request was sent there"),
            }
        }
    }
}
