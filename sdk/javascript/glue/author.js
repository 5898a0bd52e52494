/**
 * What rules, functions and sinks have in common: the object that an author's class makes, its settings, its
 * log, and what becomes of what it throws. Nothing is imported here that a sink may not import.
 */
import hostLog from "andon:plugin/log@0.1.0";

/** Nanoseconds of a second. */
export const SECOND = 1e9;

/** An author's "no", with a code for programs and a sentence for people. */
export class Failure extends Error {
  constructor(code, message, attributes = {}) {
    super(message);
    this.name = "Failure";
    this.code = code;
    this.attributes = attributes;
  }
}

/** Holds the one object of the author's class, and makes it anew after it threw. */
export class Holder {
  constructor(Author, about, AuthorStart) {
    this.Author = Author;
    this.about = about;
    this.AuthorStart = AuthorStart;
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
        }, failure),
    };
  }

  make() {
    this.inputs = this.configuration.inputs.map((input, index) => ({ index, ...input }));
    this.object = new this.Author(new this.AuthorStart(this.about, this.configuration, this.inputs));
  }

  /**
   * One call. What a call that failed wrote to `state` is discarded by the host, so what the object
   * remembers may be ahead of it: the next call gets a new object, which reads its state again.
   */
  run(call, explain = failure) {
    return guarded(() => {
      if (this.object === null) this.make();
      const { object, inputs } = this;
      this.object = null;
      const answer = call(object, inputs);
      this.object = object;
      return answer;
    }, explain);
  }
}

/** Runs what an author wrote; whatever it throws becomes a failure of the contract. */
function guarded(run, explain) {
  try {
    return run();
  } catch (thrown) {
    throw explain(thrown);
  }
}

/** A `failure` of rules and functions, and of `configure`. */
export function failure(thrown) {
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

/** What an import of the host failed with: the case or record of the contract that it threw. */
export function reason(thrown) {
  return thrown instanceof Error && "payload" in thrown ? thrown.payload : thrown;
}

/** File and line of the author's that a stack tells of first. */
function place(stack) {
  const places = [...stack.matchAll(/\(\/?([^()]+?:\d+)(?::\d+)?\)/g)].map(([, at]) => at);
  return places.find((at) => !at.startsWith("andon/")) ?? places[0];
}

export function pairs(attributes) {
  return Object.entries(attributes).map(([name, value]) => [name, String(value)]);
}

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

/** What the constructor of an author's class is given. */
export class Start {
  constructor(about, configuration, inputs) {
    this.instance = configuration.instance ?? about.name;
    this.inputs = inputs;
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
}

/** JSON as bytes, all of them ASCII: QuickJS has no class for UTF-8, and JSON can do without. */
export function jsonBytes(json) {
  return bytes(json.replace(/[^\x00-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`));
}

/** Text as UTF-8; half a pair of surrogates becomes U+FFFD. */
export function utf8(text) {
  const whole = text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd");
  const escaped = encodeURIComponent(whole);
  return bytes(escaped.replace(/%([0-9A-F]{2})/g, (_, byte) => String.fromCharCode(parseInt(byte, 16))));
}

function bytes(text) {
  const bytes = new Uint8Array(text.length);
  for (let place = 0; place < bytes.length; place += 1) bytes[place] = text.charCodeAt(place);
  return bytes;
}

/** UTF-8 as text; throws a `URIError` where it is none. A few thousand bytes at once, as a call takes so many. */
export function fromUtf8(bytes) {
  const text = latin1(bytes);
  return /[^\x00-\x7f]/.test(text) ? decodeURIComponent(text.replace(/[^\x00-\x24\x26-\x7f]/g, percent)) : text;
}

/** UTF-8 as text. Where it is none, what is no ASCII becomes U+FFFD: a stranger may have written it. */
export function fromPerhapsUtf8(bytes) {
  try {
    return fromUtf8(bytes);
  } catch {
    return latin1(bytes).replace(/[^\x00-\x7f]+/g, "\ufffd");
  }
}

function latin1(bytes) {
  let text = "";
  for (let place = 0; place < bytes.length; place += 4096) {
    text += String.fromCharCode(...bytes.subarray(place, place + 4096));
  }
  return text;
}

function percent(byte) {
  return `%${byte.charCodeAt(0).toString(16).padStart(2, "0")}`;
}
