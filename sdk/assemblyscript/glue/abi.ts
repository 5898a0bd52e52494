/**
 * The canonical ABI of `andon:plugin@0.1.0`, written by hand: how texts, lists and records lie in memory
 * when they cross the border. It owns the imports of the contract and the memory that crosses; it knows
 * nothing of rules.
 *
 * What the host hands over lies in memory that it asked for by `cabi_realloc`; it is copied and freed at
 * once. What is handed to the host is owed until the call is over and freed by the `…Post` of that call.
 */

// @ts-ignore: decorator
@external("andon:plugin/tags@0.1.0", "text")
declare function tagsText(input: u32, answer: usize): void;
// @ts-ignore: decorator
@external("andon:plugin/tags@0.1.0", "window")
declare function tagsWindow(input: u32, since: i64, answer: usize): void;
// @ts-ignore: decorator
@external("andon:plugin/state@0.1.0", "get")
declare function stateGet(key: usize, keyLength: usize, answer: usize): void;
// @ts-ignore: decorator
@external("andon:plugin/state@0.1.0", "set")
declare function stateSet(key: usize, keyLength: usize, value: usize, valueLength: usize, answer: usize): void;
// @ts-ignore: decorator
@external("andon:plugin/state@0.1.0", "delete")
declare function stateDelete(key: usize, keyLength: usize): void;
// @ts-ignore: decorator
@external("andon:plugin/timer@0.1.0", "wake-at")
declare function timerWakeAt(time: i64): void;
// @ts-ignore: decorator
@external("andon:plugin/log@0.1.0", "write")
declare function logWrite(level: u32, message: usize, length: usize): void;

/** Where the host writes its answers; read before anything else is asked. */
const ANSWER: usize = memory.data(40, 8);
/** Pointer and length of a text that is handed over: a key, and a value or message. */
const FIRST: usize = memory.data(8, 8);
const SECOND_TEXT: usize = memory.data(8, 8);

/** What is freed when the call is over. */
const owed: usize[] = [];

/** The host asks for memory. */
export function cabi_realloc(old: usize, _oldSize: usize, align: usize, size: usize): usize {
  if (size == 0) return align;
  return old == 0 ? heap.alloc(size) : heap.realloc(old, size);
}

/** Memory that lives until the call is over. */
export function owe(size: usize): usize {
  if (size == 0) return 8;
  const memory = heap.alloc(size);
  owed.push(memory);
  return memory;
}

/** The call is over. */
export function settle(): void {
  for (let i = 0; i < owed.length; i++) heap.free(owed[i]);
  owed.length = 0;
}

function free(list: usize, length: usize): void {
  if (length != 0) heap.free(list);
}

/** A text or list of bytes that the host handed over, as text. */
export function takeText(bytes: usize, length: usize): string {
  const text = String.UTF8.decodeUnsafe(bytes, length);
  free(bytes, length);
  return text;
}

function takeTextAt(at: usize): string {
  return takeText(load<u32>(at), load<u32>(at, 4));
}

/** Writes pointer and length of a text; what is no proper Unicode becomes U+FFFD. */
export function storeText(at: usize, text: string): void {
  const length = String.UTF8.byteLength(text);
  const bytes = owe(length);
  String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, bytes, false, String.UTF8.ErrorMode.REPLACE);
  store<u32>(at, <u32>bytes);
  store<u32>(at, <u32>length, 4);
}

/** Writes pointer and length of a list of pairs of text; `pairs` holds name, value, name, value … */
export function storePairs(at: usize, pairs: string[]): void {
  const list = owe(<usize>pairs.length * 8);
  for (let i = 0; i < pairs.length; i++) storeText(list + <usize>i * 8, pairs[i]);
  store<u32>(at, <u32>list);
  store<u32>(at, <u32>(pairs.length / 2), 4);
}

/** The columns of a batch, copied. */
export class Columns {
  input: u32[] = [];
  value: f64[] = [];
  quality: u8[] = [];
  time: i64[] = [];
}

/** Columns whose four lists lie as pointer and length one after another. */
export function takeColumns(at: usize): Columns {
  const columns = new Columns();
  const length = load<u32>(at, 4);
  const inputs: usize = load<u32>(at);
  const values: usize = load<u32>(at, 8);
  const qualities: usize = load<u32>(at, 16);
  const times: usize = load<u32>(at, 24);
  for (let i: u32 = 0; i < length; i++) {
    columns.input.push(load<u32>(inputs + i * 4));
    columns.value.push(load<f64>(values + i * 8));
    columns.quality.push(load<u8>(qualities + i));
    columns.time.push(load<i64>(times + i * 8));
  }
  free(inputs, length);
  free(values, length);
  free(qualities, length);
  free(times, length);
  return columns;
}

/** Writes columns as four pointers with lengths. */
export function storeColumns(at: usize, columns: Columns): void {
  const length = columns.input.length;
  const inputs = owe(<usize>length * 4);
  const values = owe(<usize>length * 8);
  const qualities = owe(length);
  const times = owe(<usize>length * 8);
  for (let i = 0; i < length; i++) {
    store<u32>(inputs + <usize>i * 4, columns.input[i]);
    store<f64>(values + <usize>i * 8, columns.value[i]);
    store<u8>(qualities + <usize>i, columns.quality[i]);
    store<i64>(times + <usize>i * 8, columns.time[i]);
  }
  store<u32>(at, <u32>inputs);
  store<u32>(at, <u32>values, 8);
  store<u32>(at, <u32>qualities, 16);
  store<u32>(at, <u32>times, 24);
  for (let list: usize = 0; list < 4; list++) store<u32>(at + list * 8, length, 4);
}

/** `tags.text` */
export function textOf(input: u32): string | null {
  tagsText(input, ANSWER);
  return load<u8>(ANSWER) == 0 ? null : takeTextAt(ANSWER + 4);
}

/** `tags.window` */
export function windowOf(input: u32, since: i64): Columns {
  tagsWindow(input, since, ANSWER);
  return takeColumns(ANSWER);
}

/** `state.get` */
export function remembered(key: string): string | null {
  storeText(FIRST, key);
  stateGet(load<u32>(FIRST), load<u32>(FIRST, 4), ANSWER);
  return load<u8>(ANSWER) == 0 ? null : takeTextAt(ANSWER + 4);
}

/** `state.set`; where the host refuses, code and message of its failure. */
export function remember(key: string, value: string): string[] | null {
  storeText(FIRST, key);
  storeText(SECOND_TEXT, value);
  stateSet(load<u32>(FIRST), load<u32>(FIRST, 4), load<u32>(SECOND_TEXT), load<u32>(SECOND_TEXT, 4), ANSWER);
  if (load<u8>(ANSWER) == 0) return null;
  const attributes: usize = load<u32>(ANSWER, 20);
  const length: usize = load<u32>(ANSWER, 24);
  for (let i: usize = 0; i < length * 2; i++) takeTextAt(attributes + i * 8);
  free(attributes, length);
  return [takeTextAt(ANSWER + 4), takeTextAt(ANSWER + 12)];
}

/** `state.delete` */
export function forget(key: string): void {
  storeText(FIRST, key);
  stateDelete(load<u32>(FIRST), load<u32>(FIRST, 4));
}

/** `timer.wake-at` */
export function wakeAt(time: i64): void {
  timerWakeAt(time);
}

/** `log.write`; levels 0 to 3 are debug, info, warn and error. */
export function write(level: u32, message: string): void {
  storeText(FIRST, message);
  logWrite(level, load<u32>(FIRST), load<u32>(FIRST, 4));
}

let aborting: bool = false;

/** A `throw` and a failed `assert` end here: the last words go to the log, and the instance is lost. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  if (!aborting) {
    aborting = true;
    const what = message === null ? "aborted" : message;
    const where = file === null ? "" : ` (at ${file}:${line}:${column})`;
    write(3, what + where);
  }
  unreachable();
}
