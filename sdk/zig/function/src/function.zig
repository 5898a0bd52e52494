//! Turns the level of a tank into its volume, and smooths it.

const andon = @import("andon");

pub const about = @embedFile("about.json");
pub const panic = andon.panic;

comptime {
    andon.exportFunction(@This());
}

// The outputs, in the order of about.json.
const volume = 0;
const mean = 1;

const Parameters = struct { capacity: f64 = 10, seconds: f64 = 60 };

var parameters: Parameters = .{};

pub fn configure(config: andon.Config) !void {
    parameters = try config.read(Parameters);
    if (!(parameters.capacity > 0)) return andon.decline("bad-parameter", "`capacity` must be more than 0", .{});
}

pub fn compute(call: *andon.Call) !void {
    const scale = parameters.capacity / 100;
    var samples = call.samples();
    while (samples.next()) |sample| {
        if (!sample.isUsable()) continue;
        try call.set(.{ .input = volume, .value = sample.value * scale, .quality = sample.quality, .time = sample.time });
        try call.set(.{ .input = mean, .value = meanLevel(sample) * scale, .quality = sample.quality, .time = sample.time });
    }
}

/// The mean level of the kept samples; that of the sample itself where there is none.
fn meanLevel(sample: andon.Sample) f64 {
    var kept = andon.window(sample.input, andon.after(sample.time, -parameters.seconds));
    var sum: f64 = 0;
    var count: f64 = 0;
    while (kept.next()) |each| {
        if (!each.isUsable()) continue;
        sum += each.value;
        count += 1;
    }
    return if (count == 0) sample.value else sum / count;
}
