/**
 * Andon sinks in JavaScript: ways to reach people that the host lacks.
 *
 * It owns the way from messages of the contract to objects, and `wasi:http` behind `web`. A class says `about`
 * itself, is constructed when the host configures it, and delivers one message at a time. It knows nothing of any
 * single provider. The types are in `sink.d.ts`, which says what each thing means.
 */
import outgoing from "andon-wasi:http/outgoing-handler@0.2.1";
import http from "andon-wasi:http/types@0.2.1";
import { Failure, failure, fromPerhapsUtf8, Holder, jsonBytes, log, reason, SECOND, Start, utf8 } from "./author.js";

export { Failure, log, SECOND };

/** Bytes that one write of a body may have. */
const WRITE_BYTES_MAX = 4096;

/** Bytes that are asked for in one read. */
const READ_BYTES = 65536;

const SETBACKS = ["retry", "throttled", "message", "address", "account", "unknown"];

/** Answers of a server that are not by themselves a reason to try again. */
const SETBACK_OF_STATUS = {
  400: "message",
  401: "account",
  403: "address",
  404: "address",
  410: "address",
  413: "message",
  422: "message",
  429: "throttled",
};

/** Codes of `wasi:http` after which nothing can have left: the settings or the request are at fault. */
const DENIED = [
  "HTTP-request-denied",
  "configuration-error",
  "HTTP-request-body-size",
  "HTTP-request-method-invalid",
  "HTTP-request-URI-invalid",
  "HTTP-request-URI-too-long",
  "HTTP-request-header-section-size",
  "HTTP-request-header-size",
  "destination-IP-prohibited",
];

/** Codes after which nothing can have left: there was no connection. */
const NOT_SENT = [
  "connection-refused",
  "DNS-timeout",
  "DNS-error",
  "destination-not-found",
  "destination-unavailable",
  "destination-IP-unroutable",
  "connection-limit-reached",
  "TLS-certificate-error",
];

/** A message that was not delivered: what the host shall do about it, and a sentence for people. */
export class Undelivered extends Error {
  constructor(setback, message, { after = null } = {}) {
    super(message);
    if (!SETBACKS.includes(setback)) {
      throw new TypeError(`the setback ${String(setback)} is none of ${SETBACKS.join(", ")}`);
    }
    this.name = "Undelivered";
    this.setback = setback;
    this.after = after;
  }

  static byStatus(provider, answer, says = "") {
    const setback = SETBACK_OF_STATUS[answer.status] ?? "retry";
    const message = `${provider} answered ${answer.status}${says === "" ? "" : `: ${says}`}`;
    return new Undelivered(setback, message, { after: answer.retryAfter });
  }
}

/** Makes the exports of a sink out of a class with `deliver(message, web)`. */
export function defineSink(Author) {
  const holder = new Holder(Author, { inputs: [], ...Author.about }, Start);
  const deliver = (now, notification) => {
    const web = new Web();
    const answer = holder.run(
      (sink) => attempt(sink, messageOf(now, notification), web),
      (thrown) => unforeseen(thrown, web),
    );
    if (answer instanceof Undelivered) throw undelivered(answer);
    return answer;
  };
  return { plugin: holder.plugin(), sink: { deliver } };
}

/** An `Undelivered` is an answer like any other: the author's object goes on. */
function attempt(sink, message, web) {
  try {
    const receipt = sink.deliver(message, web) ?? {};
    if (typeof receipt.then === "function") {
      throw new TypeError("`deliver` must not be async: `web` waits by itself");
    }
    return { id: receipt.id === undefined || receipt.id === null ? null : String(receipt.id), attributes: [] };
  } catch (thrown) {
    if (thrown instanceof Undelivered) return thrown;
    throw thrown;
  }
}

/** A mistake of the author's code: whether the message is out depends on what it asked for before. */
function unforeseen(thrown, web) {
  const { message, attributes } = failure(thrown);
  return { setback: { tag: web.sent ? "unknown" : "retry" }, message, attributes };
}

function undelivered({ setback, message, after }) {
  if (setback !== "throttled") return { setback: { tag: setback }, message, attributes: [] };
  const milliseconds = typeof after === "number" && after >= 0 ? Math.ceil(after * 1000) : null;
  return { setback: { tag: "throttled", val: milliseconds }, message, attributes: [] };
}

function messageOf(now, given) {
  return {
    id: given.id,
    address: given.address,
    text: given.text,
    occasion: given.occasion,
    priority: given.priority,
    attempt: given.attempt,
    now,
    createdAt: given.createdAt,
    expiresAt: given.expiresAt,
    attributes: Object.fromEntries(given.attributes),
  };
}

/** The world outside of a sink. Requests go one after another, and each is waited for. */
class Web {
  /** Whether something may have left. */
  sent = false;

  get(url, headers = {}) {
    return this.send({ method: "GET", url, headers });
  }

  post(url, body, headers = {}) {
    return this.send({ method: "POST", url, headers, body });
  }

  postJson(url, value, headers = {}) {
    const all = { "content-type": "application/json", ...headers };
    return this.send({ method: "POST", url, headers: all, body: jsonBytes(JSON.stringify(value)) });
  }

  send({ method = "GET", url, headers = {}, body = "" }) {
    const bytes = typeof body === "string" ? utf8(body) : body;
    const request = requestOf(method, url, headers);
    const outgoingBody = asked(() => request.body(), "the request cannot have a body");
    // From here on the request may be on its way.
    this.sent = true;
    try {
      return exchange(request, outgoingBody, bytes);
    } catch (thrown) {
      const told = noAnswer(thrown);
      if (told.setback !== "unknown") this.sent = false;
      throw told;
    }
  }
}

/** Sends a request and waits for the whole answer. */
function exchange(request, outgoingBody, bytes) {
  return using(outgoing.handle(request, null), (future) => {
    write(outgoingBody, bytes);
    using(future.subscribe(), (pollable) => pollable.block());
    const answer = future.get();
    if (answer?.tag !== "ok") throw new Undelivered("unknown", "no answer: the host gave none");
    if (answer.val.tag === "err") throw answer.val.val;
    return using(answer.val.val, answerOf);
  });
}

/** The host counts what is open: each thing is given back, what stands on another one before that. */
function using(resource, use) {
  try {
    return use(resource);
  } finally {
    resource[Symbol.dispose]();
  }
}

/** What no answer means: a request that surely did not leave is tried again, one that may have is unknown. */
function noAnswer(thrown) {
  const told = reason(thrown);
  if (told instanceof Error) return told;
  const code = told?.tag ?? String(told);
  if (code === "HTTP-request-denied") {
    return new Undelivered("account", "the request is not allowed: its host is not among those of the settings");
  }
  if (DENIED.includes(code)) return new Undelivered("account", `the request is not allowed: ${code}`);
  if (NOT_SENT.includes(code)) return new Undelivered("retry", `no connection: ${code}`);
  return new Undelivered("unknown", `no answer: ${code}`);
}

function requestOf(method, url, headers) {
  const parts = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]+)([^#]*)/i.exec(String(url));
  if (parts === null) throw new Undelivered("account", `\`${url}\` is no address like https://example.net/path`);
  const [, scheme, authority, rest] = parts;
  const path = rest === "" ? "/" : rest.startsWith("?") ? `/${rest}` : rest;
  const list = Object.entries(headers).map(([name, value]) => [name, utf8(String(value))]);
  const fields = asked(() => http.Fields.fromList(list), "a header cannot be sent");
  const request = new http.OutgoingRequest(fields);
  asked(() => {
    request.setMethod(variant(["get", "head", "post", "put", "delete", "options", "patch"], method.toLowerCase(), method));
    request.setScheme(variant(["HTTP", "HTTPS"], scheme.toUpperCase(), scheme));
    request.setAuthority(authority);
    request.setPathWithQuery(path);
  }, `\`${url}\` cannot be asked for by ${method}`);
  return request;
}

function variant(known, tag, other) {
  return known.includes(tag) ? { tag } : { tag: "other", val: other };
}

/** What the host refuses of a request before anything is sent. */
function asked(ask, says) {
  try {
    return ask();
  } catch {
    throw new Undelivered("account", says);
  }
}

/** Why a body could not be written is what the answer tells. */
function write(body, bytes) {
  try {
    using(body.write(), (stream) => {
      for (let place = 0; place < bytes.length; place += WRITE_BYTES_MAX) {
        stream.blockingWriteAndFlush(bytes.subarray(place, place + WRITE_BYTES_MAX));
      }
    });
  } catch (refused) {
    log.debug("the request was not written:", reason(refused));
    body[Symbol.dispose]();
    return;
  }
  http.OutgoingBody.finish(body, null);
}

function answerOf(response) {
  const entries = using(response.headers(), (headers) => headers.entries());
  const headers = entries.map(([name, value]) => [name.toLowerCase(), fromPerhapsUtf8(value)]);
  const body = using(response.consume(), (body) => using(body.stream(), read));
  return new Answer(response.status(), headers, body);
}

/** Reads to the end; the host bounds an answer. */
function read(stream) {
  const pieces = [];
  for (;;) {
    try {
      pieces.push(stream.blockingRead(READ_BYTES));
    } catch (ended) {
      if (reason(ended)?.tag === "closed") return whole(pieces);
      throw new Undelivered("unknown", "no answer: it broke off");
    }
  }
}

function whole(pieces) {
  const all = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let place = 0;
  for (const piece of pieces) {
    all.set(piece, place);
    place += piece.length;
  }
  return all;
}

/** What a server answered. */
class Answer {
  constructor(status, headers, body) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  get ok() {
    return this.status >= 200 && this.status < 300;
  }

  get text() {
    return fromPerhapsUtf8(this.body);
  }

  get json() {
    try {
      return JSON.parse(this.text);
    } catch {
      return null;
    }
  }

  get retryAfter() {
    const seconds = Number.parseInt(this.header("retry-after") ?? "", 10);
    return Number.isNaN(seconds) ? null : seconds;
  }

  header(name) {
    return this.headers.find(([own]) => own === name.toLowerCase())?.[1] ?? null;
  }
}
