//! One request to the page of the host.

use std::io::{Read, Write};
use std::net::TcpStream;

/// Status, headers and body of `GET path`.
pub(crate) fn get(page: &str, path: &str) -> (u16, String, String) {
    ask(page, "GET", path, &[], "")
}

/// Status, headers and body of a request.
pub(crate) fn ask(
    page: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String, String) {
    let host = page.trim_start_matches("http://").trim_end_matches('/');
    let stream = TcpStream::connect(host).expect("the page is served");
    exchange(stream, host, method, path, headers, body)
}

/// The same on a connection that stands, with TLS or without.
pub(crate) fn exchange(
    mut stream: impl Read + Write,
    host: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String, String) {
    let more: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n{more}\r\n{body}"
    )
    .expect("a request");
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        // A server may end a connection of TLS without saying so.
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {}
        Err(error) => panic!("an answer: {error}"),
    }
    let answer = String::from_utf8(answer).expect("text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
    let chunked = head
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked");
    let body = if chunked {
        unchunked(body)
    } else {
        body.to_owned()
    };
    (status.expect("a status"), head.to_owned(), body)
}

fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("a chunk size");
        if size == 0 {
            break;
        }
        let (chunk, rest) = rest.split_at_checked(size).expect("a whole chunk");
        whole.push_str(chunk);
        body = rest.trim_start_matches("\r\n");
    }
    whole
}
