/** Andon rules and functions: what each thing of `andon.js` means. Works for JavaScript in an editor, too. */

/** A moment: nanoseconds since 1970, exact to 256 ns. `new Date(time / 1e6)` for people. */
export type Time = number;

/** Nanoseconds of a second. */
export const SECOND: number;

/** As in ISA-18.2: how soon somebody must act. `diagnostic` is journalled, never sent. */
export type Priority = "diagnostic" | "low" | "medium" | "high" | "critical";

/** Anything that JSON can hold. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Something that is read. */
export interface InputPort {
  name: string;
  /** What may be bound: a boolean is also a number. */
  type?: "number" | "bool" | "text" | "any";
  /** Tag name or pattern that is bound when the settings name none: `tank1.level`, `*.level`. */
  default?: string;
  /** Whether more than one tag may be bound. */
  many?: boolean;
  /** Whether it may stay unbound. */
  optional?: boolean;
  summary?: string;
}

/** Something that a function computes. */
export interface OutputPort {
  name: string;
  type?: "number" | "bool";
  unit?: string;
  summary?: string;
}

/** A parameter, as JSON Schema says it. */
export interface ParameterSchema {
  type?: string;
  default?: Json;
  minimum?: number;
  maximum?: number;
  description?: string;
  [keyword: string]: Json | undefined;
}

/** What a plugin says of itself. */
export interface About {
  name: string;
  version: string;
  summary: string;
  inputs: InputPort[];
  /** Functions only. */
  outputs?: OutputPort[];
  /** JSON Schema; the host checks an instance's parameters against it before it starts. */
  parameters?: {
    type: "object";
    additionalProperties?: boolean;
    required?: string[];
    properties: { [name: string]: ParameterSchema };
  };
}

/** A tag that is bound to a port. */
export interface Input {
  /** Its place in `inputs`, and the `input` of its samples. */
  index: number;
  port: string;
  tag: string;
  unit: string | null;
  type: string;
}

/** One value of one input. */
export interface Sample {
  /** Index of the input. */
  readonly input: number;
  readonly tag: string;
  readonly unit: string | null;
  /** Engineering value; a boolean is 0 or 1, a text is NaN (ask `call.text`). */
  readonly value: number;
  /** OPC quality: 192 and above good, 64 to 191 uncertain, below 64 bad. */
  readonly quality: number;
  /** When the device was read. */
  readonly time: Time;
  /** Not bad, and a number. */
  readonly usable: boolean;
}

/** What an instance remembers: written with the alarms of the same call or not at all; outlives a restart. */
export interface State {
  /** What was set, or null. What cannot be read as JSON counts as forgotten, with a line in the log. */
  get(key: string): any;
  /** Writes it to disk with the call: set what changed, not every sample. Throws when the host refuses. */
  set(key: string, value: Json): void;
  delete(key: string): void;
}

/** Lines in the instance's log, 60 a minute unless the settings say otherwise. `console.log` is `info`. */
export interface Log {
  debug(...words: unknown[]): void;
  info(...words: unknown[]): void;
  warn(...words: unknown[]): void;
  error(...words: unknown[]): void;
}

export const state: State;
export const log: Log;

/** What the constructor is given. */
export interface Start {
  /** Name of the instance. */
  readonly instance: string;
  readonly inputs: Input[];
  /** The parameters of the settings, and the defaults of `about` for those that are missing. */
  readonly parameters: { [name: string]: any };
  readonly state: State;
  readonly log: Log;
  /** A parameter that must be a number, and not below its `minimum`; throws a `Failure` otherwise. */
  number(name: string): number;
  /** See `Call.wakeAt`. */
  wakeAt(time: Time): void;
}

/** One call of the host. */
export interface Call {
  /** The only clock. `Date.now()` answers the same moment. */
  readonly now: Time;
  /** What is new, oldest first: at the first call every input that has a value, later what changed. */
  readonly samples: Sample[];
  readonly inputs: Input[];
  /** Whether nothing changed and the call was asked for by `wakeAt`. */
  readonly isWakeUp: boolean;
  readonly state: State;
  readonly log: Log;
  /** Latest text of a text input, or null. */
  text(input: number): string | null;
  /** Kept samples of one input since a moment, oldest first, as many as the host keeps. */
  window(input: number, since: Time): Sample[];
  /** Be called at this moment even if no tag changes. One is kept, the earliest; it outlives a restart. */
  wakeAt(time: Time): void;
  /** The same, in so many seconds from now. */
  wakeAfter(seconds: number): void;
}

/** A condition that holds until it is cleared. */
export interface Alarm {
  /** Names the condition within the instance: `tank1.level.high`. */
  key: string;
  /** `medium` when it is left out. */
  priority?: Priority;
  /** What a person reads, complete in itself: what, where, how much. */
  message: string;
  attributes?: { [name: string]: string };
}

export interface RuleCall extends Call {
  /** The condition holds. Raising a raised key updates it and alerts nobody again. */
  raise(alarm: Alarm): void;
  /** The condition no longer holds. */
  clear(key: string): void;
  /** Tell people once; nothing stays active. */
  notify(alarm: Alarm): void;
}

export interface FunctionCall extends Call {
  /** Gives an output its value; of good quality and as of now unless said otherwise. */
  set(output: string, value: number, of?: { quality?: number; time?: Time }): void;
}

/** A "no" with a reason: shown to the person who configured the instance. */
export class Failure extends Error {
  constructor(code: string, message: string, attributes?: { [name: string]: string });
  code: string;
  attributes: { [name: string]: string };
}

export interface RuleClass {
  readonly about: About;
  new (start: Start): { evaluate(call: RuleCall): void };
}

export interface FunctionClass {
  readonly about: About;
  new (start: Start): { compute(call: FunctionCall): void };
}

/** `export const { plugin, rule } = defineRule(MyRule);` */
export function defineRule(rule: RuleClass): { plugin: object; rule: object };

/** `const parts = defineFunction(MyFunction); export const plugin = parts.plugin; export { f as function };` */
export function defineFunction(type: FunctionClass): { plugin: object; function: object };
