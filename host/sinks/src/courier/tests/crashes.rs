//! The host dies while deliveries are on their way, and any course of answers comes to an end.

use super::*;

/// The crash test: the host dies at every moment of two deliveries' ways, is started again, and
/// nothing is lost or sent twice unmarked.
async fn survives_a_crash_at(millis: u64, can_tell: bool) {
    let outbox = Arc::new(Outbox {
        latency: Duration::from_millis(2),
        ..Outbox::default()
    });
    let rows: Vec<Delivery> = (0..3).map(|n| delivery(n, "sms")).collect();
    outbox.keep(rows.clone());
    let provider = Arc::new(Provider::default());
    let start = |answers: &[Answer]| -> Vec<Arc<dyn Sink>> {
        vec![Arc::new(FakeSink {
            can_tell,
            provider: provider.clone(),
            latency: Duration::from_millis(3),
            ..FakeSink::new("sms", answers)
        })]
    };
    let life = Duration::from_millis(millis);
    let answers = [Answer::Take, Answer::Retry, Answer::Take];
    let first = host(
        outbox.clone(),
        start(&answers),
        CourierSettings::default(),
        START,
    );
    // The future is dropped where it stands: that is the crash.
    let crashed = tokio::time::timeout(life, first).await.is_err();
    host(
        outbox.clone(),
        start(&[Answer::Take]),
        CourierSettings::default(),
        START.plus(life),
    )
    .await;
    for row in &rows {
        let arrived = provider.of(&row.id);
        let unmarked = arrived.iter().filter(|text| **text == row.text).count();
        assert!(!arrived.is_empty(), "lost, crash at {millis} ms");
        assert!(unmarked <= 1, "twice, crash at {millis} ms: {arrived:?}");
        assert!(arrived.len() <= 2);
        if can_tell || !crashed {
            assert_eq!(arrived, [row.text.as_str()], "crash at {millis} ms");
        }
        assert!(outbox.row(&row.id).state.has_left());
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_moment_loses_nothing_and_repeats_only_marked() {
    for millis in (0..60).chain([2000, 2003, 2006, 2009, 2012, 2015, 2018]) {
        survives_a_crash_at(millis, false).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_moment_repeats_nothing_where_the_provider_can_tell() {
    for millis in (0..60).chain([2000, 2003, 2006, 2009, 2012, 2015, 2018]) {
        survives_a_crash_at(millis, true).await;
    }
}

fn any_answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        Just(Answer::Take),
        Just(Answer::TakeAndLose),
        Just(Answer::Lose),
        Just(Answer::Retry),
        Just(Answer::Throttle),
        Just(Answer::Dead),
        Just(Answer::Fail),
        Just(Answer::Hang),
        Just(Answer::Panic),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_sinks_answer_every_delivery_ends_and_none_is_sent_twice_unmarked(
        answers in prop::collection::vec(any_answer(), 1..12),
        can_tell: bool,
        count in 1_u64..6,
        crash_ms in prop::option::of(0_u64..200_000),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let outbox = Arc::new(Outbox::default());
            let rows: Vec<Delivery> = (0..count).map(|n| delivery(n, "sms")).collect();
            outbox.keep(rows.clone());
            let provider = Arc::new(Provider::default());
            let sink: Arc<dyn Sink> = Arc::new(FakeSink {
                can_tell,
                provider: provider.clone(),
                ..FakeSink::new("sms", &answers)
            });
            let settings = CourierSettings::default();
            let life = Duration::from_millis(crash_ms.unwrap_or(0));
            if crash_ms.is_some() {
                let first = host(outbox.clone(), vec![sink.clone()], settings.clone(), START);
                drop(tokio::time::timeout(life, first).await);
            }
            host(outbox.clone(), vec![sink], settings, START.plus(life)).await;
            for row in &rows {
                let arrived = provider.of(&row.id);
                let unmarked = arrived.iter().filter(|text| **text == row.text).count();
                assert!(unmarked <= 1, "{arrived:?}");
                if can_tell {
                    assert!(arrived.len() <= 1, "{arrived:?}");
                }
                let end = outbox.row(&row.id);
                assert!(!end.state.is_owed());
                if end.state.has_left() {
                    assert!(!arrived.is_empty());
                }
            }
        });
    }
}
