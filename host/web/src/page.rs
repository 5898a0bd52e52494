//! The status page: what stands, what runs, what was sent. Plain HTML, no script; it reloads
//! itself every five seconds. Everything from outside is escaped by the template.

use maud::{DOCTYPE, Markup, html};

use crate::on_call;
use crate::view::{
    AlarmView, DeliveryView, DeviceView, Overview, PluginView, ShadowView, SinkView, TagView,
};

/// Differences of one shadow that the page shows; `andon plugin list` shows all that are kept.
const DIFFERENCES_SHOWN: usize = 5;

const STYLE: &str = "
:root{color-scheme:light dark;font:15px/1.45 system-ui,sans-serif}
body{margin:0 auto;max-width:72rem;padding:1rem}
h1{font-size:1.3rem;margin:.2rem 0}h2{font-size:1.05rem;margin:1.4rem 0 .3rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.25rem .6rem .25rem 0;border-bottom:1px solid #8884;vertical-align:top}
th{font-weight:600}.num{text-align:right}
.critical,.high,.down{color:#c22;font-weight:600}.medium{color:#b60}.ok{color:#282}
.trouble{border-left:4px solid #c22;padding:.3rem .6rem;margin:.3rem 0}
.quiet{opacity:.7}
";

/// The whole page.
pub(crate) fn render(overview: &Overview) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                meta http-equiv="refresh" content="5";
                title { (overview.alarms.len()) " alarms – Andon" }
                style { (maud::PreEscaped(STYLE)) }
            }
            body {
                h1 { "Andon " (overview.version) }
                p.quiet { "running since " (overview.started_at) ", shown at " (overview.now) }
                @for trouble in &overview.troubles { p.trouble { (trouble) } }
                (alarms(&overview.alarms))
                (on_call::section(&overview.on_call))
                (plugins(&overview.plugins))
                (devices(&overview.devices))
                (sinks(&overview.sinks))
                (deliveries(&overview.deliveries, overview.owed))
                (tags(&overview.tags, overview.tag_count))
            }
        }
    }
    .into_string()
}

fn alarms(alarms: &[AlarmView]) -> Markup {
    html! {
        h2 { "Alarms" }
        @if alarms.is_empty() { p.ok { "None stands." } } @else {
            table {
                tr { th { "Code" } th { "Priority" } th { "Message" } th { "State" } th { "Since" } th { "Told" } }
                @for alarm in alarms {
                    tr {
                        td { (alarm.record.code) }
                        td class=(alarm.record.priority.name()) { (alarm.record.priority) }
                        td { @if alarm.record.test { "TEST " } (alarm.record.message) br; span.quiet { (alarm.record.id) } }
                        td { (alarm.record.state.letter()) " " (alarm.record.state)
                            @if let Some(ack) = &alarm.record.acknowledged { br; span.quiet { "by " (ack.by) ", " (ack.how) } } }
                        td { (alarm.record.raised_at) }
                        td { (alarm.told.join(", ")) }
                    }
                }
            }
        }
    }
}

fn mark(up: bool) -> &'static str {
    if up { "ok" } else { "down" }
}

fn plugins(plugins: &[PluginView]) -> Markup {
    html! {
        h2 { "Plugins" }
        table {
            tr { th { "Instance" } th { "Component" } th { "State" } th.num { "Calls" } th.num { "Failed" } th.num { "Memory" } th.num { "Latest" } }
            @for plugin in plugins {
                tr {
                    td { (plugin.instance) }
                    td { (plugin.component) " " (plugin.version) br; span.quiet { (plugin.kind) " " (plugin.hash) } }
                    td class=(mark(plugin.up)) { (plugin.state)
                        @if !plugin.trouble.is_empty() { br; span.quiet { (plugin.trouble) } }
                        @for one in plugin.shadow.iter().chain(&plugin.refused_shadow) { (shadow(one)) } }
                    td.num { (plugin.calls) }
                    td.num { (plugin.failures) }
                    td.num { (plugin.memory_bytes / 1024) " KiB" }
                    td.num { (plugin.latest_call_us) " µs" }
                }
            }
        }
    }
}

fn shadow(shadow: &ShadowView) -> Markup {
    html! {
        br; "shadow " (shadow.version) " " span.quiet { (shadow.hash) }
        ", since " (shadow.since) @if let Some(until) = shadow.until { " until " (until) }
        " (" (shadow.end) "): " (shadow.calls) " calls, " (shadow.failures) " failed; "
        (shadow.same) " the same, " (shadow.different) " different"
        @for difference in shadow.differences.iter().take(DIFFERENCES_SHOWN) { br; span.quiet { (difference) } }
    }
}

fn devices(devices: &[DeviceView]) -> Markup {
    html! {
        h2 { "Devices" }
        table {
            tr { th { "Name" } th { "State" } th { "Detail" } }
            @for device in devices {
                tr { td { (device.name) } td class=(mark(device.up)) { (device.state) } td { (device.detail) } }
            }
        }
    }
}

fn sinks(sinks: &[SinkView]) -> Markup {
    html! {
        h2 { "Sinks" }
        table {
            tr { th { "Name" } th { "Kind" } th { "State" } }
            @for sink in sinks {
                tr { td { (sink.name) } td { (sink.kind) } td class=(mark(sink.up)) { @if sink.up { "up" } @else { "down" } " " span.quiet { (sink.why) } } }
            }
        }
    }
}

fn deliveries(deliveries: &[DeliveryView], owed: usize) -> Markup {
    html! {
        h2 { "Latest deliveries" }
        p.quiet { (owed) " messages are owed and have not left yet." }
        table {
            tr { th { "Owed at" } th { "To" } th { "By" } th { "State" } th { "Text" } }
            @for delivery in deliveries {
                tr {
                    td { (delivery.created_at) }
                    td { (delivery.contact) }
                    td { (delivery.sink) }
                    td { (delivery.state) br; span.quiet { (delivery.why) } }
                    td { (delivery.text) }
                }
            }
        }
    }
}

fn tags(tags: &[TagView], count: usize) -> Markup {
    html! {
        h2 { "Tags" }
        @if tags.len() < count { p.quiet { "The first " (tags.len()) " of " (count) "." } }
        table {
            tr { th { "Name" } th.num { "Value" } th { "Quality" } th { "Read at" } th { "Source" } }
            @for tag in tags {
                tr {
                    td { (tag.name) }
                    td.num { (tag.value) " " (tag.unit) }
                    td { (tag.quality) }
                    td { @if let Some(time) = tag.time { (time) } }
                    td.quiet { (tag.source) }
                }
            }
        }
    }
}
