use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::*;

const REQUEST: &[u8] = b"GET /path HTTP/1.1\r\nhost: here\r\n\r\n";

async fn listener() -> (TcpListener, std::net::SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn response(text: String) -> Response<Full<Bytes>> {
    Response::new(Full::new(Bytes::from(text)))
}

/// All that comes back until the server closes.
async fn said(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn a_connection_has_one_answer_and_is_closed() {
    let (listener, address) = listener().await;
    let stop = StopSignal::new();
    let serving =
        Serving::new(2, None).serve(listener, stop.clone(), |request: Request<Incoming>| async move {
            response(format!("{} {}", request.method(), request.uri().path()))
        });
    let serving = tokio::spawn(serving);
    for _ in 0..5 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(REQUEST).await.unwrap();
        let text = said(&mut stream).await;
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with("\r\n\r\nGET /path"), "{text}");
    }
    // What is no request breaks nothing.
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"\x16\x03\x01 no http\r\n\r\n").await.unwrap();
    assert!(!said(&mut stream).await.contains("200 OK"));
    stop.give();
    serving.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

/// Who holds all places holds up the others, not the end.
#[tokio::test]
async fn places_are_limited_and_the_stop_is_heard_without_a_free_one() {
    let (listener, address) = listener().await;
    let stop = StopSignal::new();
    let (begun, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (counted, held) = (Arc::clone(&begun), Arc::clone(&gate));
    let serving = Serving::new(1, None).serve(listener, stop.clone(), move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        let held = Arc::clone(&held);
        async move {
            held.notified().await;
            response("late".to_owned())
        }
    });
    let serving = tokio::spawn(serving);
    let mut first = TcpStream::connect(address).await.unwrap();
    first.write_all(REQUEST).await.unwrap();
    let mut second = TcpStream::connect(address).await.unwrap();
    second.write_all(REQUEST).await.unwrap();
    while begun.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(begun.load(Ordering::SeqCst), 1, "the second waits for the place of the first");
    gate.notify_one();
    assert!(said(&mut first).await.ends_with("late"));
    while begun.load(Ordering::SeqCst) == 1 {
        tokio::task::yield_now().await;
    }
    stop.give();
    serving.await.unwrap();
}

/// Who connects and says nothing is left after a while.
#[tokio::test]
async fn silence_is_not_waited_for_without_end() {
    let (listener, address) = listener().await;
    let stop = StopSignal::new();
    let clock = Clock::manual("2026-01-01T00:00:00Z".parse().unwrap());
    let serving = Serving { clock: clock.clone(), ..Serving::new(1, None) };
    tokio::spawn(serving.serve(listener, stop.clone(), |_| async { response("never".to_owned()) }));
    let mut silent = TcpStream::connect(address).await.unwrap();
    assert_eq!(said(&mut silent).await, "");
    assert_eq!(clock.now().to_string(), "2026-01-01T00:00:20Z");
    stop.give();
}

#[test]
fn files_that_are_no_certificate_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("chain.pem");
    let error = |path: &std::path::Path| acceptor(path, path).err().unwrap().to_string();
    assert!(error(&path).contains("chain.pem` cannot be used as PEM"), "{}", error(&path));
    std::fs::write(&path, "no certificate\n").unwrap();
    assert!(error(&path).contains("chain.pem` cannot be used as PEM"), "{}", error(&path));
}
