//! Tokens that age, over a login that each test makes answer as it likes, in virtual time.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use uuid::Uuid;

use super::super::super::observer::Ignore;
use super::super::super::operation::Operation;
use super::super::source::Material;
use super::*;

const LIFE: Duration = Duration::from_secs(4000);
/// Within the time in which every token is renewed, and long before its end.
const DUE: Duration = Duration::from_secs(3650);
const RETRY: Duration = Duration::from_secs(60);
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone)]
enum Login {
    Grants,
    Refuses,
    Throttles(Duration),
    Hangs,
}

/// Tokens, what the login does, and how often it began.
struct Desk {
    tokens: Tokens,
    login: Arc<Mutex<Login>>,
    begun: Arc<AtomicUsize>,
}

impl Desk {
    fn new() -> Self {
        let (conduct, begun) = (Arc::new(Mutex::new(Login::Grants)), Arc::new(AtomicUsize::new(0)));
        let (now, counted) = (conduct.clone(), begun.clone());
        let log_in = Arc::new(Fake { now, counted });
        let gate = Arc::new(Gate::new(Arc::new(Ignore)));
        let settings =
            Settings { log_in, login_timeout: TIMEOUT, login_retry: RETRY, gate, observer: Arc::new(Ignore) };
        Self { tokens: Tokens::new(settings), login: conduct, begun }
    }

    /// With a token that is due for renewal, and a login that answers in this way from now on.
    async fn aged(login: Login) -> Self {
        let desk = Self::new();
        desk.tokens.get().await.ok().unwrap();
        tokio::time::advance(DUE).await;
        *desk.login.lock() = login;
        desk
    }

    fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    /// Asks for a token each second and returns how many logins that cost; every answer is the token at hand, at once.
    async fn logins_during(&self, seconds: u64) -> usize {
        let before = self.begun();
        for _ in 0..seconds {
            let asked = Instant::now();
            assert_eq!(self.tokens.get().await.ok().unwrap().number, 1);
            assert_eq!(asked.elapsed(), Duration::ZERO, "nobody waits for a renewal");
            pass(Duration::from_secs(1)).await;
        }
        self.begun() - before
    }
}

/// Lets time pass, and everything happen that is due in it.
async fn pass(time: Duration) {
    assert!(tokio::time::timeout(time, std::future::pending::<()>()).await.is_err());
}

struct Fake {
    now: Arc<Mutex<Login>>,
    counted: Arc<AtomicUsize>,
}

impl LogIn for Fake {
    fn offer(&self) -> BoxFuture<'_, Result<Offer, LoginError>> {
        Box::pin(async { Ok(Offer::new(Material::ManagedIdentity { client_id: None })) })
    }

    fn present<'a>(&'a self, _: &'a Offer) -> BoxFuture<'a, Result<Issued, LoginError>> {
        self.counted.fetch_add(1, Ordering::SeqCst);
        Box::pin(answer(self.now.lock().clone()))
    }
}

async fn answer(login: Login) -> Result<Issued, LoginError> {
    match login {
        Login::Grants => {
            Ok(Issued { token: String::from("token").into(), life: LIFE, obtained: Timestamp::UNIX_EPOCH })
        }
        Login::Refuses => Err(LoginError::refused("refused")),
        Login::Throttles(wait) => Err(LoginError { retry_after: Some(wait), ..LoginError::unavailable("throttled") }),
        Login::Hangs => std::future::pending().await,
    }
}

fn rejection() -> Error {
    let error = Error::unsent(Kind::TokenRejected, Operation::ListJobs, Uuid::nil(), "not for this audience");
    Error { code: "InvalidAuthenticationToken".to_owned(), ..error }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_is_refused_is_not_tried_again_before_the_refusal_is_forgotten() {
    let desk = Desk::aged(Login::Refuses).await;
    assert_eq!(desk.logins_during(59).await, 1);
    assert_eq!(desk.logins_during(60).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_is_throttled_waits_as_long_as_the_login_service_asks() {
    let desk = Desk::aged(Login::Throttles(Duration::from_secs(200))).await;
    assert_eq!(desk.logins_during(199).await, 1);
    *desk.login.lock() = Login::Grants;
    pass(Duration::from_secs(2)).await;
    desk.tokens.get().await.ok().unwrap();
    pass(Duration::from_secs(1)).await;
    assert_eq!(desk.tokens.get().await.ok().unwrap().number, 2);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_hangs_holds_nobody_and_ends_in_time() {
    let desk = Desk::aged(Login::Hangs).await;
    assert_eq!(desk.logins_during(14).await, 1, "10 s for the login, then 5 s of rest");
    assert_eq!(desk.logins_during(15).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_before_its_end_and_not_for_all_at_the_same_instant() {
    let desk = Desk::new();
    let mut instants = BTreeSet::new();
    for _ in 0..50 {
        let held = desk.tokens.get().await.ok().unwrap();
        let after = held.renew - held.issued;
        assert!(after >= LIFE.mul_f64(0.85) && after <= LIFE.mul_f64(0.9), "{after:?}");
        instants.insert(after);
        desk.tokens.evict(held.number);
    }
    assert!(instants.len() > 10, "{instants:?}");
}

#[tokio::test(start_paused = true)]
async fn a_login_that_hangs_is_given_up_and_that_is_remembered() {
    let desk = Desk::new();
    *desk.login.lock() = Login::Hangs;
    let began = Instant::now();
    let (error, until) = desk.tokens.get().await.err().unwrap();
    assert_eq!((error.kind, began.elapsed()), (Kind::LoginUnavailable, TIMEOUT));
    assert_eq!(desk.tokens.get().await.err().unwrap().1, until);
    assert_eq!((desk.begun(), until), (1, Instant::now() + UNAVAILABLE_RETRY));
}

#[tokio::test(start_paused = true)]
async fn a_login_ends_and_is_remembered_even_if_its_caller_gives_up() {
    let desk = Desk::new();
    *desk.login.lock() = Login::Hangs;
    assert!(tokio::time::timeout(Duration::from_secs(1), desk.tokens.get()).await.is_err());
    pass(TIMEOUT).await;
    assert_eq!(desk.tokens.get().await.err().unwrap().0.kind, Kind::LoginUnavailable);
    assert_eq!(desk.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn tokens_that_graph_rejects_cost_one_more_login_and_then_none_until_the_rejection_is_forgotten() {
    let desk = Desk::new();
    let first = desk.tokens.get().await.ok().unwrap();
    assert!(desk.tokens.reject(first.number, &rejection()));
    let second = desk.tokens.get().await.ok().unwrap();
    assert!(!desk.tokens.reject(second.number, &rejection()));
    for _ in 0..59 {
        let (error, _) = desk.tokens.get().await.err().unwrap();
        assert_eq!((error.kind, error.code.as_str()), (Kind::TokenRejected, "InvalidAuthenticationToken"));
        pass(Duration::from_secs(1)).await;
    }
    assert_eq!(desk.begun(), 2);
    pass(Duration::from_secs(1)).await;
    let third = desk.tokens.get().await.ok().unwrap();
    assert!(!desk.tokens.reject(third.number, &rejection()), "one login is enough to see that it lasts");
    assert!(desk.tokens.get().await.is_err());
    assert_eq!(desk.begun(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_serves_other_requests_is_kept_when_one_goes_on_rejecting_it() {
    let desk = Desk::new();
    let first = desk.tokens.get().await.ok().unwrap();
    assert!(desk.tokens.reject(first.number, &rejection()));
    let second = desk.tokens.get().await.ok().unwrap();
    desk.tokens.accept(second.number);
    assert!(!desk.tokens.reject(second.number, &rejection()));
    assert_eq!(desk.tokens.get().await.ok().unwrap().number, second.number);
    pass(RETRY).await;
    assert!(desk.tokens.reject(second.number, &rejection()), "by now it may have been revoked");
}
