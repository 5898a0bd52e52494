/** Andon sinks: what each thing of `sink.js` means. Works for JavaScript in an editor, too. */
import type { About as LogicAbout, Log, Priority, Time } from "./andon.js";

export { Failure, log, SECOND } from "./andon.js";
export type { Json, Log, ParameterSchema, Priority, Time } from "./andon.js";

/** What a sink says of itself: it has no inputs and no outputs. */
export type About = Omit<LogicAbout, "inputs" | "outputs">;

/** What the constructor is given. */
export interface Start {
  /** Name of the sink in the settings. */
  readonly instance: string;
  /** The parameters of the settings, and the defaults of `about` for those that are missing. */
  readonly parameters: { [name: string]: any };
  readonly log: Log;
  /** A parameter that must be a number, and not below its `minimum`; throws a `Failure` otherwise. */
  number(name: string): number;
}

/** One message to one address. */
export interface Message {
  /** Names the message; the same at every try, so it can serve as an idempotency key. */
  readonly id: string;
  /** Where to, in this sink's own terms, as the settings of the contact give it. */
  readonly address: string;
  /** The whole text, complete in itself. */
  readonly text: string;
  /** A condition holds or something happened; it is over; an answer to a reply; somebody tries the channel. */
  readonly occasion: "alert" | "resolved" | "answer" | "test";
  /** Of the alarm. */
  readonly priority: Priority;
  /** Number of this try, from 1. */
  readonly attempt: number;
  /** The only clock. `Date.now()` answers the same moment. */
  readonly now: Time;
  /** When it became owed. */
  readonly createdAt: Time;
  /** From when on it is noise. */
  readonly expiresAt: Time;
  readonly attributes: { [name: string]: string };
}

/** The provider took the message. */
export interface Receipt {
  /** The provider's id of it, where it gives one. */
  id?: string | null;
}

/** Names and values. The host puts its own in place of those that the settings name. */
export type Headers = { [name: string]: string };

/**
 * The world outside of a sink. Requests go one after another, and each is waited for: nothing here is a promise.
 *
 * They go to the hosts of the sink's settings alone, and the host adds headers with secrets. Redirects are
 * answers. A body has at most 1 MiB, either way. Without an answer, an `Undelivered` is thrown.
 */
export interface Web {
  get(url: string, headers?: Headers): Answer;
  post(url: string, body: string | Uint8Array, headers?: Headers): Answer;
  /** Posts a value as JSON. */
  postJson(url: string, value: unknown, headers?: Headers): Answer;
  send(request: { method?: string; url: string; headers?: Headers; body?: string | Uint8Array }): Answer;
  /** Whether something may have left. */
  readonly sent: boolean;
}

/** What a server answered. */
export interface Answer {
  readonly status: number;
  /** Whether the status says that it was taken: 200 to 299. */
  readonly ok: boolean;
  /** Names in lower case, and values. */
  readonly headers: [string, string][];
  readonly body: Uint8Array;
  /** The body as text; what is no UTF-8 is replaced. */
  readonly text: string;
  /** The body as JSON; null if it is none. */
  readonly json: any;
  /** The wait that `Retry-After` asks for, seconds; null where there is none, or a date. */
  readonly retryAfter: number | null;
  /** The first header of that name, or null. */
  header(name: string): string | null;
}

/**
 * What the host shall do about a message that was not delivered.
 *
 * - `retry`: surely not taken; try again, each time later.
 * - `throttled`: the same, but not before so many seconds, where known.
 * - `message`: this message will never be taken; the contact's next channel.
 * - `address`: nothing will ever reach this address; the next channel.
 * - `account`: the account can send nothing at all; the next channel, and an alarm of the sink.
 * - `unknown`: it may or may not have been taken; what goes out next is marked as a repeat.
 */
export type Setback = "retry" | "throttled" | "message" | "address" | "account" | "unknown";

/** A message that was not delivered, with what a person reads: who refused, and why. */
export class Undelivered extends Error {
  constructor(setback: Setback, message: string, of?: { after?: number | null });
  setback: Setback;
  /** Of `throttled`: not before so many seconds. */
  after: number | null;
  /**
   * What an answer other than a success usually means: 429 is `throttled`; 401 the account; 403, 404 and 410 the
   * address; 400, 413 and 422 the message; anything else is tried again. `provider` names who answered.
   */
  static byStatus(provider: string, answer: Answer, says?: string): Undelivered;
}

export interface SinkClass {
  readonly about: About;
  /** `deliver` gives a receipt, or throws an `Undelivered`. Another exception is a retry, or `unknown`. */
  new (start: Start): { deliver(message: Message, web: Web): Receipt | void };
}

/** `export const { plugin, sink } = defineSink(MySink);` */
export function defineSink(sink: SinkClass): { plugin: object; sink: object };
