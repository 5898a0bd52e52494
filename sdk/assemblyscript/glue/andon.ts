/**
 * Andon rules and functions in AssemblyScript: the pleasant layer above the contract `andon:plugin@0.1.0`.
 *
 * A plugin has two functions: `about` says who it is, and `start` makes the object that is called with each
 * batch. This file owns what such an object sees; `abi.ts` knows how it crosses the border, `rule.ts` and
 * `function.ts` hold the exports.
 *
 * A time is an `i64`: nanoseconds since 1970. The language has no exceptions: a `throw` ends the instance, and
 * the host makes a new one, which reads its state. To decline, call `decline`.
 */
import * as abi from "./abi";
import { Json, JsonKind, numberText, quote } from "./json";

/** Nanoseconds of a second. */
export const SECOND: i64 = 1_000_000_000;

/** As in ISA-18.2: how soon somebody must act. `Diagnostic` is journalled, never sent. */
export enum Priority {
  Diagnostic,
  Low,
  Medium,
  High,
  Critical,
}

/** A parameter that is a number. */
class NumberParameter {
  constructor(public name: string, public otherwise: f64, public minimum: f64) {}
}

/** What a plugin says of itself. */
export class About {
  numbers: NumberParameter[] = [];
  private inputs: string[] = [];
  private outputs: string[] = [];
  private properties: string[] = [];

  constructor(private name: string, private version: string, private summary: string) {}

  /**
   * An input: its type is "number", "bool", "text" or "any", `tags` the tag or pattern that is bound when the
   * settings name none.
   */
  input(name: string, type: string, tags: string, summary: string): this {
    const otherwise = tags == "" ? "" : `,"default":${quote(tags)}`;
    this.inputs.push(`{"name":${quote(name)},"type":${quote(type)}${otherwise},"summary":${quote(summary)}}`);
    return this;
  }

  /** An input to which many tags may be bound. */
  manyInputs(name: string, type: string, tags: string, summary: string): this {
    this.input(name, type, tags, summary);
    const last = this.inputs.pop();
    this.inputs.push(`${last.substring(0, last.length - 1)},"many":true}`);
    return this;
  }

  /** An output of a function: its type is "number" or "bool"; its unit may be "". */
  output(name: string, type: string, unit: string, summary: string): this {
    const has = unit == "" ? "" : `"unit":${quote(unit)},`;
    this.outputs.push(`{"name":${quote(name)},"type":${quote(type)},${has}"summary":${quote(summary)}}`);
    return this;
  }

  /** A parameter that is a number, with its default and, unless it is NaN, the least that it may be. */
  number(name: string, otherwise: f64, summary: string, minimum: f64 = NaN): this {
    this.numbers.push(new NumberParameter(name, otherwise, minimum));
    const least = isNaN(minimum) ? "" : `"minimum":${numberText(minimum)},`;
    return this.parameter(
      name,
      `{"type":"number",${least}"default":${numberText(otherwise)},"description":${quote(summary)}}`,
    );
  }

  /** Any other parameter, with its JSON Schema. */
  parameter(name: string, schema: string): this {
    this.properties.push(`${quote(name)}:${schema}`);
    return this;
  }

  /** The JSON of `describe`. */
  json(): string {
    const outputs = this.outputs.length == 0 ? "" : `"outputs":[${this.outputs.join(",")}],`;
    const schema = `{"type":"object","additionalProperties":false,"properties":{${this.properties.join(",")}}}`;
    const who = `"name":${quote(this.name)},"version":${quote(this.version)},"summary":${quote(this.summary)}`;
    return `{${who},"inputs":[${this.inputs.join(",")}],${outputs}"parameters":${schema}}`;
  }
}

/** A tag that is bound to a port; its index is the `input` of its samples. */
export class Input {
  constructor(
    public index: i32,
    public port: string,
    public tag: string,
    /** "" where the tag has none. */
    public unit: string,
    public type: string,
  ) {}
}

/** A "no" with a reason: shown to the person who configured the instance. */
export class Failure {
  constructor(public code: string, public message: string) {}
}

let declined: Failure | null = null;

/** Makes the call that runs decline: nothing that it did counts. The first reason is kept. */
export function decline(code: string, message: string): void {
  if (declined === null) declined = new Failure(code, message);
}

/** The reason of the call that ran, once. */
export function takeDeclined(): Failure | null {
  const failure = declined;
  declined = null;
  return failure;
}

/** What an instance remembers: written with the alarms of the same call or not at all; outlives a restart. */
export class State {
  /** What was set, or null. */
  get(key: string): string | null {
    return abi.remembered(key);
  }

  /** A whole number that was set as text, or `otherwise`. */
  integer(key: string, otherwise: i64): i64 {
    const text = abi.remembered(key);
    return text === null ? otherwise : I64.parseInt(text);
  }

  /** Goes to the disk with the call: set what changed, not every sample. The call declines where the host refuses. */
  set(key: string, value: string): void {
    const refused = abi.remember(key, value);
    if (refused !== null) decline(refused[0], refused[1]);
  }

  delete(key: string): void {
    abi.forget(key);
  }
}

/** Lines in the instance's log, 60 a minute unless the settings say otherwise. */
export class Log {
  debug(line: string): void {
    abi.write(0, line);
  }
  info(line: string): void {
    abi.write(1, line);
  }
  warn(line: string): void {
    abi.write(2, line);
  }
  error(line: string): void {
    abi.write(3, line);
  }
}

export const state: State = new State();
export const log: Log = new Log();

/** What `start` is given. */
export class Start {
  constructor(
    public instance: string,
    public inputs: Input[],
    private about: About,
    /** The parameters of the settings, an object. */
    public parameters: Json,
  ) {}

  /** A number that `about` names, or its default; declines what is no number or below its minimum. */
  number(name: string): f64 {
    for (let i = 0; i < this.about.numbers.length; i++) {
      const known = this.about.numbers[i];
      if (known.name == name) return this.checked(known);
    }
    throw new Error(`about() names no number ${name}`);
  }

  private checked(known: NumberParameter): f64 {
    const given = this.parameters.get(known.name);
    if (given === null) return known.otherwise;
    if (given.kind != JsonKind.Number) {
      decline("bad-parameter", `\`${known.name}\` must be a number`);
    } else if (given.number < known.minimum) {
      const must = known.minimum == 0 ? "must not be negative" : `must be at least ${numberText(known.minimum)}`;
      decline("bad-parameter", `\`${known.name}\` ${must}`);
    }
    return given.number;
  }
}

/** One value of one input. */
export class Sample {
  constructor(
    /** Index of the input. */
    public input: i32,
    public tag: string,
    public unit: string,
    /** Engineering value; a boolean is 0 or 1, a text is NaN (ask `call.text`). */
    public value: f64,
    /** OPC quality: 192 and above good, 64 to 191 uncertain, below 64 bad. */
    public quality: u8,
    /** When the device was read. */
    public time: i64,
  ) {}

  /** Not bad, and a number. */
  get usable(): bool {
    return this.quality >= 64 && !isNaN(this.value);
  }
}

function rows(columns: abi.Columns, inputs: Input[]): Sample[] {
  const samples = new Array<Sample>(columns.input.length);
  for (let i = 0; i < columns.input.length; i++) {
    const index = <i32>columns.input[i];
    const bound = inputs[index];
    samples[i] = new Sample(index, bound.tag, bound.unit, columns.value[i], columns.quality[i], columns.time[i]);
  }
  return samples;
}

/** One call of the host. */
export class Call {
  /** What is new, oldest first: at the first call every input that has a value, later what changed. */
  samples: Sample[];

  constructor(
    /** The only clock. */
    public now: i64,
    columns: abi.Columns,
    public inputs: Input[],
  ) {
    this.samples = rows(columns, inputs);
  }

  /** Whether nothing changed and the call was asked for by `wakeAt`. */
  get isWakeUp(): bool {
    return this.samples.length == 0;
  }

  /** Latest text of a text input, or null. */
  text(input: i32): string | null {
    return abi.textOf(input);
  }

  /** Kept samples of one input since a moment, oldest first, as many as the host keeps. */
  window(input: i32, since: i64): Sample[] {
    return rows(abi.windowOf(input, since), this.inputs);
  }

  /** Be called at this moment even if no tag changes. One is kept, the earliest; it outlives a restart. */
  wakeAt(time: i64): void {
    abi.wakeAt(time);
  }
}

/** A condition that holds until it is cleared. */
export class Alarm {
  /** Name, value, name, value … */
  attributes: string[] = [];

  constructor(
    /** Names the condition within the instance: "tank1.level.high". */
    public key: string,
    public priority: Priority,
    /** What a person reads, complete in itself: what, where, how much. */
    public message: string,
  ) {}

  attribute(name: string, value: string): this {
    this.attributes.push(name);
    this.attributes.push(value);
    return this;
  }
}

enum ActionKind {
  Raise,
  Clear,
  Notify,
}

class Action {
  constructor(public kind: ActionKind, public alarm: Alarm) {}
}

/** Bytes of an action in memory: a kind, then an alarm or a key. */
const ACTION_SIZE: usize = 32;

export class RuleCall extends Call {
  private actions: Action[] = [];

  /** The condition holds. Raising a raised key updates it and alerts nobody again. */
  raise(alarm: Alarm): void {
    this.actions.push(new Action(ActionKind.Raise, alarm));
  }

  /** The condition no longer holds. */
  clear(key: string): void {
    this.actions.push(new Action(ActionKind.Clear, new Alarm(key, Priority.Medium, "")));
  }

  /** Tell people once; nothing stays active. */
  notify(alarm: Alarm): void {
    this.actions.push(new Action(ActionKind.Notify, alarm));
  }

  /** Writes pointer and length of the list of actions. */
  store(at: usize): void {
    const list = abi.owe(<usize>this.actions.length * ACTION_SIZE);
    for (let i = 0; i < this.actions.length; i++) {
      const place = list + <usize>i * ACTION_SIZE;
      const action = this.actions[i];
      store<u8>(place, <u8>action.kind);
      abi.storeText(place + 4, action.alarm.key);
      if (action.kind == ActionKind.Clear) continue;
      store<u8>(place, <u8>action.alarm.priority, 12);
      abi.storeText(place + 16, action.alarm.message);
      abi.storePairs(place + 24, action.alarm.attributes);
    }
    store<u32>(at, <u32>list);
    store<u32>(at, this.actions.length, 4);
  }
}

export class FunctionCall extends Call {
  private answer: abi.Columns = new abi.Columns();

  /** Gives an output its value as of now, of good quality. */
  set(output: i32, value: f64): void {
    this.setAt(output, value, 192, this.now);
  }

  /** Gives an output its value, with the quality and the time of what it was made of. */
  setAt(output: i32, value: f64, quality: u8, time: i64): void {
    this.answer.input.push(output);
    this.answer.value.push(value);
    this.answer.quality.push(quality);
    this.answer.time.push(time);
  }

  /** Writes the answer as four pointers with lengths. */
  store(at: usize): void {
    abi.storeColumns(at, this.answer);
  }
}

/** What `start` of a rule makes. */
export abstract class Rule {
  abstract evaluate(call: RuleCall): void;
}

/** What `start` of a function makes; an output is named by its place in `about`. */
export abstract class Function {
  abstract compute(call: FunctionCall): void;
}
