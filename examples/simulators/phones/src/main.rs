//! Simulated phones: a real SMPP server and a Twilio-compatible endpoint in front of one inbox,
//! with a control port for the demo. Not part of the host.

mod control;
mod gsm;
mod inbox;
mod smsc;
mod twilio;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser;
use tokio::net::TcpListener;

use crate::inbox::Inbox;
use crate::smsc::Account;
use crate::twilio::Twilio;

/// Simulated phones behind SMPP and Twilio.
#[derive(Parser)]
struct Arguments {
    /// Where SMPP is served; port 0 takes a free one, which is printed.
    #[arg(long, default_value = "127.0.0.1:2775")]
    smpp: SocketAddr,
    /// Where the Twilio-compatible endpoint is served.
    #[arg(long, default_value = "127.0.0.1:2780")]
    twilio: SocketAddr,
    /// Where the control port is served.
    #[arg(long, default_value = "127.0.0.1:2781")]
    control: SocketAddr,
    /// system_id that may bind.
    #[arg(long, default_value = "andon")]
    system_id: String,
    /// Its password.
    #[arg(long, default_value = "secret")]
    password: String,
    /// Account that may send.
    #[arg(long, default_value = "AC00000000000000000000000000000001")]
    account_sid: String,
    /// Its token.
    #[arg(long, default_value = "demo-token")]
    auth_token: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let inbox = Arc::new(Inbox::new());
    let bind = |address: SocketAddr| async move {
        TcpListener::bind(address)
            .await
            .with_context(|| format!("listen on {address}"))
    };
    let smpp = bind(arguments.smpp).await?;
    let twilio = bind(arguments.twilio).await?;
    let control = bind(arguments.control).await?;
    announce(
        smpp.local_addr()?,
        twilio.local_addr()?,
        control.local_addr()?,
    );
    let account = Account {
        system_id: arguments.system_id,
        password: arguments.password,
    };
    let endpoint = Twilio {
        inbox: Arc::clone(&inbox),
        account_sid: arguments.account_sid,
        auth_token: arguments.auth_token,
    };
    tokio::select! {
        ended = smsc::serve(smpp, Arc::clone(&inbox), account) => ended,
        ended = axum::serve(twilio, twilio::router(endpoint)) => ended.context("serve the Twilio endpoint"),
        ended = axum::serve(control, control::router(inbox)) => ended.context("serve the control port"),
    }
}

#[expect(
    clippy::print_stdout,
    reason = "whoever started the program reads the addresses"
)]
fn announce(smpp: SocketAddr, twilio: SocketAddr, control: SocketAddr) {
    println!("phones: smpp {smpp} twilio {twilio} control {control}");
}
