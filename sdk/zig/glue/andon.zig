//! Rules and functions for Andon, in Zig.
//!
//! A plugin is a file with `about`, `configure`, and `evaluate` (a rule) or `compute` (a function):
//!
//! ```zig
//! const andon = @import("andon");
//! pub const about = @embedFile("about.json");
//! pub const panic = andon.panic;
//! comptime { andon.exportRule(@This()); }
//!
//! pub fn configure(config: andon.Config) !void { … }
//! pub fn evaluate(call: *andon.Call) !void { … }
//! ```
//!
//! A plugin has no file, no network and no clock: it is handed samples and `now`. Every time is in
//! nanoseconds since 1970, UTC. Texts and slices that a call hands out are good until that call ends;
//! those of a `Config` are good until the next `configure`. An error that `configure`, `evaluate` or
//! `compute` returns takes back everything that the call did, and its reason is shown: that of
//! `decline`, or the error's own name.

const std = @import("std");
const abi = @import("abi.zig");

/// What `decline` gives, to be returned.
pub const Error = error{Declined};

/// How soon somebody must act.
pub const Priority = enum(u8) { diagnostic, low, medium, high, critical };

pub const Attribute = struct { []const u8, []const u8 };

/// A condition that is true until it is cleared.
pub const Alarm = struct {
    /// Names the condition within this instance.
    key: []const u8,
    priority: Priority,
    /// What a person reads, complete in itself.
    message: []const u8,
    attributes: []const Attribute = &.{},
};

/// One value of one input.
pub const Sample = struct {
    /// Index into the inputs of the configuration.
    input: u32,
    /// In the unit of the tag; a boolean is 0 or 1; NaN for a text (see `latestText`).
    value: f64,
    /// OPC quality byte: 192 and above good, 64 to 191 uncertain, below 64 bad.
    quality: u8,
    /// When the device was read.
    time: i64,

    /// Whether a decision may rest on it: the quality is not bad and there is a number.
    pub fn isUsable(sample: Sample) bool {
        return sample.quality >= 64 and !std.math.isNan(sample.value);
    }
};

/// Samples, one after another.
pub const Samples = struct {
    columns: abi.Samples,
    row: u32 = 0,

    pub fn next(samples: *Samples) ?Sample {
        const row = samples.row;
        if (row >= samples.columns.input.count) return null;
        samples.row += 1;
        return .{
            .input = samples.columns.input.slice()[row],
            .value = samples.columns.value.slice()[row],
            .quality = samples.columns.quality.slice()[row],
            .time = samples.columns.time.slice()[row],
        };
    }
};

/// A tag that was bound to an input.
pub const Input = struct {
    port: []const u8 = "",
    tag: []const u8 = "",
    /// Null if the tag has none.
    unit: ?[]const u8 = null,
    /// "bool", "f64", "text", …
    type: []const u8 = "",
};

/// Settings, good until the next `configure`.
pub const Config = struct {
    /// Name of this instance.
    instance: []const u8 = "",
    inputs: []const Input = &.{},
    /// The parameters as they are, for what `read` cannot read.
    parameters: std.json.Value = .null,

    /// Reads the parameters into a struct: a field is a parameter, its default what holds where the
    /// settings do not name it. Fields are numbers (f64), bools, texts ([]const u8), or optional.
    pub fn read(config: Config, comptime Parameters: type) Error!Parameters {
        var parameters: Parameters = .{};
        inline for (comptime std.meta.fieldNames(Parameters)) |name| {
            const given = if (config.parameters == .object) config.parameters.object.get(name) else null;
            if (given) |value| @field(parameters, name) = try parameter(@TypeOf(@field(parameters, name)), name, value);
        }
        return parameters;
    }
};

fn parameter(comptime T: type, comptime name: []const u8, value: std.json.Value) Error!T {
    if (@typeInfo(T) == .optional) {
        if (value == .null) return null;
        return try parameter(@typeInfo(T).optional.child, name, value);
    }
    switch (T) {
        f64 => switch (value) {
            .float => |number| return number,
            .integer => |number| return @floatFromInt(number),
            // Digits that fit no i64, and no f64 exactly.
            .number_string => |text| if (std.fmt.parseFloat(f64, text)) |number| return number else |_| {},
            else => {},
        },
        bool => if (value == .bool) return value.bool,
        []const u8 => if (value == .string) return value.string,
        else => @compileError("a parameter is f64, bool, []const u8, or an optional of these"),
    }
    const kind = switch (T) {
        f64 => "a number",
        bool => "true or false",
        else => "a text",
    };
    return decline("bad-parameter", "`" ++ name ++ "` must be " ++ kind, .{});
}

/// Most actions or values of one call. More of them make the call decline.
pub const answers_max = 10_000;

/// One evaluation or computation: what is new, and what comes of it.
pub const Call = struct {
    /// The only clock.
    now: i64,
    columns: abi.Samples,
    actions: std.ArrayList(abi.Action) = .empty,
    values: std.MultiArrayList(Sample) = .empty,

    /// What is new. Nothing: this is a wake-up that `wakeAt` asked for.
    pub fn samples(call: Call) Samples {
        return .{ .columns = call.columns };
    }

    pub fn isWakeUp(call: Call) bool {
        return call.columns.input.count == 0;
    }

    /// Rules. The condition holds. Raising what is raised already updates it and alerts nobody again.
    pub fn raise(call: *Call, alarm: Alarm) !void {
        try call.act(.raise, alarm);
    }

    /// Rules. The condition no longer holds.
    pub fn clear(call: *Call, key: []const u8) !void {
        try call.act(.clear, .{ .key = key, .priority = .diagnostic, .message = "" });
    }

    /// Rules. Tell people once; nothing stays active.
    pub fn notify(call: *Call, alarm: Alarm) !void {
        try call.act(.notify, alarm);
    }

    fn act(call: *Call, kind: @FieldType(abi.Action, "kind"), alarm: Alarm) !void {
        if (call.actions.items.len == answers_max)
            return decline("too-many-actions", "a call has at most {d} actions", .{answers_max});
        const attributes = try memory().alloc(abi.Attribute, alarm.attributes.len);
        for (attributes, alarm.attributes) |*to, from| {
            to.* = .{ .name = try copied(from[0]), .value = try copied(from[1]) };
        }
        try call.actions.append(memory(), .{ .kind = kind, .alarm = .{
            .key = try copied(alarm.key),
            .priority = @backingInt(alarm.priority),
            .message = try copied(alarm.message),
            .attributes = .from(attributes),
        } });
    }

    /// Functions. Sets an output: its index in the outputs of `about`.
    pub fn set(call: *Call, output: Sample) !void {
        if (call.values.len == answers_max)
            return decline("too-many-values", "a call has at most {d} values", .{answers_max});
        try call.values.append(memory(), output);
    }
};

fn copied(text: []const u8) !abi.Text {
    return .from(try memory().dupe(u8, text));
}

/// Memory until the end of the call, for texts and whatever else it needs.
pub fn memory() std.mem.Allocator {
    return abi.memory();
}

/// A text until the end of the call.
pub fn print(comptime format: []const u8, values: anytype) ![]const u8 {
    return std.fmt.allocPrint(memory(), format, values);
}

var reason: ?abi.Failure = null;

/// Declines the configuration or the call, with a short code and a reason for the person who
/// configured it: `return andon.decline("bad-parameter", "`high` must not be negative", .{});`
pub fn decline(code: []const u8, comptime message: []const u8, values: anytype) Error {
    if (reason == null) reason = .{
        .code = copied(code) catch .from("declined"),
        .message = .from(print(message, values) catch message),
    };
    return error.Declined;
}

fn failureOf(err: anyerror) abi.Failure {
    defer reason = null;
    if (reason) |why| return why;
    return .{ .code = .from("exception"), .message = .from(@errorName(err)) };
}

/// State: kept by the host, written together with the alarms of the same call or not at all, and
/// there again after a crash or a restart.
pub const state = struct {
    pub fn get(key: []const u8) ?[]const u8 {
        var answer: abi.Option(abi.Text) = .{};
        abi.state.get(key.ptr, @intCast(key.len), &answer);
        return if (answer.present) answer.value.slice() else null;
    }

    /// Declines if the host refuses.
    pub fn set(key: []const u8, value: []const u8) Error!void {
        var answer: abi.Done = .{};
        abi.state.set(key.ptr, @intCast(key.len), value.ptr, @intCast(value.len), &answer);
        if (!answer.failed) return;
        if (reason == null) reason = answer.failure;
        return error.Declined;
    }

    pub fn delete(key: []const u8) void {
        abi.state.delete(key.ptr, @intCast(key.len));
    }

    pub fn getInt(key: []const u8) ?i64 {
        return std.fmt.parseInt(i64, get(key) orelse return null, 10) catch null;
    }

    pub fn setInt(key: []const u8, value: i64) Error!void {
        var text: [24]u8 = undefined;
        // The longest number has 20 characters.
        try set(key, std.fmt.bufPrint(&text, "{d}", .{value}) catch unreachable);
    }
};

/// Call me again at a time, even if no tag changes. One wake-up per instance; the earliest wins.
pub fn wakeAt(time: i64) void {
    abi.timer.@"wake-at"(time);
}

/// The latest text of a text input.
pub fn latestText(input: u32) ?[]const u8 {
    var answer: abi.Option(abi.Text) = .{};
    abi.tags.text(input, &answer);
    return if (answer.present) answer.value.slice() else null;
}

/// The kept samples of an input since a time, oldest first.
pub fn window(input: u32, since: i64) Samples {
    var answer: abi.Samples = .{};
    abi.tags.window(input, since, &answer);
    return .{ .columns = answer };
}

pub const Level = enum(u32) { debug, info, warn, @"error" };

/// A line in the log of the instance.
pub fn log(level: Level, comptime format: []const u8, values: anytype) void {
    const line = print(format, values) catch format;
    abi.log.write(@backingInt(level), line.ptr, @intCast(line.len));
}

/// `pub const panic = andon.panic;` in the plugin: the reason is logged before the instance ends.
pub const panic = std.debug.FullPanic(struct {
    fn end(message: []const u8, _: ?usize) noreturn {
        abi.log.write(@backingInt(Level.@"error"), message.ptr, @intCast(message.len));
        @trap();
    }
}.end);

/// A time so many seconds after another. Never wraps: it stops at the end of time.
pub fn after(time: i64, seconds: f64) i64 {
    return time +| std.math.lossyCast(i64, seconds * std.time.ns_per_s);
}

/// A value in whole tenths, halves rounded up.
pub fn tenths(value: f64) i64 {
    return std.math.lossyCast(i64, @floor(value * 10 + 0.5));
}

/// Tenths as people read them: 925 is "92.5".
pub fn tenthsText(value: i64) ![]const u8 {
    const size = @abs(value);
    return print("{s}{d}.{d}", .{ if (value < 0) "-" else "", size / 10, size % 10 });
}

/// Exports a file as a rule: it has `about`, `configure` and `evaluate`.
pub fn exportRule(comptime Plugin: type) void {
    const inner = struct {
        fn evaluate(now: i64, columns: abi.Samples) abi.Result(abi.List(abi.Action)) {
            var call: Call = .{ .now = now, .columns = columns };
            finish(Plugin.evaluate(&call)) catch |err|
                return .{ .failed = true, .is = .{ .failure = failureOf(err) } };
            return .{ .is = .{ .ok = .from(call.actions.items) } };
        }
    };
    abi.exportPlugin(Plugin.about, Configured(Plugin).configure);
    abi.exportEvaluate(inner.evaluate);
}

/// Exports a file as a function: it has `about`, `configure` and `compute`.
pub fn exportFunction(comptime Plugin: type) void {
    const inner = struct {
        fn compute(now: i64, columns: abi.Samples) abi.Result(abi.Samples) {
            var call: Call = .{ .now = now, .columns = columns };
            finish(Plugin.compute(&call)) catch |err|
                return .{ .failed = true, .is = .{ .failure = failureOf(err) } };
            return .{ .is = .{ .ok = .{
                .input = .from(call.values.items(.input)),
                .value = .from(call.values.items(.value)),
                .quality = .from(call.values.items(.quality)),
                .time = .from(call.values.items(.time)),
            } } };
        }
    };
    abi.exportPlugin(Plugin.about, Configured(Plugin).configure);
    abi.exportCompute(inner.compute);
}

/// A reason that was given and not returned counts all the same.
fn finish(result: anyerror!void) anyerror!void {
    try result;
    if (reason != null) return error.Declined;
}

/// What the last configuration said.
var kept: std.heap.ArenaAllocator = .init(std.heap.wasm_allocator);

fn Configured(comptime Plugin: type) type {
    return struct {
        fn configure(text: []const u8) ?abi.Failure {
            _ = kept.reset(.free_all);
            const config = readConfig(text) catch {
                reason = null;
                return .{
                    .code = .from("bad-configuration"),
                    .message = .from("the configuration is no JSON that can be read"),
                };
            };
            finish(Plugin.configure(config)) catch |err| return failureOf(err);
            return null;
        }
    };
}

fn readConfig(text: []const u8) !Config {
    const Raw = struct {
        instance: []const u8 = "",
        inputs: []const Input = &.{},
        parameters: std.json.Value = .null,
    };
    const raw = try std.json.parseFromSliceLeaky(Raw, kept.allocator(), text, .{
        .ignore_unknown_fields = true,
        .allocate = .alloc_always,
    });
    return .{ .instance = raw.instance, .inputs = raw.inputs, .parameters = raw.parameters };
}
