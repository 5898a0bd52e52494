//! The API against a host that is made up, through the whole router.

mod answers;
mod following;
pub(super) mod kit;
mod roles;
mod strangers;
