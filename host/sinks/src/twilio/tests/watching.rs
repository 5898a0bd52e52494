//! What a running sink tells: statuses, replies, and whether the account can send.

use super::*;

/// Runs a sink until `until` has seen enough of its events.
async fn watch_sink(sink: Arc<dyn Sink>, mut until: impl FnMut(SinkEvent) -> bool) {
    let (events, mut told) = mpsc::channel(4);
    let stop = CancellationToken::new();
    let watch = async {
        while let Some(event) = told.recv().await {
            if until(event) {
                break;
            }
        }
        stop.cancel();
        // What still waits for room must not keep the sink from stopping.
        while told.recv().await.is_some() {}
    };
    let both = async { tokio::join!(sink.run(events, stop.clone()), watch) };
    tokio::time::timeout(Duration::from_secs(20), both)
        .await
        .expect("the sink told too little");
}

#[tokio::test]
async fn the_status_is_asked_for_until_it_is_final_also_after_a_restart() {
    let statuses = Mutex::new(vec!["undelivered", "sending", "sent", "queued"]);
    let clock = clock();
    let asked = clock.clone();
    let twilio = FakeTwilio::start(move |seen| {
        if seen.line.contains("/Messages/SM5.json") {
            asked.advance(Duration::from_secs(600));
            let status = statuses.lock().unwrap().pop().unwrap_or("sent");
            let code = (status == "undelivered").then_some(30003);
            Reply::Json(
                200,
                json!({ "sid": "SM5", "status": status, "error_code": code }),
            )
        } else {
            Reply::Json(200, json!({ "messages": [], "status": "active" }))
        }
    })
    .await;
    let sink = build(&twilio.settings(), clock.clone()).unwrap();
    sink.resume(vec!["SM5".into(), "not/a sid".into()]);
    clock.advance(Duration::from_secs(600));
    let mut receipts = Vec::new();
    watch_sink(sink, |event| {
        if let SinkEvent::Receipt { receipt, .. } = event {
            receipts.push(receipt);
        }
        receipts.len() == 3
    })
    .await;
    let statuses: Vec<ReceiptStatus> = receipts.iter().map(|r| r.status).collect();
    assert_eq!(
        statuses,
        [
            ReceiptStatus::Underway,
            ReceiptStatus::Underway,
            ReceiptStatus::Failed
        ]
    );
    assert!(receipts[2].detail.contains("30003"));
    assert!(receipts[2].detail.contains("out of reach"));
}

#[tokio::test]
async fn replies_come_once_and_oldest_first_over_all_pages() {
    let inbound = |sid: &str, minute: u32, text: &str| {
        json!({
            "sid": sid, "body": text, "direction": "inbound", "from": "+4790000001",
            "to": "+4790000099", "status": "received",
            "date_sent": format!("Mon, 23 Nov 2026 11:{minute:02}:00 +0000"),
        })
    };
    let next = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json?PageToken=2");
    let first = page(
        &[
            inbound("SM4", 59, "4"),
            outbound("SM3", "ours", 0),
            inbound("SM2", 50, "2"),
        ],
        json!(next),
    );
    let second = page(
        &[inbound("SM1", 40, "1"), inbound("SM0", 20, "0"), {
            // More than an hour before the start.
            let mut old = inbound("SMold", 0, "old");
            old["date_sent"] = json!("Mon, 23 Nov 2026 10:59:00 +0000");
            old
        }],
        Value::Null,
    );
    let later = page(
        &[inbound("SM5", 58, "5"), inbound("SM4", 59, "4")],
        Value::Null,
    );
    let rounds = Mutex::new(0);
    let twilio = FakeTwilio::start(move |seen| {
        if seen.line.contains("PageToken=2") {
            *rounds.lock().unwrap() += 1;
            Reply::Json(200, second.clone())
        } else if !seen.line.contains("Messages.json") {
            Reply::Json(200, json!({ "status": "active" }))
        } else if *rounds.lock().unwrap() == 0 {
            Reply::Json(200, first.clone())
        } else {
            Reply::Json(200, later.clone())
        }
    })
    .await;
    let mut texts = Vec::new();
    watch_sink(twilio.sink(), |event| {
        if let SinkEvent::Incoming { message, .. } = event {
            assert_eq!(message.from, "+4790000001");
            texts.push(message.text);
        }
        texts.len() == 5
    })
    .await;
    assert_eq!(texts, ["0", "1", "2", "4", "5"]);
    let list = twilio
        .seen()
        .into_iter()
        .find(|seen| seen.line.contains("DateSent"))
        .unwrap();
    assert!(
        list.line
            .contains("To=%2B4790000099&DateSent%3E=2026-11-23&PageSize=100"),
        "{}",
        list.line
    );
}

#[tokio::test]
async fn the_sink_tells_when_it_goes_down_and_comes_back() {
    let revoked = Arc::new(Mutex::new(true));
    let seen_revoked = revoked.clone();
    let twilio = FakeTwilio::start(move |_| {
        if *seen_revoked.lock().unwrap() {
            Reply::Json(401, refusal(20003))
        } else {
            Reply::Json(200, json!({ "messages": [] }))
        }
    })
    .await;
    let mut states = Vec::new();
    watch_sink(twilio.sink(), |event| {
        if let SinkEvent::State { up, why, .. } = event {
            states.push((up, why.reason));
            *revoked.lock().unwrap() = false;
        }
        states.len() == 2
    })
    .await;
    assert_eq!(
        states,
        [(false, Reason::SinkMisconfigured), (true, Reason::System)]
    );
}

#[tokio::test]
async fn three_requests_without_an_answer_take_the_sink_down() {
    let twilio = FakeTwilio::start(|_| Reply::Bytes("")).await;
    let sink = twilio.sink();
    for _ in 0..3 {
        sink.send(&delivery("x")).await;
    }
    let mut states = Vec::new();
    watch_sink(sink, |event| {
        if let SinkEvent::State { up, why, .. } = event {
            states.push((up, why.reason));
        }
        true
    })
    .await;
    assert_eq!(states, [(false, Reason::ProviderFailed)]);
}
