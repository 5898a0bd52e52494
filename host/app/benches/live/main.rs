//! The real `andon` between a PLC and an SMSC that live in this process: what it costs from a
//! register to an SMS, to take a new version of a plugin, and to just sit there.
//!
//! ```text
//! plc ──Modbus──▶ andon (a process of its own, release build) ──SMPP──▶ smsc
//!  └── when a read showed the value            when submit_sm was read ──┘
//! ```
//!
//! The two ends share one monotonic clock, so a latency is the difference of two moments. They are
//! as small as a bench can have them, so that nearly all of the time is the host's. Prints lines
//! `NAME VALUE UNIT`; `cargo xtask bench` reads them. Name `latency`, `reload`, `burst` or `memory`
//! as arguments for these parts alone.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a bench measures with the real clock, prints, and stops at what it does not expect"
)]

mod burst;
mod host;
mod latency;
mod memory;
mod plc;
mod reload;
mod smsc;

fn main() {
    let parts: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let wanted = |name: &str| parts.is_empty() || parts.iter().any(|part| part == name);
    if wanted("latency") {
        latency::measure();
    }
    if wanted("reload") {
        reload::measure();
    }
    if wanted("burst") {
        burst::measure();
    }
    if wanted("memory") {
        memory::measure();
    }
}

/// The value below which this share of all lies.
fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a short list"
    )]
    let place = (sorted.len() as f64 * share) as usize;
    sorted[place.min(sorted.len() - 1)]
}

/// A pause that differs from round to round, so that no round begins at the same phase of a poll.
fn pause(round: u64) {
    std::thread::sleep(std::time::Duration::from_millis(60 + round * 7 % 20));
}
