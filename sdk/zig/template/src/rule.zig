//! Raises an alarm when a tank stays too full.

const andon = @import("andon");

pub const about = @embedFile("about.json");
pub const panic = andon.panic;

comptime {
    andon.exportRule(@This());
}

const Parameters = struct { high: f64 = 90, deadband: f64 = 2, delay: f64 = 0 };

// Settings.
var parameters: Parameters = .{};
var input: andon.Input = .{};

// What the rule knows. The host keeps it too, so that a restart loses nothing.
var raised = false;
var since: ?i64 = null;
var last: i64 = 0;
var count: i64 = 0;

pub fn configure(config: andon.Config) !void {
    parameters = try config.read(Parameters);
    if (parameters.deadband < 0) return andon.decline("bad-parameter", "`deadband` must not be negative", .{});
    if (parameters.delay < 0) return andon.decline("bad-parameter", "`delay` must not be negative", .{});
    if (config.inputs.len == 0) return andon.decline("no-input", "`level` needs a tag", .{});
    input = config.inputs[0];

    raised = andon.state.get("raised") != null;
    since = andon.state.getInt("since");
    last = andon.state.getInt("last") orelse andon.tenths(parameters.high);
    count = andon.state.getInt("count") orelse 0;
}

pub fn evaluate(call: *andon.Call) !void {
    var samples = call.samples();
    while (samples.next()) |sample| {
        if (!sample.isUsable()) continue;
        last = andon.tenths(sample.value);
        try judge(call, sample);
        if (since != null) try andon.state.setInt("last", last);
        try raiseIfDue(call, sample.time);
    }
    if (call.isWakeUp()) try raiseIfDue(call, call.now);
    if (since) |start| andon.wakeAt(andon.after(start, parameters.delay));
}

fn judge(call: *andon.Call, sample: andon.Sample) !void {
    if (raised) {
        if (sample.value > parameters.high - parameters.deadband) return;
        raised = false;
        andon.state.delete("raised");
        try call.clear(try key());
    } else if (sample.value <= parameters.high and since != null) {
        since = null;
        andon.state.delete("since");
    } else if (sample.value > parameters.high and since == null) {
        since = sample.time;
        try andon.state.setInt("since", sample.time);
    }
}

fn raiseIfDue(call: *andon.Call, now: i64) !void {
    const start = since orelse return;
    if (now < andon.after(start, parameters.delay)) return;
    raised = true;
    since = null;
    count += 1;
    try andon.state.setInt("raised", 1);
    try andon.state.setInt("count", count);
    andon.state.delete("since");

    const unit = if (input.unit) |name| try andon.print(" {s}", .{name}) else "";
    try call.raise(.{
        .key = try key(),
        .priority = .high,
        .message = try andon.print("{s} is at {s}{s}, above {s}{s} (alarm {d})", .{
            input.tag,                                           try andon.tenthsText(last), unit,
            try andon.tenthsText(andon.tenths(parameters.high)), unit,                       count,
        }),
        .attributes = &.{.{ "tag", input.tag }},
    });
}

fn key() ![]const u8 {
    return andon.print("{s}.high", .{input.tag});
}
