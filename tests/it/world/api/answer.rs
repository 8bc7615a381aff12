//! Answers of the API server as HTTP: objects, lists, `Status`, and streams.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{BufMut, Bytes, BytesMut};
use http_body::{Body, Frame};
use serde_json::{Value, json};

use super::super::wire::Refusal;
use super::store::Version;
use super::watch::Stream;
use super::writes::Refused;

pub type Response = http::Response<Reply>;

/// The body of an answer.
pub enum Reply {
    Whole(Option<Bytes>),
    Stream(Box<Stream>),
}

impl Body for Reply {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.get_mut() {
            Self::Whole(body) => Poll::Ready(body.take().map(|body| Ok(Frame::data(body)))),
            Self::Stream(stream) => stream.poll_line(context).map(|line| line.map(|line| line.map(Frame::data))),
        }
    }
}

pub fn whole(status: u16, body: Bytes) -> Response {
    let builder = http::Response::builder().status(status).header("content-type", "application/json");
    builder.body(Reply::Whole(Some(body))).unwrap()
}

pub fn json(status: u16, body: &Value) -> Response {
    whole(status, Bytes::from(body.to_string()))
}

pub fn object(object: &Version) -> Response {
    whole(200, object.json.clone())
}

/// A list, put together from what is served of each object already.
pub fn list<'a>(kind: &str, number: u64, objects: impl Iterator<Item = &'a Version>) -> Response {
    let mut body = BytesMut::with_capacity(4096);
    body.put_slice(b"{\"apiVersion\":\"entrain.dev/v1alpha1\",\"kind\":\"");
    body.put_slice(kind.as_bytes());
    body.put_slice(b"List\",\"metadata\":{\"resourceVersion\":\"");
    body.put_slice(number.to_string().as_bytes());
    body.put_slice(b"\"},\"items\":[");
    for (index, object) in objects.enumerate() {
        if index > 0 {
            body.put_u8(b',');
        }
        body.put_slice(&object.json);
    }
    body.put_slice(b"]}");
    whole(200, body.freeze())
}

pub fn status(code: u16, reason: &str, message: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure", "code": code, "reason": reason,
        "message": message})
}

pub fn refused(refused: &Refused) -> Response {
    json(refused.code, &status(refused.code, refused.reason, &refused.message))
}

/// An answer that does not come from the server behind: its load balancer's, or that of its limits.
pub fn refusal(refusal: Refusal) -> Response {
    let reason = match refusal.status {
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "InternalError",
    };
    let mut response = json(refusal.status, &status(refusal.status, reason, "the server could not do it"));
    if let Some(wait) = refusal.wait {
        response.headers_mut().insert("retry-after", http::HeaderValue::from(wait));
    }
    response
}
