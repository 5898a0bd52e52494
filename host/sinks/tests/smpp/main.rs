//! The SMPP sink against a scripted SMSC over real sockets: good days and bad ones.

mod broken;
mod link;
mod npm;
mod plant;
mod receiving;
mod sending;
mod smsc;
