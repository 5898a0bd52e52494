//! Just enough HTTP to talk to the simulators' control ports on this machine.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, bail};

/// `GET` a path; gives the body.
pub(crate) fn get(address: &str, path: &str) -> anyhow::Result<String> {
    exchange(
        address,
        &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"),
    )
}

/// `POST` JSON to a path; gives the body.
pub(crate) fn post(address: &str, path: &str, json: &str) -> anyhow::Result<String> {
    let length = json.len();
    exchange(
        address,
        &format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{json}"
        ),
    )
}

fn exchange(address: &str, request: &str) -> anyhow::Result<String> {
    let mut stream =
        TcpStream::connect(address).with_context(|| format!("connect to {address}"))?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .context("the answer is no HTTP")?;
    let status = head.split_whitespace().nth(1).unwrap_or("?");
    if !status.starts_with('2') {
        bail!("{address} answered {status}: {body}");
    }
    if head
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked")
    {
        return unchunk(body);
    }
    Ok(body.to_owned())
}

fn unchunk(body: &str) -> anyhow::Result<String> {
    let mut text = String::new();
    let mut rest = body;
    loop {
        let (size, tail) = rest.split_once("\r\n").context("cut off in a chunk")?;
        let size = usize::from_str_radix(size.trim(), 16).context("the size of a chunk")?;
        if size == 0 {
            return Ok(text);
        }
        let (chunk, tail) = tail.split_at_checked(size).context("cut off in a chunk")?;
        text.push_str(chunk);
        rest = tail.strip_prefix("\r\n").unwrap_or(tail);
    }
}
