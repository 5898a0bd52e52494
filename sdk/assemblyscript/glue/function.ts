/**
 * The exports of a function; what is compiled where `andon-plugin.toml` says so. `exports.mjs` gives them the
 * names of the contract. An object whose call declined may be ahead of its state, so the next call gets a new one.
 */
import * as abi from "./abi";
import { Function, FunctionCall, Input } from "./andon";
import { answer, configured, declines, described, starting } from "./instance";
import { about, start } from "../function";

export { cabi_realloc } from "./abi";

let object: Function | null = null;
let inputs: Input[] = [];

function make(): Function {
  const starts = starting(about());
  inputs = starts.inputs;
  return start(starts);
}

export function describe(): usize {
  return described(about());
}

export function configure(text: usize, length: usize): usize {
  configured(text, length);
  const made = make();
  const result = answer();
  object = declines(result) ? null : made;
  return result;
}

export function compute(
  now: i64,
  input: usize,
  inputLength: usize,
  value: usize,
  valueLength: usize,
  quality: usize,
  qualityLength: usize,
  time: usize,
  timeLength: usize,
): usize {
  const lists: StaticArray<usize> = [
    input, inputLength, value, valueLength, quality, qualityLength, time, timeLength,
  ];
  const columns = abi.takeColumns(changetype<usize>(lists));
  let called = object;
  if (called === null) called = make();
  const call = new FunctionCall(now, columns, inputs);
  called.compute(call);
  const result = answer();
  object = declines(result) ? null : called;
  if (object !== null) call.store(result + 4);
  return result;
}

export function describePost(_answer: usize): void {
  abi.settle();
}

export function configurePost(_answer: usize): void {
  abi.settle();
}

export function computePost(_answer: usize): void {
  abi.settle();
}
