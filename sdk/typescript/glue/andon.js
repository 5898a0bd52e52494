/**
 * Andon rules and functions in JavaScript: the pleasant layer above the contract `andon:plugin@0.1.0`.
 *
 * It owns the way from columns and JSON to samples and objects, and back. A class says `about` itself, is
 * constructed when the host configures an instance, and is called with each batch. It knows nothing of any
 * single rule. The types are in `andon.d.ts`, which says what each thing means.
 *
 * A time is a number of nanoseconds since 1970. Such a number is exact to 256 ns, which is why a time is
 * compared with a time here and never a difference with a duration.
 */
import hostLog from "andon:plugin/log@0.1.0";
import hostState from "andon:plugin/state@0.1.0";
import hostTags from "andon:plugin/tags@0.1.0";
import hostTimer from "andon:plugin/timer@0.1.0";

/** Nanoseconds of a second. */
export const SECOND = 1e9;

const PRIORITIES = ["diagnostic", "low", "medium", "high", "critical"];

/** The first and the last moment that the contract can name and a number can hold. */
const TIME_MIN = -(2 ** 63);
const TIME_MAX = 2 ** 63 - 1024;

/** A rule's "no", with a code for programs and a sentence for people. */
export class Failure extends Error {
  constructor(code, message, attributes = {}) {
    super(message);
    this.name = "Failure";
    this.code = code;
    this.attributes = attributes;
  }
}

/** Makes the exports of a rule out of a class with `evaluate(call)`. */
export function defineRule(Author) {
  const holder = new Holder(Author);
  const evaluate = (now, samples) =>
    holder.run((rule, inputs) => {
      const call = new RuleCall(now, samples, inputs);
      rule.evaluate(call);
      return call.actions;
    });
  return { plugin: holder.plugin(), rule: { evaluate } };
}

/** Makes the exports of a function out of a class with `compute(call)`. */
export function defineFunction(Author) {
  const holder = new Holder(Author);
  const compute = (now, samples) =>
    holder.run((instance, inputs) => {
      const call = new FunctionCall(now, samples, inputs, holder.about.outputs ?? []);
      instance.compute(call);
      return call.answer;
    });
  return { plugin: holder.plugin(), function: { compute } };
}

/** Holds the one object of the author's class, and makes it anew after it threw. */
class Holder {
  constructor(Author) {
    this.Author = Author;
    this.about = Author.about;
    if (typeof this.about?.name !== "string") {
      throw new TypeError(`${Author.name} needs \`static about = { name: "...", ... }\``);
    }
    this.description = JSON.stringify(this.about);
    this.configuration = null;
    this.object = null;
  }

  plugin() {
    return {
      describe: () => this.description,
      configure: (text) =>
        guarded(() => {
          this.configuration = JSON.parse(text);
          this.make();
        }),
    };
  }

  make() {
    this.inputs = this.configuration.inputs.map((input, index) => ({ index, ...input }));
    this.object = new this.Author(new Start(this.about, this.configuration, this.inputs));
  }

  /**
   * One call. What a call that failed wrote to `state` is discarded by the host, so what the object
   * remembers may be ahead of it: the next call gets a new object, which reads its state again.
   */
  run(call) {
    return guarded(() => {
      if (this.object === null) this.make();
      const { object, inputs } = this;
      this.object = null;
      const answer = call(object, inputs);
      this.object = object;
      return answer;
    });
  }
}

/** Runs what an author wrote; whatever it throws becomes a `failure` of the contract. */
function guarded(run) {
  try {
    return run();
  } catch (thrown) {
    throw failure(thrown);
  }
}

function failure(thrown) {
  if (thrown instanceof Failure) {
    return {
      code: String(thrown.code),
      message: thrown.message,
      attributes: pairs(thrown.attributes),
    };
  }
  if (thrown instanceof Error) {
    const stack = String(thrown.stack ?? "").trim();
    const at = place(stack);
    return {
      code: "exception",
      message: `${thrown.name}: ${thrown.message}${at === undefined ? "" : ` (at ${at})`}`,
      attributes: [["stack", stack]],
    };
  }
  return { code: "exception", message: String(thrown), attributes: [] };
}

/** File and line of the author's that a stack tells of first. */
function place(stack) {
  const places = [...stack.matchAll(/\(\/?([^()]+?:\d+)(?::\d+)?\)/g)].map(([, at]) => at);
  return places.find((at) => !at.startsWith("andon/")) ?? places[0];
}

function pairs(attributes) {
  return Object.entries(attributes).map(([name, value]) => [name, String(value)]);
}

/** What an instance remembers: JSON values by key. */
export const state = {
  get(key) {
    const bytes = hostState.get(String(key));
    if (bytes === null || bytes === undefined) return null;
    try {
      return JSON.parse(decode(bytes));
    } catch (error) {
      log.warn(`state \`${key}\` cannot be read and is forgotten: ${error.message}`);
      return null;
    }
  },
  set(key, value) {
    const text = JSON.stringify(value);
    if (text === undefined) {
      throw new TypeError(`state \`${key}\`: ${typeof value} cannot be written as JSON`);
    }
    try {
      hostState.set(String(key), encode(text));
    } catch (refused) {
      throw new Failure(refused.code ?? "state", refused.message ?? String(refused));
    }
  },
  delete(key) {
    hostState.delete(String(key));
  },
};

/** The instance's log. */
export const log = {
  debug: (...words) => hostLog.write("debug", line(words)),
  info: (...words) => hostLog.write("info", line(words)),
  warn: (...words) => hostLog.write("warn", line(words)),
  error: (...words) => hostLog.write("error", line(words)),
};

globalThis.console = { ...log, log: log.info };

function line(words) {
  return words.map((word) => (typeof word === "object" ? JSON.stringify(word) : String(word))).join(" ");
}

function wakeAt(time) {
  hostTimer.wakeAt(nanoseconds(time));
}

/** A moment as the host takes it: whole, never earlier than what was meant. */
function nanoseconds(time) {
  if (typeof time !== "number" || Number.isNaN(time)) {
    throw new TypeError(`a time is a number of nanoseconds, not ${String(time)}`);
  }
  return Math.min(Math.max(Math.ceil(time), TIME_MIN), TIME_MAX);
}

/** What the constructor of a rule or function is given. */
class Start {
  constructor(about, configuration, inputs) {
    this.instance = configuration.instance ?? about.name;
    this.inputs = inputs;
    this.state = state;
    this.log = log;
    this.schema = about.parameters?.properties ?? {};
    this.parameters = {};
    for (const [name, property] of Object.entries(this.schema)) {
      if (property.default !== undefined) this.parameters[name] = property.default;
    }
    Object.assign(this.parameters, configuration.parameters);
  }

  number(name) {
    const value = this.parameters[name];
    if (typeof value !== "number") {
      throw new Failure("bad-parameter", `\`${name}\` must be a number`, { parameter: name });
    }
    const minimum = this.schema[name]?.minimum;
    if (minimum !== undefined && value < minimum) {
      const must = minimum === 0 ? "must not be negative" : `must be at least ${minimum}`;
      throw new Failure("bad-parameter", `\`${name}\` ${must}`, { parameter: name });
    }
    return value;
  }

  wakeAt(time) {
    wakeAt(time);
  }
}

/** One row of the columns. */
class Sample {
  constructor(input, bound, value, quality, time) {
    this.input = input;
    this.tag = bound.tag;
    this.unit = bound.unit;
    this.value = value;
    this.quality = quality;
    this.time = time;
  }

  get usable() {
    return this.quality >= 64 && !Number.isNaN(this.value);
  }
}

function rows(columns, inputs) {
  return columns.input.map(
    (input, row) =>
      new Sample(input, inputs[input], columns.value[row], columns.quality[row], columns.time[row]),
  );
}

/** What rules and functions are called with. */
class Call {
  constructor(now, columns, inputs) {
    this.now = now;
    this.inputs = inputs;
    this.samples = rows(columns, inputs);
    this.state = state;
    this.log = log;
  }

  get isWakeUp() {
    return this.samples.length === 0;
  }

  text(input) {
    return hostTags.text(input) ?? null;
  }

  window(input, since) {
    return rows(hostTags.window(input, nanoseconds(since)), this.inputs);
  }

  wakeAt(time) {
    wakeAt(time);
  }

  wakeAfter(seconds) {
    wakeAt(this.now + seconds * SECOND);
  }
}

class RuleCall extends Call {
  actions = [];

  raise(alarm) {
    this.actions.push({ tag: "raise", val: checked(alarm) });
  }

  clear(key) {
    this.actions.push({ tag: "clear", val: String(key) });
  }

  notify(alarm) {
    this.actions.push({ tag: "notify", val: checked(alarm) });
  }
}

function checked({ key, priority = "medium", message, attributes = {} }) {
  if (!PRIORITIES.includes(priority)) {
    throw new TypeError(`the priority ${String(priority)} is none of ${PRIORITIES.join(", ")}`);
  }
  if (typeof key !== "string" || typeof message !== "string") {
    throw new TypeError("an alarm has a `key` and a `message`, both of them text");
  }
  return { key, priority, message, attributes: pairs(attributes) };
}

class FunctionCall extends Call {
  answer = { input: [], value: [], quality: [], time: [] };

  constructor(now, columns, inputs, outputs) {
    super(now, columns, inputs);
    this.outputs = outputs;
  }

  set(output, value, { quality = 192, time = this.now } = {}) {
    const index = this.outputs.findIndex((port) => port.name === output);
    if (index < 0) throw new TypeError(`\`about.outputs\` names no ${String(output)}`);
    this.answer.input.push(index);
    this.answer.value.push(Number(value));
    this.answer.quality.push(quality & 255);
    this.answer.time.push(nanoseconds(time));
  }
}

/** JSON as bytes, all of them ASCII: QuickJS has no class for UTF-8, and JSON can do without. */
function encode(json) {
  const text = json.replace(/[^\x00-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const bytes = new Uint8Array(text.length);
  for (let place = 0; place < bytes.length; place += 1) bytes[place] = text.charCodeAt(place);
  return bytes;
}

/** UTF-8 as text: another language may have written it. A few thousand bytes at once, as a call takes so many. */
function decode(bytes) {
  let text = "";
  for (let place = 0; place < bytes.length; place += 4096) {
    text += String.fromCharCode(...bytes.subarray(place, place + 4096));
  }
  return /[^\x00-\x7f]/.test(text) ? decodeURIComponent(text.replace(/[^\x00-\x24\x26-\x7f]/g, percent)) : text;
}

function percent(byte) {
  return `%${byte.charCodeAt(0).toString(16).padStart(2, "0")}`;
}
