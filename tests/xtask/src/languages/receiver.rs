//! A server on this machine that messages are posted to. What it answers is asked for by the path.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;

/// How long a client may be silent.
const PATIENCE: Duration = Duration::from_secs(20);

/// The longest body that is read, bytes.
const BODY_BYTES_MAX: usize = 1 << 20;

/// A request as it came.
#[derive(Debug, Clone)]
pub(super) struct Posted {
    /// `POST`.
    pub(super) method: String,
    /// With its query.
    pub(super) path: String,
    /// Names in lower case, and values.
    pub(super) headers: Vec<(String, String)>,
    /// The body; null if it is no JSON.
    pub(super) body: Value,
}

impl Posted {
    /// The header of that name; empty if there is none.
    pub(super) fn header(&self, name: &str) -> &str {
        let mut headers = self.headers.iter();
        headers
            .find(|(own, _)| own == name)
            .map_or("", |(_, value)| value)
    }
}

/// The server. Its thread ends with the program.
pub(super) struct Receiver {
    address: String,
    posted: Arc<Mutex<Vec<Posted>>>,
}

impl Receiver {
    /// Listens on a port of its own.
    pub(super) fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("open a port to post to")?;
        let address = listener.local_addr()?.to_string();
        let posted = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&posted);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that breaks off is one that the host gave up; the test tells what is missing.
                serve(stream, &kept).unwrap_or_default();
            }
        });
        Ok(Self { address, posted })
    }

    /// Host and port.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// What came on this path, oldest first.
    pub(super) fn on(&self, path: &str) -> Vec<Posted> {
        let posted = self.posted.lock().unwrap_or_else(PoisonError::into_inner);
        let same = posted.iter().filter(|each| each.path == path);
        same.cloned().collect()
    }
}

fn serve(stream: TcpStream, kept: &Mutex<Vec<Posted>>) -> anyhow::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream);
    let posted = read(&mut reader)?;
    let answer = answer(&posted.path);
    kept.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(posted);
    if let Some(answer) = answer {
        reader.get_mut().write_all(answer.as_bytes())?;
    }
    Ok(())
}

fn read(reader: &mut BufReader<TcpStream>) -> anyhow::Result<Posted> {
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut words = first.split_whitespace().map(str::to_owned);
    let method = words.next().context("no method")?;
    let path = words.next().context("no path")?;
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.context("no length")?.1.parse()?;
    anyhow::ensure!(length <= BODY_BYTES_MAX, "a body of {length} bytes");
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Posted {
        method,
        path,
        headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    })
}

/// An answer by the path; none where the connection shall break.
fn answer(path: &str) -> Option<String> {
    let (status, body) = match path {
        "/gone" => ("410 Gone", "moved away"),
        "/busy" => ("429 Too Many Requests\r\nRetry-After: 3600", "not so fast"),
        "/lost" => return None,
        _ => ("200 OK", r#"{"id":"r-1"}"#),
    };
    let length = body.len();
    Some(format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    ))
}
