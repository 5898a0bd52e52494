//! The crate carries a copy of the contract, because a published crate holds only its own folder.

#[test]
fn the_copy_of_the_contract_is_the_contract() {
    let contract = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit/plugin.wit");
    let Ok(contract) = std::fs::read_to_string(contract) else {
        return; // A published crate: there is nothing to compare with.
    };
    assert_eq!(
        include_str!("../wit/plugin.wit"),
        contract,
        "copy wit/plugin.wit to sdk/rust/wit/plugin.wit"
    );
}
