/**
 * The exports of a rule; what is compiled. `exports.mjs` gives them the names of the contract.
 */
import { Start, Rule, RuleCall } from "./andon";
import { Instance, answer, batch } from "./instance";
import { about, start } from "../rule";

export { cabi_realloc } from "./abi";
export { answered as describePost, answered as configurePost, answered as evaluatePost } from "./instance";

const instance = new Instance<Rule>(
  () => about(),
  (starts: Start): Rule => start(starts),
);

export function describe(): usize {
  return instance.describe();
}

export function configure(text: usize, length: usize): usize {
  return instance.configure(text, length);
}

export function evaluate(
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
  const call = new RuleCall(now, columns, instance.inputs);
  called.evaluate(call);
  const result = answer();
  if (instance.keep(called, result)) call.store(result + 4);
  return result;
}
