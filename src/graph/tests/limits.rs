//! The budget between clients and Graph: who waits, for how long, and what an error then says.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::super::{
    ApplicationLimits, Availability, Client, Error, Kind, LimitSettings, Limits, LoginResult, Observer, Options,
    Priority, Processed, Rates, Seen, Shortage, Shut, Turn,
};
use super::fake::{self, Fake, Reply, pass};

const SECOND: Duration = Duration::from_secs(1);

/// The waits, and the last rates.
type Noted = (Vec<(Shortage, Duration)>, (f64, f64));

#[derive(Debug, Default)]
struct Notes(Mutex<Noted>);

impl Observer for Notes {
    fn call(&self, _: &Seen) {}
    fn login(&self, _: LoginResult) {}
    fn shut(&self, _: Instant, _: Shut) {}
    fn opened(&self) {}
    fn waited(&self, shortage: Shortage, took: Duration) {
        self.0.lock().0.push((shortage, took));
    }
    fn rates(&self, units: f64, writes: f64) {
        self.0.lock().1 = (units, writes);
    }
}

/// Limits with one write in a second, and what they are heard to say.
fn one_write_a_second(application: &ApplicationLimits) -> (Limits, Arc<Notes>) {
    let (rates, notes) = (Rates { writes_per_minute: 60.0, ..Rates::documented() }, Arc::new(Notes::default()));
    let settings = LimitSettings { in_flight_max: 16, rates };
    (Limits::new(settings, application.clone(), notes.clone()), notes)
}

/// A client that is logged in and has used up the burst of its writes.
async fn slow_writer() -> (Arc<Fake>, Client, Arc<Notes>) {
    let fake = Fake::new();
    let (limits, notes) = one_write_a_second(&ApplicationLimits::default());
    let client = fake.client_of(limits);
    start(&client).await.unwrap();
    (fake, client, notes)
}

async fn start(client: &Client) -> Result<(), Error> {
    client.start_job("sp", "job", &|| true).await
}

async fn list(client: &Client) -> Result<(), Error> {
    client.list_jobs("sp").await.map(drop)
}

#[tokio::test(start_paused = true)]
async fn writes_leave_at_their_rate_and_reads_do_not_wait_for_them() {
    let (fake, client, notes) = slow_writer().await;
    let began = Instant::now();
    let (writes, reads) = tokio::join!(join_all((0..5).map(|_| start(&client))), async {
        join_all((0..20).map(|_| list(&client))).await;
        began.elapsed()
    });
    assert!(writes.iter().all(Result::is_ok));
    assert!(began.elapsed() >= 4 * SECOND && began.elapsed() < 6 * SECOND, "{:?}", began.elapsed());
    assert!(reads.is_zero());
    assert_eq!(fake.calls(), 26);
    let (waits, rates) = notes.0.lock().clone();
    assert_eq!(waits.len(), 5, "{waits:?}");
    assert!(waits.iter().all(|(shortage, took)| *shortage == Shortage::Writes && *took <= 6 * SECOND));
    assert_eq!(rates, (344.75, 1.0));
}

#[tokio::test(start_paused = true)]
async fn deletions_go_before_changes_and_those_before_polls() {
    let (fake, client, _) = slow_writer().await;
    let order = [Priority::Poll, Priority::Change, Priority::Deletion];
    let (done, began) = (Mutex::new(Vec::new()), Instant::now());
    join_all(order.map(|priority| {
        let (client, done) = (client.with_priority(priority), &done);
        async move {
            start(&client).await.unwrap();
            done.lock().push(priority);
        }
    }))
    .await;
    assert_eq!(*done.lock(), [Priority::Deletion, Priority::Change, Priority::Poll]);
    assert_eq!(fake.arrived.lock().last().unwrap().priority, "Low");
    assert!(began.elapsed() < 4 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_turn_does_not_come_names_the_budget_and_was_not_sent() {
    let (fake, client, notes) = slow_writer().await;
    let began = Instant::now();
    let answers = join_all((0..40).map(|_| start(&client))).await;
    let late: Vec<Error> = answers.into_iter().filter_map(Result::err).collect();
    assert!((8..=12).contains(&late.len()), "{}", late.len());
    for error in late {
        assert_eq!((error.kind, error.processed, error.retry_at), (Kind::Busy, Processed::No, None));
        assert_eq!(error.message, "waited 30 s for its turn in the budget of writes; nothing was sent");
    }
    assert_eq!(began.elapsed(), 30 * SECOND);
    assert!(fake.calls() <= 32);
    assert_eq!(notes.0.lock().0.len(), 40, "who waited in vain has waited as well");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_takes_nothing_from_those_behind_it() {
    let (_fake, client, _) = slow_writer().await;
    let began = Instant::now();
    let (dropped, last) = tokio::join!(
        async { tokio::time::timeout(SECOND / 2, join_all((0..10).map(|_| start(&client)))).await },
        async {
            pass(SECOND / 10).await;
            start(&client).await
        }
    );
    assert!(dropped.is_err() && last.is_ok());
    assert!(began.elapsed() <= 2 * SECOND, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_is_withheld_is_given_back() {
    let (_fake, client, _) = slow_writer().await;
    pass(2 * SECOND).await;
    let began = Instant::now();
    for _ in 0..20 {
        assert_eq!(client.start_job("sp", "job", &|| false).await.unwrap_err().kind, Kind::Withheld);
    }
    start(&client).await.unwrap();
    assert!(began.elapsed() < SECOND / 10, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn those_that_wait_for_the_budget_do_not_wait_on_when_the_gate_shuts() {
    let (fake, client, _) = slow_writer().await;
    fake.graph(Reply::with(429, "retry-after", "60"));
    let began = Instant::now();
    let answers = join_all((0..10).map(|_| start(&client))).await;
    assert!(began.elapsed() <= 2 * SECOND, "{:?}", began.elapsed());
    let errors: Vec<Error> = answers.into_iter().map(Result::unwrap_err).collect();
    assert!(errors.iter().all(|error| error.kind == Kind::Throttled && error.retry_at.is_some()));
    assert_eq!(errors.iter().filter(|error| error.status == Some(429)).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn polls_are_held_back_while_others_wait_and_changes_are_not() {
    let fake = Fake::new();
    let client = fake.client();
    list(&client).await.unwrap();
    let poll = client.with_priority(Priority::Poll);
    assert_eq!((client.availability(), poll.availability()), (Availability::Open, Availability::Open));
    fake.graph(Reply::After(SECOND, Box::new(Reply::empty_list())));
    let (_, during) = tokio::join!(join_all((0..20).map(|_| list(&client))), async {
        pass(SECOND / 10).await;
        (client.availability(), poll.availability())
    });
    assert_eq!(during.0, Availability::Open);
    assert!(matches!(during.1, Availability::Shut { .. }), "{during:?}");
    assert_eq!(poll.availability(), Availability::Open);
}

#[tokio::test(start_paused = true)]
async fn a_429_of_the_whole_application_shuts_all_its_tenants_and_any_other_only_its_own() {
    for (scope, all) in
        [("Application/ReadWrite/app/tenant", true), ("Tenant/Write/app/t", false), ("Tenant_Application/Write", false)]
    {
        let (application, fake) = (ApplicationLimits::default(), Fake::new());
        let client = || fake.client_of(one_write_a_second(&application).0);
        let (one, other, stranger) = (client(), client(), fake.client());
        for client in [&one, &other, &stranger] {
            list(client).await.unwrap();
        }
        let headers = vec![("retry-after", "60".to_owned()), ("x-ms-throttle-scope", scope.to_owned())];
        fake.graph(Reply::Answer { status: 429, headers, body: String::new() });
        let until = list(&one).await.unwrap_err().retry_at;
        fake.graph(Reply::empty_list());
        assert_eq!(until, Some(Instant::now() + 60 * SECOND));
        assert_eq!(other.availability() != Availability::Open, all, "{scope}");
        let answer = list(&other).await;
        assert_eq!(
            answer.as_ref().err().map(|error| (error.kind, error.retry_at)),
            all.then_some((Kind::Throttled, until))
        );
        assert!(list(&stranger).await.is_ok());
        pass(60 * SECOND).await;
        list(&other).await.unwrap();
        list(&one).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn all_tenants_of_an_application_share_what_it_may_send_together() {
    let (application, fake) = (ApplicationLimits::default(), Fake::new());
    let clients: Vec<Client> = (0..20)
        .map(|_| {
            let rates = Rates::documented();
            fake.client_of(Limits::new(
                LimitSettings { in_flight_max: 16, rates },
                application.clone(),
                Arc::new(Notes::default()),
            ))
        })
        .collect();
    join_all(clients.iter().map(list)).await;
    let (began, before) = (Instant::now(), fake.calls());
    let all = clients.iter().map(|client| async move {
        while began.elapsed() < 60 * SECOND {
            let _ = join_all((0..16).map(|_| start(client))).await;
        }
    });
    join_all(all).await;
    let sent = fake.calls() - before;
    assert!(
        (13_000..=15_200).contains(&sent),
        "{sent} writes in a minute; 14,000 are documented, and 24,000 for the tenants"
    );
}

#[tokio::test(start_paused = true)]
async fn a_configured_rate_is_kept_from_the_next_call_on() {
    let fake = Fake::new();
    let limits = fake::options().own_limits();
    let client = fake.client_of(limits.clone());
    list(&client).await.unwrap();
    limits.set_rates(Rates { units_per_second: 1.0, writes_per_minute: 600.0 });
    let began = Instant::now();
    join_all((0..11).map(|_| list(&client))).await;
    assert!(began.elapsed() >= 9 * SECOND, "{:?}", began.elapsed());
    let slots = Options { in_flight_max: 0, ..fake::options() };
    list(&fake.client_of(slots.own_limits())).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn two_writes_of_one_lane_do_not_wait_for_twenty_of_another_that_came_first() {
    let (_fake, client, _) = slow_writer().await;
    let lane = |lane| client.with_turn(Turn { lane, ..Turn::default() });
    let (many, few) = (lane(1), lane(2));
    let (answers, took) = tokio::join!(join_all((0..20).map(|_| start(&many))), async {
        pass(SECOND / 10).await;
        let began = Instant::now();
        assert!(join_all((0..2).map(|_| start(&few))).await.iter().all(Result::is_ok));
        began.elapsed()
    });
    assert!(answers.iter().all(Result::is_ok));
    assert!(took <= 5 * SECOND, "{took:?}");
}
