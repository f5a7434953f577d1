// crossbeam-channel in the benchmark. ../../scenarios.h says what is done and what is counted.
use crossbeam_channel::{bounded, never, select, Receiver, Sender};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

const BATCH: u64 = 64;

type Queue = (Sender<u64>, Receiver<u64>);

// What a client works with.
struct Ends {
    there: Queue,
    back: Queue,
}

// What a server works with: no sender that would keep open what it receives from.
struct ServerEnds {
    there: Receiver<u64>,
    back: Queue,
}

#[derive(Default, Clone, Copy)]
struct Total {
    ops: u64,
    sum: u64,
}

struct Scenario {
    client: fn(Ends, &AtomicBool) -> Total,
    server: Option<fn(ServerEnds) -> Total>,
    clients: usize,
    servers: usize,
    capacity: usize,
}

fn send_stream(ends: Ends, stop: &AtomicBool) -> Total {
    let q = ends.there.0;
    let mut t = Total::default();
    while !stop.load(Relaxed) {
        for _ in 0..BATCH {
            q.send(t.ops).unwrap();
            t.sum = t.sum.wrapping_add(t.ops);
            t.ops += 1;
        }
    }
    t
}

fn recv_stream(ends: ServerEnds) -> Total {
    let there = ends.there;
    let mut t = Total::default();
    while let Ok(value) = there.recv() {
        t.ops += 1;
        t.sum = t.sum.wrapping_add(value);
    }
    t
}

fn send_and_recv(ends: Ends, stop: &AtomicBool) -> Total {
    let (tx, rx) = ends.there;
    let mut t = Total::default();
    while !stop.load(Relaxed) {
        for _ in 0..BATCH {
            tx.send(t.ops).unwrap();
            t.sum = t.sum.wrapping_add(rx.recv().unwrap().wrapping_sub(t.ops));
            t.ops += 1;
        }
    }
    t
}

fn try_on_full(ends: Ends, stop: &AtomicBool) -> Total {
    let q = ends.there.0;
    let mut t = Total::default();
    while q.try_send(0).is_ok() {}
    while !stop.load(Relaxed) {
        for _ in 0..BATCH {
            t.sum += q.try_send(t.ops).is_ok() as u64;
            t.ops += 1;
        }
    }
    t
}

fn send_and_select(ends: Ends, stop: &AtomicBool) -> Total {
    let tx = [ends.there.0, ends.back.0];
    let (a, b) = (ends.there.1, ends.back.1);
    let mut t = Total::default();
    while !stop.load(Relaxed) {
        for i in 0..BATCH {
            tx[i as usize % 2].send(t.ops).unwrap();
            let value = select! {
                recv(a) -> value => value.unwrap(),
                recv(b) -> value => value.unwrap(),
            };
            t.sum = t.sum.wrapping_add(value.wrapping_sub(t.ops));
            t.ops += 1;
        }
    }
    t
}

fn send_to_both(ends: Ends, stop: &AtomicBool) -> Total {
    let tx = [ends.there.0, ends.back.0];
    let mut t = Total::default();
    while !stop.load(Relaxed) {
        for i in 0..BATCH {
            tx[i as usize % 2].send(t.ops).unwrap();
            t.sum = t.sum.wrapping_add(t.ops);
            t.ops += 1;
        }
    }
    t
}

fn select_both(ends: ServerEnds) -> Total {
    let (mut there, mut back) = (ends.there, ends.back.1);
    drop(ends.back.0);
    let mut t = Total::default();
    let mut open = 2;
    while open > 0 {
        let (value, closed) = select! {
            recv(there) -> value => (value, &mut there),
            recv(back) -> value => (value, &mut back),
        };
        match value {
            Ok(value) => {
                t.ops += 1;
                t.sum = t.sum.wrapping_add(value);
            }
            Err(_) => {
                *closed = never();
                open -= 1;
            }
        }
    }
    t
}

fn ask(ends: Ends, stop: &AtomicBool) -> Total {
    let (there, back) = (ends.there.0, ends.back.1);
    let mut t = Total::default();
    while !stop.load(Relaxed) {
        for _ in 0..BATCH {
            there.send(t.ops).unwrap();
            t.ops += 1;
            t.sum = t.sum.wrapping_add(back.recv().unwrap());
        }
    }
    t
}

fn answer(ends: ServerEnds) -> Total {
    let (there, back) = (ends.there, ends.back.0);
    let mut t = Total::default();
    while let Ok(value) = there.recv() {
        t.ops += 1;
        t.sum = t.sum.wrapping_add(value);
        back.send(value).unwrap();
    }
    t
}

fn scenario_named(name: &str) -> Option<Scenario> {
    let stream = |clients, servers, capacity| Scenario {
        client: send_stream,
        server: Some(recv_stream),
        clients,
        servers,
        capacity,
    };
    let alone = |client| Scenario {
        client,
        server: None,
        clients: 1,
        servers: 0,
        capacity: 128,
    };
    Some(match name {
        "mpmc11_128" => stream(1, 1, 128),
        "mpmc11_1024" => stream(1, 1, 1024),
        "mpmc44_128" => stream(4, 4, 128),
        "fanin41_128" => stream(4, 1, 128),
        "fanout14_128" => stream(1, 4, 128),
        "selfsendrecv" => alone(send_and_recv),
        "tryfull" => alone(try_on_full),
        "select2" => alone(send_and_select),
        "select2fed" => Scenario {
            client: send_to_both,
            server: Some(select_both),
            ..stream(1, 1, 128)
        },
        "unbuf11" => stream(1, 1, 0),
        "pingpong" => Scenario {
            client: ask,
            server: Some(answer),
            clients: 1,
            servers: 1,
            capacity: 0,
        },
        _ => return None,
    })
}

// getrusage(2) of the C library that std is linked with anyway.
#[repr(C)]
struct Rusage {
    utime: [i64; 2],
    stime: [i64; 2],
    others: [i64; 12],
    nvcsw: i64,
    nivcsw: i64,
}

extern "C" {
    fn getrusage(who: i32, usage: *mut Rusage) -> i32;
}

fn usage() -> (f64, i64) {
    let mut u = Rusage {
        utime: [0; 2],
        stime: [0; 2],
        others: [0; 12],
        nvcsw: 0,
        nivcsw: 0,
    };
    assert_eq!(unsafe { getrusage(0, &mut u) }, 0);
    let us = (u.utime[0] + u.stime[0]) * 1_000_000 + u.utime[1] + u.stime[1];
    (us as f64 * 1e3, u.nvcsw)
}

fn number_of(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn sum(totals: Vec<Total>) -> Total {
    totals.iter().fold(Total::default(), |a, b| Total {
        ops: a.ops + b.ops,
        sum: a.sum.wrapping_add(b.sum),
    })
}

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    let s = scenario_named(&name).expect("which scenario?");
    let times = if number_of("THREADS_X8").unwrap_or(0) > 0 {
        8
    } else {
        1
    };
    let time = Duration::from_millis(number_of("BENCH_MS").unwrap_or(700));
    let (there, back): (Queue, Queue) = (bounded(s.capacity), bounded(s.capacity));
    let stop = AtomicBool::new(false);

    let (cpu_before, switches_before) = usage();
    let began = Instant::now();
    let (asked, answered) = std::thread::scope(|scope| {
        let mut servers = Vec::new();
        for _ in 0..s.servers * times {
            let ends = ServerEnds {
                there: there.1.clone(),
                back: back.clone(),
            };
            let server = s.server.unwrap();
            servers.push(scope.spawn(move || server(ends)));
        }
        let mut clients = Vec::new();
        for _ in 0..s.clients * times {
            let ends = Ends {
                there: there.clone(),
                back: back.clone(),
            };
            let (client, stop) = (s.client, &stop);
            clients.push(scope.spawn(move || client(ends, stop)));
        }
        std::thread::sleep(time);
        stop.store(true, Relaxed);
        let asked = sum(clients.into_iter().map(|c| c.join().unwrap()).collect());
        drop((there.0, back.0));
        let answered = sum(servers.into_iter().map(|s| s.join().unwrap()).collect());
        (asked, answered)
    });
    let ns = began.elapsed().as_nanos() as f64;
    let (cpu_after, switches_after) = usage();
    assert!(
        asked.sum == answered.sum && (s.server.is_none() || asked.ops == answered.ops),
        "void: what was sent was not received"
    );
    let ops = asked.ops as f64;
    println!(
        "{} {:.2} {:.2} {} {}",
        name,
        ns / ops,
        (cpu_after - cpu_before) / ops,
        switches_after - switches_before,
        asked.ops
    );
}
