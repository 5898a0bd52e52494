/**
 * What the exports of rules and functions have in common: the configuration as it was handed over, and
 * the answer of a call, which is a `result` with a failure.
 */
import * as abi from "./abi";
import { About, Failure, Input, Start, takeDeclined } from "./andon";
import { parseJson } from "./json";

/** Bytes of a `result` with a failure or something that is no larger than 32 bytes. */
const RESULT_SIZE: usize = 36;

let configuration: string = "";

/** Keeps the text that `configure` was given. */
export function configured(text: usize, length: usize): void {
  configuration = abi.takeText(text, length);
}

/** What is handed to the author's `start`. */
export function starting(about: About): Start {
  const json = parseJson(configuration);
  const inputs: Input[] = [];
  const bound = json.get("inputs");
  if (bound !== null) {
    for (let i = 0; i < bound.items.length; i++) {
      const each = bound.items[i];
      inputs.push(new Input(i, each.textOf("port"), each.textOf("tag"), each.textOf("unit"), each.textOf("type")));
    }
  }
  return new Start(json.textOf("instance"), inputs, about, json.get("parameters")!);
}

/** Pointer and length of a text, as `describe` answers. */
export function described(about: About): usize {
  const answer = abi.owe(8);
  abi.storeText(answer, about.json());
  return answer;
}

/** Memory for an answer; `ok` lies 4 bytes in. */
export function answer(): usize {
  const result = abi.owe(RESULT_SIZE);
  store<u8>(result, 0);
  return result;
}

/** Makes a failure of the answer where the call declined; says whether it did. */
export function declines(result: usize): bool {
  const failure: Failure | null = takeDeclined();
  if (failure === null) return false;
  store<u8>(result, 1);
  abi.storeText(result + 4, failure.code);
  abi.storeText(result + 12, failure.message);
  abi.storePairs(result + 20, []);
  return true;
}
