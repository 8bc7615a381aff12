//! Credentials that are revoked, replaced, not known yet or gone, in virtual time.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::join_all;
use secrecy::ExposeSecret;

use super::super::super::observer::Ignore;
use super::super::source::{Material, NoMaterial};
use super::*;

const LIFE: Duration = Duration::from_secs(4000);
const RETRY: Duration = Duration::from_secs(60);
const MINUTE: Duration = Duration::from_secs(60);

/// A source that holds what a test puts there, and a login service that knows some secrets.
struct Desk {
    holds: Mutex<Result<Material, NoMaterial>>,
    /// What the source holds after its next read.
    next: Mutex<Option<Material>>,
    known: Mutex<BTreeSet<String>>,
    code: Mutex<&'static str>,
    reads: AtomicUsize,
    logins: AtomicUsize,
}

impl LogIn for Desk {
    fn offer(&self) -> BoxFuture<'_, Result<Offer, LoginError>> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let holds = self.holds.lock().clone();
        if let Some(next) = self.next.lock().take() {
            *self.holds.lock() = Ok(next);
        }
        Box::pin(async { holds.map(Offer::new).map_err(|nothing| LoginError::without_material(&nothing)) })
    }

    fn present<'a>(&'a self, offer: &'a Offer) -> BoxFuture<'a, Result<Issued, LoginError>> {
        self.logins.fetch_add(1, Ordering::SeqCst);
        let secret = match &offer.material {
            Material::ClientSecret { secret, .. } => secret.expose_secret().to_owned(),
            Material::Assertion { token, .. } => token.expose_secret().to_owned(),
            other => panic!("{other:?}"),
        };
        let known = self.known.lock().contains(&secret);
        let refusal = LoginError { code: (*self.code.lock()).to_owned(), ..LoginError::refused("refused") };
        let token = Issued { token: secret.into(), life: LIFE, obtained: Timestamp::UNIX_EPOCH };
        Box::pin(async move { if known { Ok(token) } else { Err(refusal) } })
    }
}

impl Desk {
    fn new(holds: Material, known: &[&str]) -> (Arc<Self>, Tokens) {
        let desk = Arc::new(Self {
            holds: Mutex::new(Ok(holds)),
            next: Mutex::default(),
            known: Mutex::new(known.iter().map(|secret| (*secret).to_owned()).collect()),
            code: Mutex::new("AADSTS7000215"),
            reads: AtomicUsize::new(0),
            logins: AtomicUsize::new(0),
        });
        let gate = Arc::new(Gate::new(Arc::new(Ignore)));
        let (log_in, login_timeout, observer) = (desk.clone(), Duration::from_secs(10), Arc::new(Ignore));
        (desk, Tokens::new(Settings { log_in, login_timeout, login_retry: RETRY, gate, observer }))
    }

    fn logins(&self) -> usize {
        self.logins.load(Ordering::SeqCst)
    }

    fn know(&self, secret: &str) {
        *self.known.lock() = BTreeSet::from([secret.to_owned()]);
    }
}

fn secret(secret: &str) -> Material {
    Material::ClientSecret { client_id: "client".to_owned(), secret: secret.to_owned().into() }
}

/// A federated token; each has another id.
fn federated(subject: &str, id: usize) -> Material {
    let claims = serde_json::json!({"iss": "https://issuer.example.test", "sub": subject, "jti": id.to_string()});
    let token = format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims.to_string()));
    Material::Assertion { client_id: "client".to_owned(), token: token.into() }
}

/// Asks again and again, each time at the instant that the answer names, until there is a token or this instant.
async fn patient(tokens: &Tokens, until: Instant) -> Option<Held> {
    while Instant::now() < until {
        match tokens.get().await {
            Ok(held) => return Some(held),
            Err((_, again)) => tokio::time::sleep_until(again.min(until)).await,
        }
    }
    None
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_with_one_revoked_secret_cost_one_login_per_back_off() {
    let (desk, tokens) = Desk::new(secret("revoked"), &[]);
    let until = Instant::now() + 60 * MINUTE;
    let held = join_all((0..1000).map(|_| patient(&tokens, until))).await;
    assert!(held.iter().all(Option::is_none));
    // 0, 1, 3, 7, 15, 25, 35, 45 and, without chance, 55 minutes.
    assert!((8..=9).contains(&desk.logins()), "{}", desk.logins());
    assert!(desk.reads.load(Ordering::SeqCst) <= 75, "the source is read once a minute, and after each refusal");
}

#[tokio::test(start_paused = true)]
async fn a_replaced_secret_is_used_within_a_minute_however_long_the_back_off_is() {
    let (desk, tokens) = Desk::new(secret("old"), &["new"]);
    assert!(patient(&tokens, Instant::now() + 30 * MINUTE).await.is_none());
    *desk.holds.lock() = Ok(secret("new"));
    let (before, replaced) = (desk.logins(), Instant::now());
    let held = join_all((0..1000).map(|_| patient(&tokens, replaced + 10 * MINUTE))).await;
    assert!(held.iter().all(Option::is_some));
    assert!(replaced.elapsed() <= RETRY, "{:?}", replaced.elapsed());
    assert_eq!(desk.logins() - before, 1);
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_was_replaced_meanwhile_is_used_at_once_when_the_refusal_comes() {
    let (desk, tokens) = Desk::new(secret("old"), &["new"]);
    *desk.next.lock() = Some(secret("new"));
    assert_eq!(tokens.get().await.ok().unwrap().token.expose_secret(), "new");
    assert_eq!((desk.logins(), tokens.presented().is_some()), (2, true));
}

#[tokio::test(start_paused = true)]
async fn a_second_wrong_secret_starts_the_back_off_over() {
    let (desk, tokens) = Desk::new(secret("first"), &[]);
    assert!(patient(&tokens, Instant::now() + 30 * MINUTE).await.is_none());
    *desk.holds.lock() = Ok(secret("second"));
    tokio::time::sleep(MINUTE).await;
    let before = desk.logins();
    assert!(patient(&tokens, Instant::now() + 2 * MINUTE).await.is_none());
    assert_eq!(desk.logins() - before, 2, "at once, and after a minute");
}

#[tokio::test(start_paused = true)]
async fn a_new_federated_token_of_the_same_subject_is_no_other_credential() {
    let (desk, tokens) = Desk::new(federated("a", 0), &[]);
    for id in 1..30 {
        assert!(tokens.get().await.is_err());
        *desk.holds.lock() = Ok(federated("a", id));
        tokio::time::sleep(MINUTE).await;
    }
    assert!(desk.logins() <= 6, "{}", desk.logins());
    let before = desk.logins();
    *desk.holds.lock() = Ok(federated("b", 0));
    tokio::time::sleep(MINUTE).await;
    assert!(tokens.get().await.is_err());
    assert_eq!(desk.logins() - before, 1, "another subject is another credential");
}

#[tokio::test(start_paused = true)]
async fn a_federated_credential_that_is_not_known_yet_is_tried_often_and_then_slowly() {
    let (desk, tokens) = Desk::new(federated("a", 0), &[]);
    *desk.code.lock() = "AADSTS70021";
    let began = Instant::now();
    assert!(patient(&tokens, began + Duration::from_secs(40)).await.is_none());
    assert_eq!(desk.logins(), 2, "at once and after 15 s; the next is after 30 s more");
    assert!(patient(&tokens, began + 10 * MINUTE).await.is_none());
    let fast = desk.logins();
    assert!((9..=12).contains(&fast), "{fast}");
    assert!(patient(&tokens, began + 70 * MINUTE).await.is_none());
    assert!(desk.logins() - fast <= 9, "{}", desk.logins() - fast);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_flaps_after_the_first_success_costs_nobody_the_token() {
    let (desk, tokens) = Desk::new(federated("a", 0), &[]);
    *desk.code.lock() = "AADSTS70021";
    let Material::Assertion { token, .. } = federated("a", 0) else { unreachable!() };
    desk.know(token.expose_secret());
    tokens.get().await.ok().unwrap();
    tokio::time::sleep(LIFE.mul_f64(0.91)).await;
    desk.know("nothing");
    assert_eq!(tokens.get().await.ok().unwrap().number, 1);
    tokio::time::sleep(Duration::from_secs(1)).await;
    desk.know(token.expose_secret());
    tokio::time::sleep(Duration::from_secs(17)).await;
    assert_eq!(tokens.get().await.ok().unwrap().number, 1, "the next try runs in the background");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(tokens.get().await.ok().unwrap().number, 2);
}

#[tokio::test(start_paused = true)]
async fn an_assertion_outside_of_its_time_is_made_again_at_once_and_only_once() {
    for code in ["AADSTS700024", "AADSTS500133"] {
        let (desk, tokens) = Desk::new(federated("a", 0), &[]);
        let Material::Assertion { token, .. } = federated("a", 1) else { unreachable!() };
        desk.know(token.expose_secret());
        (*desk.code.lock(), *desk.next.lock()) = (code, Some(federated("a", 1)));
        assert!(tokens.get().await.is_ok(), "{code}");
        assert_eq!(desk.logins(), 2);

        let (desk, tokens) = Desk::new(federated("a", 0), &[]);
        *desk.code.lock() = code;
        let (error, again) = tokens.get().await.err().unwrap();
        assert_eq!((error.code.as_str(), desk.logins()), (code, 2));
        assert!(again >= Instant::now() + RETRY);
        assert!(tokens.get().await.is_err());
        assert_eq!(desk.logins(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn the_token_in_use_survives_a_vanished_secret_until_it_expires() {
    let (desk, tokens) = Desk::new(secret("good"), &["good"]);
    tokens.get().await.ok().unwrap();
    let gone = NoMaterial { code: "SecretNotFound", message: "the Secret does not exist".to_owned(), passes: false };
    *desk.holds.lock() = Err(gone);
    let began = Instant::now();
    while began.elapsed() + Duration::from_secs(60) < LIFE {
        assert_eq!(tokens.get().await.ok().unwrap().number, 1, "{:?}", began.elapsed());
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    tokio::time::sleep(MINUTE).await;
    let (error, _) = tokens.get().await.err().unwrap();
    assert_eq!((error.kind, error.code.as_str()), (Kind::LoginRefused, "SecretNotFound"));
    assert_eq!(desk.logins(), 1);

    *desk.holds.lock() = Ok(secret("good"));
    assert!(patient(&tokens, Instant::now() + 2 * MINUTE).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_source_that_cannot_be_read_now_is_read_again_soon_and_shuts_nothing() {
    let (desk, tokens) = Desk::new(secret("good"), &["good"]);
    let passes = NoMaterial { code: "", message: "the API server does not answer".to_owned(), passes: true };
    *desk.holds.lock() = Err(passes);
    for _ in 0..20 {
        let (error, again) = tokens.get().await.err().unwrap();
        assert_eq!((error.kind, again - Instant::now()), (Kind::LoginUnavailable, UNAVAILABLE_RETRY));
        tokio::time::sleep_until(again).await;
    }
    let open = super::super::super::breaker::Availability::Open;
    assert_eq!(tokens.0.settings.gate.availability(), open, "it shows nothing about the login service");
    *desk.holds.lock() = Ok(secret("good"));
    assert!(tokens.get().await.is_ok());
}
