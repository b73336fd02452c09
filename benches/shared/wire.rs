//! A client that takes next to no time of its own: a connection, requests written before, and answers read to their end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// A connection that is opened anew when a server has closed it.
pub(crate) struct Wire {
    address: String,
    stream: Option<TcpStream>,
    answer: Vec<u8>,
}

impl Wire {
    /// To a server at `host:port`.
    pub(crate) fn new(address: &str) -> Self {
        Self { address: address.to_owned(), stream: None, answer: vec![0; 1 << 16] }
    }

    /// Sends a request and reads its answer, which must be good; the bytes of its body.
    pub(crate) fn exchange(&mut self, request: &[u8]) -> usize {
        let mut stream = self.stream.take().unwrap_or_else(|| {
            let stream = TcpStream::connect(&self.address).expect("a connection");
            stream.set_nodelay(true).expect("small packets");
            stream
        });
        stream.write_all(request).expect("the request is sent");
        let mut read = 0;
        let head = loop {
            let more = stream.read(self.answer.get_mut(read..).expect("a short head")).expect("an answer");
            assert!(more > 0, "the server closed the connection before its answer");
            read += more;
            if let Some(end) =
                self.answer.get(..read).expect("what was read").windows(4).position(|at| at == b"\r\n\r\n")
            {
                break end + 4;
            }
        };
        let text = String::from_utf8_lossy(self.answer.get(..head).expect("the head")).to_ascii_lowercase();
        assert!(text.starts_with("http/1.1 200"), "{text}");
        let header = |name: &str| {
            let mut headers = text.lines().filter_map(|line| line.split_once(':'));
            headers.find(|(found, _)| *found == name).map(|(_, value)| value.trim().to_owned())
        };
        let length: usize = header("content-length").map_or(0, |length| length.parse().expect("a length"));
        while read < head + length {
            let more = stream.read(self.answer.get_mut(read..).expect("a short body")).expect("a body");
            assert!(more > 0, "the server closed the connection before the end of its answer");
            read += more;
        }
        if header("connection").as_deref() != Some("close") {
            self.stream = Some(stream);
        }
        length
    }
}
