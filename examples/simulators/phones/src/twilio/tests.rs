//! The endpoint as a client sees it: over a socket, in HTTP.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::inbox::Reply;

const MESSAGES: &str = "/2010-04-01/Accounts/AC1/Messages.json";

struct Endpoint {
    address: std::net::SocketAddr,
    inbox: Arc<Inbox>,
    /// Ends the server when it is dropped.
    _server: tokio::task::JoinSet<()>,
}

impl Endpoint {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let inbox = Arc::new(Inbox::new());
        let app = router(Twilio {
            inbox: Arc::clone(&inbox),
            account_sid: "AC1".into(),
            auth_token: "token".into(),
        });
        let mut server = tokio::task::JoinSet::new();
        server.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            address,
            inbox,
            _server: server,
        }
    }

    async fn ask(&self, method: &str, path: &str, form: &str) -> (u16, Value) {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
             Authorization: Basic {}\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}",
            STANDARD.encode("AC1:token"),
            form.len()
        );
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        (status, serde_json::from_str(body).unwrap())
    }

    async fn create(&self, to: &str, body: &str) -> Value {
        let form = format!("To=%2B{to}&From=%2B4790000099&Body={body}");
        let (status, message) = self.ask("POST", MESSAGES, &form).await;
        assert_eq!(status, 201);
        message
    }

    async fn list(&self, query: &str) -> Value {
        let (status, page) = self.ask("GET", &format!("{MESSAGES}?{query}"), "").await;
        assert_eq!(status, 200);
        page
    }
}

fn texts(page: &Value) -> Vec<&str> {
    let messages = page["messages"].as_array().unwrap();
    messages
        .iter()
        .map(|m| m["body"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_message_that_was_taken_is_listed_under_its_recipient() {
    let endpoint = Endpoint::open().await;
    let created = endpoint.create("4790000001", "one").await;
    endpoint.create("4790000002", "two").await;
    assert_eq!(created["status"], "queued");
    assert_eq!(created["date_sent"], Value::Null);
    let page = endpoint.list("To=%2B4790000001&PageSize=50").await;
    assert_eq!(texts(&page), ["one"]);
    let listed = &page["messages"][0];
    assert_eq!(listed["sid"], created["sid"]);
    assert_eq!(listed["direction"], "outbound-api");
    assert_eq!(listed["status"], "delivered");
    assert_eq!(listed["date_sent"], listed["date_created"]);
    assert_eq!(listed["date_created"], created["date_created"]);
    assert_eq!(page["next_page_uri"], Value::Null);
}

#[tokio::test]
async fn what_a_phone_says_is_listed_under_our_number_as_inbound() {
    let endpoint = Endpoint::open().await;
    endpoint.create("4790000001", "alarm").await;
    endpoint.inbox.say(Reply {
        from: "+4790000001".into(),
        to: "+4790000099".into(),
        text: "29".into(),
    });
    let page = endpoint
        .list("To=%2B4790000099&DateSent%3E=2020-01-01")
        .await;
    assert_eq!(texts(&page), ["29"]);
    assert_eq!(page["messages"][0]["direction"], "inbound");
    assert_eq!(page["messages"][0]["status"], "received");
    let future = endpoint
        .list("To=%2B4790000099&DateSent%3E=2999-01-01")
        .await;
    assert!(texts(&future).is_empty());
    assert_eq!(
        texts(&endpoint.list("").await),
        ["29", "alarm"],
        "newest first"
    );
}

#[tokio::test]
async fn a_long_list_comes_in_pages() {
    let endpoint = Endpoint::open().await;
    for number in 0..5 {
        endpoint.create("4790000001", &number.to_string()).await;
        endpoint.create("4790000002", "other").await;
    }
    let mut page = endpoint.list("To=%2B4790000001&PageSize=2").await;
    let mut all: Vec<String> = Vec::new();
    loop {
        all.extend(texts(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next_page_uri"].as_str() else {
            break;
        };
        page = endpoint.ask("GET", next, "").await.1;
    }
    assert_eq!(all, ["4", "3", "2", "1", "0"]);
}

#[tokio::test]
async fn a_message_is_fetched_by_its_id_and_an_unknown_one_is_not_there() {
    let endpoint = Endpoint::open().await;
    let created = endpoint.create("4790000001", "one").await;
    let path = |sid: &str| format!("/2010-04-01/Accounts/AC1/Messages/{sid}.json");
    let sid = created["sid"].as_str().unwrap();
    let (status, message) = endpoint.ask("GET", &path(sid), "").await;
    assert_eq!((status, &message["status"]), (200, &json!("delivered")));
    let (status, refusal) = endpoint.ask("GET", &path("SM404"), "").await;
    assert_eq!((status, &refusal["code"]), (404, &json!(20404)));
}
