//! How complete and how fair the use of Graph is, as ratios that one run prints: against the bucket that Graph gives, and
//! against the same tenants alone. All time is virtual; nothing is asserted.

// A bench ends where it cannot go on.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod fleet;
mod graph;

use std::collections::HashMap;
use std::time::Duration;

use entrain::reconcile::Class;
use fleet::{Dirty, Served};
use graph::{Graph, Limit, Tenant, WRITES};
use tokio::time::Instant;

const HOUR: Duration = Duration::from_secs(3600);

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        for (name, limit) in [
            ("the documented bucket", WRITES),
            ("a quarter of it", Limit { rate: 5.0, ..WRITES }),
            ("a quarter, saved for 10 s", Limit { rate: 5.0, seconds: 10.0 }),
        ] {
            for shows_usage in [true, false] {
                goodput(name, &[limit], shows_usage, 0.98).await;
            }
        }
        let changes = [20.0, 8.0, 15.0, 4.0, 20.0];
        goodput("a bucket that changes four times", &changes.map(|rate| Limit { rate, ..WRITES }), false, 0.9).await;
        goodput("the same, saved for 10 s", &changes.map(|rate| Limit { rate, seconds: 10.0 }), false, 0.9).await;
        for (name, class) in [("created", Class::New), ("edited", Class::Change)] {
            tenants(name, class).await;
            namespaces(name, class).await;
        }
        logins().await;
    });
}

fn show(what: &str, value: f64, aim: &str) {
    println!("{what:<88} {value:>8.4}  (aim {aim})");
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run")]
fn ratio(one: u64, other: u64) -> f64 {
    one as f64 / other as f64
}

fn fleet_of(graph: &Graph, hosts: &[String]) -> HashMap<String, Served> {
    let mut tenants = graph.0.lock();
    hosts
        .iter()
        .map(|host| {
            tenants.insert(host.clone(), Tenant::new(WRITES));
            (host.clone(), fleet::serve(graph, host))
        })
        .collect()
}

fn dirty(tenant: &str, namespace: &str, at: f64, class: Class) -> Dirty {
    Dirty { tenant: tenant.into(), namespace: namespace.into(), at: Duration::from_secs_f64(at), class, endless: false }
}

/// Writes that Graph accepted against those that its bucket gave, an hour for each limit; the first bucket is saved up.
async fn goodput(name: &str, limits: &[Limit], shows_usage: bool, aim: f64) {
    let (graph, host) = (Graph::default(), "one.test".to_owned());
    let tenants = fleet_of(&graph, std::slice::from_ref(&host));
    let jobs: Vec<Dirty> = (0..64).map(|_| Dirty { endless: true, ..dirty(&host, "apps", 0.0, Class::New) }).collect();
    let of = |change: &dyn Fn(&mut Tenant)| change(graph.0.lock().get_mut(&host).unwrap());
    let mut given = limits[0].rate * limits[0].seconds;
    of(&|tenant| *tenant = Tenant::new(limits[0]));
    of(&|tenant| tenant.shows_usage = shows_usage);
    let run = fleet::run(&tenants, &jobs, HOUR * u32::try_from(limits.len()).unwrap());
    let change = async {
        for limit in limits {
            of(&|tenant| tenant.set_writes(*limit));
            tokio::time::sleep(HOUR).await;
        }
    };
    tokio::join!(run, change);
    given += limits.iter().map(|limit| limit.rate * 3600.0).sum::<f64>();
    let given_later = given - limits[0].rate * limits[0].seconds;
    let usage = if shows_usage { "with usage headers" } else { "without usage headers" };
    let tenants = graph.0.lock();
    let tenant = &tenants[&host];
    #[expect(clippy::cast_precision_loss, reason = "counts of a run")]
    let accepted = tenant.accepted_writes as f64;
    show(&format!("goodput: {name}, {usage}"), accepted / given_later, &format!(">= {aim}"));
    show("  the same, with what was saved up at the beginning", accepted / given, "none");
    show("  share of 429", ratio(tenant.refused, tenant.calls), "<= 0.01");
}

/// The time within which 99 of 100 were ready, and the mean.
fn p99_and_mean(times: impl Iterator<Item = Option<Duration>>) -> (f64, f64) {
    let mut times: Vec<f64> = times.map(|time| time.unwrap_or(HOUR).as_secs_f64()).collect();
    times.sort_by(f64::total_cmp);
    let mean = times.iter().sum::<f64>() / f64::from(u32::try_from(times.len()).unwrap());
    (times[(times.len() * 99).div_ceil(100) - 1], mean)
}

/// Twenty tenants: one with 5,000 dirty SyncJobs, one that gives no answer, and 18 in which one is edited now and then.
async fn tenants(name: &str, class: Class) {
    let hosts: Vec<String> = (0..20).map(|number| format!("t{number}.test")).collect();
    let small = |number: usize| (0..10).map(move |time| (number, 20.0 + 45.0 * f64::from(time)));
    let edits = (2..20).flat_map(small);
    let edits: Vec<Dirty> = edits
        .map(|(number, at)| dirty(&hosts[number], "apps", at + ratio(number as u64 * 7919 % 1000, 25), Class::Change))
        .collect();
    let mut all = edits.clone();
    all.extend((0..5000).map(|_| dirty(&hosts[0], "apps", 0.0, class)));
    all.extend((0..100).map(|_| dirty(&hosts[1], "apps", 0.0, class)));

    let mut seen = Vec::new();
    for jobs in [&edits, &all] {
        let graph = Graph::default();
        let served = fleet_of(&graph, &hosts);
        graph.0.lock().get_mut(&hosts[1]).unwrap().dead = true;
        let ready = fleet::run(&served, jobs, HOUR).await;
        let of = |host: &String| {
            p99_and_mean(edits.iter().zip(&ready).filter(|(edit, _)| edit.tenant == *host).map(|(_, time)| *time))
        };
        let means: Vec<f64> = hosts[2..].iter().map(|host| of(host).1).collect();
        seen.push((p99_and_mean(ready[..edits.len()].iter().copied()), means));
    }
    let ((alone, alone_means), (among, means)) = (&seen[0], &seen[1]);
    show(&format!("20 tenants, 5,000 {name} in one, one dead: p99 of the others / alone"), among.0 / alone.0, "<= 1.1");
    show("  mean of the others / alone", among.1 / alone.1, "none");
    let speeds: Vec<f64> = alone_means.iter().zip(means).map(|(alone, among)| alone / among).collect();
    let (sum, squares) = (speeds.iter().sum::<f64>(), speeds.iter().map(|speed| speed * speed).sum::<f64>());
    show("  Jain's index of the others' speeds", sum * sum / (18.0 * squares), ">= 0.98");
}

/// One tenant: a namespace with 5,000 dirty SyncJobs, and 19 in which one is edited now and then.
async fn namespaces(name: &str, class: Class) {
    let hosts = ["one.test".to_owned()];
    let edits: Vec<Dirty> = (0..190u32)
        .map(|number| dirty(&hosts[0], &format!("n{}", number % 19), 20.0 + 2.3 * f64::from(number), Class::Change))
        .collect();
    let mut all = edits.clone();
    all.extend((0..5000).map(|_| dirty(&hosts[0], "large", 0.0, class)));
    let (mut seen, mut last) = (Vec::new(), HOUR);
    for jobs in [&edits, &all] {
        let graph = Graph::default();
        let served = fleet_of(&graph, &hosts);
        let ready = fleet::run(&served, jobs, HOUR).await;
        seen.push(p99_and_mean(ready[..edits.len()].iter().copied()));
        last = ready.iter().zip(jobs).filter_map(|(time, job)| Some((*time)? + job.at)).max().unwrap_or(HOUR);
    }
    show(
        &format!("one tenant, 5,000 {name} in one namespace: p99 of the others / alone"),
        seen[1].0 / seen[0].0,
        "<= 1.5",
    );
    show("  mean of the others / alone", seen[1].1 / seen[0].1, "<= 1.5");
    let given = WRITES.rate * last.as_secs_f64();
    show("  goodput until the last of all is ready", ratio(all.len() as u64 * 2, 1) / given, ">= 0.98");
}

/// A thousand SyncJobs that are looked at every ten minutes, with one credential whose tokens live for an hour.
async fn logins() {
    let (graph, host) = (Graph::default(), "one.test".to_owned());
    let tenants = fleet_of(&graph, std::slice::from_ref(&host));
    let hours = 24;
    let polls: Vec<Dirty> = (0..1000u32)
        .flat_map(|job| (0..hours * 6).map(move |time| f64::from(time) * 600.0 + f64::from(job) * 0.6))
        .map(|at| dirty(&host, "apps", at, Class::Poll))
        .collect();
    let began = Instant::now();
    fleet::run(&tenants, &polls, HOUR * hours).await;
    let passed = began.elapsed().as_secs_f64() / 3600.0;
    let logins = graph.0.lock()[&host].logins;
    show("1,000 SyncJobs on one credential: logins in an hour", ratio(logins, 1) / passed, "<= 1.2");
}
