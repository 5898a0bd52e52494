/**
 * The exports of a function; what is compiled where `andon-plugin.toml` says so. `exports.mjs` gives them the names of the contract.
 */
import { Start, Function, FunctionCall } from "./andon";
import { Instance, answer, batch } from "./instance";
import { about, start } from "../function";

export { cabi_realloc } from "./abi";
export { answered as describePost, answered as configurePost, answered as computePost } from "./instance";

const instance = new Instance<Function>(
  () => about(),
  (starts: Start): Function => start(starts),
);

export function describe(): usize {
  return instance.describe();
}

export function configure(text: usize, length: usize): usize {
  return instance.configure(text, length);
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
  const columns = batch(input, inputLength, value, valueLength, quality, qualityLength, time, timeLength);
  const called = instance.take();
  const call = new FunctionCall(now, columns, instance.inputs);
  called.compute(call);
  const result = answer();
  if (instance.keep(called, result)) call.store(result + 4);
  return result;
}
