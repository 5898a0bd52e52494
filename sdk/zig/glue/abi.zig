//! The contract `andon:plugin@0.1.0` in the canonical ABI: what crosses between plugin and host.
//!
//! Lists and texts cross as address and length. What does not fit one number comes through memory:
//! the host writes into the room that it was given, and reads the answer from where it was told.
//! Everything that one call needs lies in one arena, which is emptied when the host has read the
//! answer, so nothing is ever left behind. Only 32-bit WebAssembly is meant: a pointer has 4 bytes.

const std = @import("std");

/// A list of numbers or a text, as it crosses.
pub fn List(comptime T: type) type {
    return extern struct {
        address: ?[*]const T = null,
        count: u32 = 0,

        /// An empty slice may point anywhere, and the host would refuse the address.
        pub fn from(values: []const T) @This() {
            return if (values.len == 0) .{} else .{ .address = values.ptr, .count = @intCast(values.len) };
        }

        pub fn slice(list: @This()) []const T {
            const address = list.address orelse return &.{};
            return if (list.count == 0) &.{} else address[0..list.count];
        }
    };
}

pub const Text = List(u8);

pub const Samples = extern struct {
    input: List(u32) = .{},
    value: List(f64) = .{},
    quality: List(u8) = .{},
    time: List(i64) = .{},
};

pub const Attribute = extern struct { name: Text, value: Text };

pub const Alarm = extern struct {
    key: Text,
    priority: u8 = 0,
    message: Text = .{},
    attributes: List(Attribute) = .{},
};

/// A `clear` has its key where an alarm has its own.
pub const Action = extern struct {
    kind: enum(u8) { raise, clear, notify },
    alarm: Alarm,
};

pub const Failure = extern struct {
    code: Text = .{},
    message: Text = .{},
    attributes: List(Attribute) = .{},
};

/// `result<T, failure>`.
pub fn Result(comptime T: type) type {
    return extern struct {
        failed: bool = false,
        is: extern union { ok: T, failure: Failure },
    };
}

/// `result<_, failure>`.
pub const Done = extern struct {
    failed: bool = false,
    failure: Failure = .{},
};

/// `option<T>` of a list or text.
pub fn Option(comptime T: type) type {
    return extern struct {
        present: bool = false,
        value: T = .{},
    };
}

pub const tags = struct {
    pub extern "andon:plugin/tags@0.1.0" fn text(input: u32, answer: *Option(Text)) void;
    pub extern "andon:plugin/tags@0.1.0" fn window(input: u32, since: i64, answer: *Samples) void;
};

pub const state = struct {
    pub extern "andon:plugin/state@0.1.0" fn get(key: ?[*]const u8, key_size: u32, answer: *Option(Text)) void;
    pub extern "andon:plugin/state@0.1.0" fn set(key: ?[*]const u8, key_size: u32, value: ?[*]const u8, value_size: u32, answer: *Done) void;
    pub extern "andon:plugin/state@0.1.0" fn delete(key: ?[*]const u8, key_size: u32) void;
};

pub const timer = struct {
    pub extern "andon:plugin/timer@0.1.0" fn @"wake-at"(time: i64) void;
};

pub const log = struct {
    pub extern "andon:plugin/log@0.1.0" fn write(level: u32, message: ?[*]const u8, size: u32) void;
};

/// Most memory that is kept from one call for the next, bytes.
const kept_max = 256 << 10;

var arena: std.heap.ArenaAllocator = .init(std.heap.wasm_allocator);

/// Memory until the host has read the answer of this call.
pub fn memory() std.mem.Allocator {
    return arena.allocator();
}

/// Where answers lie until the host has read them.
var answer: extern union {
    text: Text,
    done: Done,
    actions: Result(List(Action)),
    samples: Result(Samples),
} = undefined;

/// Exports what rules and functions have in common. `describe` gives the JSON about the plugin,
/// `configure` is null or why it declined.
pub fn exportPlugin(comptime about: []const u8, comptime configure: fn ([]const u8) ?Failure) void {
    const exports = struct {
        fn describe() callconv(.c) *Text {
            answer = .{ .text = .from(about) };
            return &answer.text;
        }

        fn configured(text: ?[*]const u8, size: u32) callconv(.c) *Done {
            const config: Text = .{ .address = text, .count = size };
            const failure = configure(config.slice());
            answer = .{ .done = .{ .failed = failure != null, .failure = failure orelse .{} } };
            return &answer.done;
        }
    };
    @export(&reallocate, .{ .name = "cabi_realloc" });
    exportCall("andon:plugin/plugin@0.1.0#describe", &exports.describe);
    exportCall("andon:plugin/plugin@0.1.0#configure", &exports.configured);
}

/// Exports a rule's evaluation.
pub fn exportEvaluate(comptime evaluate: fn (i64, Samples) Result(List(Action))) void {
    exportCall("andon:plugin/rule@0.1.0#evaluate", &Batch(List(Action), evaluate, "actions").call);
}

/// Exports a function's computation.
pub fn exportCompute(comptime compute: fn (i64, Samples) Result(Samples)) void {
    exportCall("andon:plugin/function@0.1.0#compute", &Batch(Samples, compute, "samples").call);
}

/// A call with a batch. Its four columns come flat.
fn Batch(comptime T: type, comptime inner: fn (i64, Samples) Result(T), comptime field: []const u8) type {
    return struct {
        fn call(
            now: i64,
            input: ?[*]const u32,
            inputs: u32,
            value: ?[*]const f64,
            values: u32,
            quality: ?[*]const u8,
            qualities: u32,
            time: ?[*]const i64,
            times: u32,
        ) callconv(.c) *Result(T) {
            const result = inner(now, .{
                .input = .{ .address = input, .count = inputs },
                .value = .{ .address = value, .count = values },
                .quality = .{ .address = quality, .count = qualities },
                .time = .{ .address = time, .count = times },
            });
            @field(answer, field) = result;
            return &@field(answer, field);
        }
    };
}

fn exportCall(comptime name: []const u8, comptime call: anytype) void {
    @export(call, .{ .name = name });
    @export(&answered, .{ .name = "cabi_post_" ++ name });
}

/// The host has read the answer: the memory of the call is free again.
fn answered(_: u32) callconv(.c) void {
    _ = arena.reset(.{ .retain_with_limit = kept_max });
}

/// Memory for what the host hands in.
fn reallocate(old: ?[*]u8, old_size: u32, alignment: u32, size: u32) callconv(.c) [*]u8 {
    if (size == 0) return @ptrFromInt(alignment);
    const new = memory().rawAlloc(size, .fromByteUnits(alignment), @returnAddress()) orelse
        @panic("out of memory");
    if (old) |bytes| @memcpy(new[0..@min(old_size, size)], bytes[0..@min(old_size, size)]);
    return new;
}

comptime {
    std.debug.assert(@sizeOf(Action) == 32 and @sizeOf(Failure) == 24 and @sizeOf(Done) == 28);
    std.debug.assert(@sizeOf(Result(Samples)) == 36 and @sizeOf(Option(Text)) == 12);
}
