//! Requests as they leave: what is put in, what is refused, what a component learns of it.

use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::*;
use crate::component::outlet::{Gate, Outlet};

/// A server that keeps the requests that it reads and answers each with the same bytes.
struct Provider {
    host: String,
    seen: Arc<Mutex<Vec<String>>>,
    _serving: JoinSet<()>,
}

impl Provider {
    /// `{request}` in the answer stands for the request itself.
    async fn answering(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let mut serving = JoinSet::new();
        let kept = Arc::clone(&seen);
        serving.spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = vec![0; 1 << 16];
                let count = stream.read(&mut bytes).await.unwrap_or(0);
                let request = String::from_utf8_lossy(&bytes[..count]).into_owned();
                kept.lock().unwrap().push(request.clone());
                let answer = answer.replace("{request}", &request);
                stream.write_all(answer.as_bytes()).await.ok();
                stream.shutdown().await.ok();
            }
        });
        Self {
            host,
            seen,
            _serving: serving,
        }
    }

    fn outlet(&self) -> Outlet {
        outlet(&settings(&self.host))
    }

    fn url(&self) -> String {
        format!("http://{}/path?q=1", self.host)
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn outlet(settings: &ComponentSettings) -> Outlet {
    Outlet::new(Arc::new(Gate::new(settings).unwrap()))
}

const OK: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn the_secret_is_put_in_after_the_component_and_it_cannot_set_it() {
    let provider = Provider::answering(OK).await;
    let mut request = post(&provider.url());
    for (name, value) in [
        ("Authorization", "Bearer mine"),
        ("host", "evil.example"),
        ("x-own", "kept"),
        ("transfer-encoding", "chunked"),
    ] {
        let header = (name.to_owned(), value.as_bytes().to_vec());
        request.headers.push(header);
    }
    let outlet = provider.outlet();
    assert_eq!(outlet.send(request).await.unwrap().status, 200);
    let seen = provider.seen().remove(0).to_ascii_lowercase();
    assert!(seen.starts_with("post /path?q=1 http/1.1\r\n"), "{seen}");
    assert_eq!(seen.matches("authorization:").count(), 1, "{seen}");
    let token = format!("authorization: bearer {TOKEN}\r\n").to_ascii_lowercase();
    assert!(seen.contains(&token), "{seen}");
    assert!(
        seen.contains("x-own: kept\r\n") && seen.ends_with("hello"),
        "{seen}"
    );
    assert!(
        !seen.contains("evil") && !seen.contains("chunked"),
        "{seen}"
    );
    assert_eq!(outlet.left(), classify::Left::Something);
}

#[tokio::test]
async fn an_answer_that_says_the_secret_back_loses_it() {
    let provider =
        Provider::answering("HTTP/1.1 400 Bad\r\nConnection: close\r\nx-token: tk_that_nobody_may_see\r\n\r\nyou said {request}").await;
    let answer = provider.outlet().send(post(&provider.url())).await.unwrap();
    let body = String::from_utf8(answer.body).unwrap();
    assert!(
        body.contains("you said POST") && body.contains("***"),
        "{body}"
    );
    assert!(!body.contains(TOKEN), "{body}");
    assert!(
        answer
            .headers
            .contains(&("x-token".to_owned(), b"***".to_vec()))
    );
}

#[tokio::test]
async fn what_the_settings_do_not_allow_never_leaves() {
    let provider = Provider::answering(OK).await;
    let port = provider.host.split_once(':').unwrap().1;
    for url in [
        format!("http://localhost:{port}/"),
        "https://evil.example/".to_owned(),
        format!("ftp://{}/", provider.host),
        format!("http://me:secret@{}/", provider.host),
        "not an address".to_owned(),
    ] {
        let outlet = provider.outlet();
        let refused = outlet.send(post(&url)).await;
        assert!(
            matches!(refused, Err(HttpError::Denied(_))),
            "{url}: {refused:?}"
        );
        assert!(outlet.denied().is_some());
        assert_eq!(outlet.left(), classify::Left::Nothing, "{url}");
    }
    let elsewhere = outlet(&settings("push.example.org"));
    let refused = elsewhere.send(post("http://push.example.org/")).await;
    let Err(HttpError::Denied(says)) = refused else {
        panic!("plain HTTP left: {refused:?}")
    };
    assert!(says.contains("plain HTTP"), "{says}");
    assert_eq!(provider.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn a_secret_goes_to_its_host_alone_and_no_redirect_is_followed() {
    let second = Provider::answering(OK).await;
    let first = Provider::answering(
        "HTTP/1.1 302 Found\r\nLocation: http://evil.example/\r\nConnection: close\r\n\r\n",
    )
    .await;
    let mut both = settings(&first.host);
    both.hosts.push(second.host.clone());
    both.headers[0].host = Some(first.host.clone());
    let outlet = outlet(&both);
    let answer = outlet.send(post(&first.url())).await.unwrap();
    assert_eq!(answer.status, 302);
    outlet.send(post(&second.url())).await.unwrap();
    assert!(first.seen()[0].contains(TOKEN));
    assert!(!second.seen()[0].contains(TOKEN));
}

#[tokio::test]
async fn a_request_that_surely_did_not_leave_is_told_from_one_that_may_have() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = closed.local_addr().unwrap().to_string();
    drop(closed);
    let nobody = outlet(&settings(&host));
    let failed = nobody.send(post(&format!("http://{host}/"))).await;
    assert!(matches!(failed, Err(HttpError::NotSent(_))), "{failed:?}");
    assert_eq!(nobody.left(), classify::Left::Nothing);

    let silent = Provider::answering("").await;
    let outlet = silent.outlet();
    let failed = outlet.send(post(&silent.url())).await;
    assert!(matches!(failed, Err(HttpError::Lost(_))), "{failed:?}");
    assert_eq!(outlet.left(), classify::Left::Something);
    outlet.begin();
    assert_eq!(outlet.left(), classify::Left::Nothing);
}

#[tokio::test]
async fn a_delivery_has_a_bound_of_requests() {
    let provider = Provider::answering(OK).await;
    let outlet = provider.outlet();
    for _ in 0..16 {
        outlet.send(post(&provider.url())).await.unwrap();
    }
    let refused = outlet.send(post(&provider.url())).await;
    assert!(matches!(refused, Err(HttpError::Denied(_))), "{refused:?}");
    outlet.begin();
    outlet.send(post(&provider.url())).await.unwrap();
    assert_eq!(provider.seen().len(), 17);
}

#[tokio::test]
async fn a_call_that_failed_is_unknown_only_if_a_request_left() {
    let provider = Provider::answering(OK).await;
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(NOW));
    let sink = ComponentSink::new(&settings(&provider.host), clock).unwrap();
    sink.adopt(Arc::new(Played::version("one"))).await.unwrap();
    let text = format!("send trap {}", provider.url());
    let (word, code, _) = reason(&sink.send(&delivery("topic", &text)).await);
    assert_eq!((word, code), ("unknown", Reason::ResultUnknown));
    let outcome = sink
        .send(&delivery("topic", "denied https://evil.example/"))
        .await;
    let (word, _, says) = reason(&outcome);
    assert_eq!(word, "sink failed");
    assert!(
        says.contains("https://evil.example is not in its hosts"),
        "{says}"
    );
}
