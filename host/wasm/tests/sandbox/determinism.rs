//! The same inputs give the same actions; the machine cannot be seen.

use andon_model::{Columns, Timestamp};

use crate::guests::{NOW, call_once, notice, setup, start};

async fn said(mode: &str, instance: &str, now: Timestamp) -> String {
    let mut setup = setup(mode, 0);
    setup.instance = instance.to_owned();
    let mut guest = start(setup).await;
    notice(
        guest
            .call(now, &Columns::default())
            .await
            .expect("it answers"),
    )
    .message
}

#[tokio::test]
async fn clocks_stand_at_the_now_of_the_call() {
    let later = Timestamp::from_nanos(NOW.nanos() + 5);
    assert_eq!(said("clocks", "a", NOW).await, "1700000000000000000 0");
    assert_eq!(said("clocks", "a", later).await, "1700000000000000005 0");
    let before_the_epoch = Timestamp::from_nanos(-1);
    assert_eq!(said("clocks", "a", before_the_epoch).await, "0 0");
}

#[tokio::test]
async fn random_numbers_come_from_the_instance_and_now() {
    let first = said("random", "a", NOW).await;
    assert_eq!(first, said("random", "a", NOW).await);
    assert_ne!(first, said("random", "b", NOW).await);
}

#[tokio::test]
async fn the_machine_cannot_be_seen() {
    let found = notice(call_once("look-around", 0).await.expect("it answers")).message;
    assert_eq!(
        found,
        "arguments 0 environment 0 file false folder false socket false input 0"
    );
}
