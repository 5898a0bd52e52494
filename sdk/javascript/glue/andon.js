/**
 * Andon rules and functions in JavaScript: the pleasant layer above the contract `andon:plugin@0.1.0`.
 *
 * It owns the way from columns and JSON to samples and objects, and back. A class says `about` itself, is
 * constructed when the host configures an instance, and is called with each batch. It knows nothing of any
 * single rule. The types are in `andon.d.ts`, which says what each thing means. Sinks have `sink.js`.
 *
 * A time is a number of nanoseconds since 1970. Such a number is exact to 256 ns, which is why a time is
 * compared with a time here and never a difference with a duration.
 */
import hostState from "andon:plugin/state@0.1.0";
import hostTags from "andon:plugin/tags@0.1.0";
import hostTimer from "andon:plugin/timer@0.1.0";
import { Failure, fromUtf8, Holder, jsonBytes, log, pairs, reason, SECOND, Start } from "./author.js";

export { Failure, log, SECOND };

const PRIORITIES = ["diagnostic", "low", "medium", "high", "critical"];

/** The first and the last moment that the contract can name and a number can hold. */
const TIME_MIN = -(2 ** 63);
const TIME_MAX = 2 ** 63 - 1024;

/** Makes the exports of a rule out of a class with `evaluate(call)`. */
export function defineRule(Author) {
  const holder = new Holder(Author, Author.about, LogicStart);
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
  const holder = new Holder(Author, Author.about, LogicStart);
  const compute = (now, samples) =>
    holder.run((instance, inputs) => {
      const call = new FunctionCall(now, samples, inputs, holder.about.outputs ?? []);
      instance.compute(call);
      return call.answer;
    });
  return { plugin: holder.plugin(), function: { compute } };
}

/** What an instance remembers: JSON values by key. */
export const state = {
  get(key) {
    const bytes = hostState.get(String(key));
    if (bytes === null || bytes === undefined) return null;
    try {
      return JSON.parse(fromUtf8(bytes));
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
      hostState.set(String(key), jsonBytes(text));
    } catch (thrown) {
      const refused = reason(thrown);
      throw new Failure(refused.code ?? "state", refused.message ?? String(refused));
    }
  },
  delete(key) {
    hostState.delete(String(key));
  },
};

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
class LogicStart extends Start {
  state = state;

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
