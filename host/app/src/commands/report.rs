//! `andon report`: alarm figures of a period from the data folder, whether a host runs there or
//! not; it only reads.

use std::process::ExitCode;
use std::sync::Arc;

use andon_kpi::render;
use andon_model::Clock as _;
use andon_store::Store;

use super::print;
use crate::arguments::{Report, ReportFormat};
use crate::clock::SystemClock;
use crate::report::{Asked, make};
use crate::surroundings::folder_of;
use crate::workshop::SettingsFile;

pub(super) fn report(options: &Report) -> anyhow::Result<ExitCode> {
    let place = &options.place;
    let plan = match SettingsFile::at(&place.config).read() {
        Ok(plan) => plan,
        Err(problems) => {
            for problem in &problems {
                eprintln!("{problem}");
            }
            return Ok(ExitCode::FAILURE);
        }
    };
    let data = folder_of(&place.config).join(&plan.settings.host.data);
    let reader = Store::read_only(&data.join("andon.db"))?;
    let asked = Asked {
        from: options.from.clone(),
        to: options.to.clone(),
        group: options.group.clone(),
    };
    let now = SystemClock::start().now();
    let report = make(&reader, Arc::clone(&plan.kpi), &asked, now)?;
    let format = if place.json {
        ReportFormat::Json
    } else {
        options.format
    };
    let printed = match format {
        ReportFormat::Text => render::text(&report),
        ReportFormat::Json => serde_json::to_string(&report)?,
        ReportFormat::Csv => render::csv(&report)?,
        ReportFormat::Html => render::html(&report),
    };
    print(printed.trim_end());
    Ok(ExitCode::SUCCESS)
}
