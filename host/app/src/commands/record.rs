//! `andon record`: asks the running host to record, and waits until it has.
//!
//! The host writes the file, so nothing but the order goes through the control socket. Ctrl-C ends
//! the recording; if this command is killed, the recording ends at its own bounds.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use andon_web::Command;
use anyhow::Context as _;
use serde_json::Value;

use super::{data_folder, print, small_runtime, socket_in};
use crate::arguments::Record;
use crate::recorder::Status;

/// Between two looks at how it goes.
const LOOK: Duration = Duration::from_millis(250);

pub(super) fn record(options: &Record) -> anyhow::Result<ExitCode> {
    let file = std::path::absolute(&options.out)
        .with_context(|| format!("find the folder of {}", options.out.display()))?;
    let socket = socket_in(&data_folder(&options.place)?);
    let order = Command::Record {
        file: file.display().to_string(),
        millis: u64::try_from(options.duration.0.as_millis()).unwrap_or(u64::MAX),
        rows: options.rows,
    };
    let status = small_runtime()?.block_on(async {
        let _begun: Status = read(andon_web::ask(&socket, &order).await?)?;
        if !options.place.json {
            eprintln!(
                "recording into {} for {}, {} rows at most; Ctrl-C ends it",
                file.display(),
                options.duration,
                options.rows
            );
        }
        follow(&socket).await
    })?;
    if options.place.json {
        print(serde_json::to_string(&status)?);
    } else {
        let lost = match status.lost {
            0 => String::new(),
            lost => format!(", {lost} more were lost because the disk was too slow"),
        };
        let why = status.ended.as_deref().unwrap_or_default();
        print(format!(
            "{} samples are in {}{lost}: {why}",
            status.rows,
            status.file.display()
        ));
    }
    Ok(if status.failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Asks until the recording has ended; Ctrl-C ends it.
async fn follow(socket: &Path) -> anyhow::Result<Status> {
    let mut stop = false;
    loop {
        let answer = andon_web::ask(socket, &Command::Recording { stop }).await?;
        let status: Option<Status> = read(answer)?;
        match status {
            Some(status) if status.ended.is_some() => return Ok(status),
            Some(_) => {}
            None => anyhow::bail!(
                "the host was started anew and knows of no recording; what it wrote before is in the file"
            ),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = tokio::signal::ctrl_c() => stop = true,
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> anyhow::Result<T> {
    serde_json::from_value(value)
        .context("the host answered something else; are both of the same version?")
}
