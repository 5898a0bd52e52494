//! The SMPP sink against a scripted SMSC over real sockets: good days and bad ones.

mod plant;
mod sending;
mod smsc;
