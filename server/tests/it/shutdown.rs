use crate::harness::{Installation, on_both};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Asks over one connection until it ends; counts whole answers.
fn ask_until_closed(address: SocketAddr, request: &str, answered: &AtomicUsize) {
    let Ok(mut stream) = TcpStream::connect(address) else { return };
    let mut buf = [0; 8192];
    let mut seen = Vec::new();
    while stream.write_all(request.as_bytes()).is_ok() {
        seen.clear();
        loop {
            match stream.read(&mut buf) {
                Ok(0) | Err(_) => return,
                Ok(n) => seen.extend_from_slice(&buf[..n]),
            }
            let text = String::from_utf8_lossy(&seen);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head
                    .to_ascii_lowercase()
                    .split("content-length: ")
                    .nth(1)
                    .and_then(|l| l.split("\r\n").next()?.parse::<usize>().ok())
                    .unwrap();
                if body.len() >= length {
                    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
                    answered.fetch_add(1, Ordering::SeqCst);
                    if head.to_ascii_lowercase().contains("connection: close") {
                        return;
                    }
                    break;
                }
            }
        }
    }
}

on_both! {
    async fn sigterm_amid_eight_busy_connections_loses_no_event(on) {
        let i = Installation::new(on).await;
        let mut server = i.serve(&[]);
        let body = format!("{{\"credential\":\"{}\",\"path\":\"/x\"}}", i.key("api_key"));
        let request = format!(
            "POST /v1/verify HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            i.key("gateway_key"), body.len());
        let answered = Arc::new(AtomicUsize::new(0));
        let clients: Vec<_> = (0..8)
            .map(|_| {
                let (address, request, answered) = (server.address, request.clone(), Arc::clone(&answered));
                thread::spawn(move || ask_until_closed(address, &request, &answered))
            })
            .collect();
        let started = Instant::now();
        while answered.load(Ordering::SeqCst) < 10_000 {
            assert!(started.elapsed() < Duration::from_secs(120), "{} answers", answered.load(Ordering::SeqCst));
            thread::sleep(Duration::from_millis(20));
        }
        let stopping = Instant::now();
        assert_eq!(server.terminate(), Some(0));
        assert!(stopping.elapsed() < Duration::from_secs(10), "drained in {:?}", stopping.elapsed());
        for client in clients {
            client.join().unwrap();
        }
        let db = domain::db::Db::connect(&i.url).await.unwrap();
        let stored = domain::usage::count_unscoped(&db).await.unwrap();
        assert_eq!(usize::try_from(stored).unwrap(), answered.load(Ordering::SeqCst), "events stored = requests answered");
        assert!(stored >= 10_000);
    }
}
