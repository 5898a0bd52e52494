/**
 * What the exports of rules and functions have in common: the author's object from `configure` on, the
 * batch as it is handed over, and the answer of a call, which is a `result` with a failure.
 */
import * as abi from "./abi";
import { About, Failure, Input, Start, takeDeclined } from "./andon";
import { parseJson } from "./json";

/** Bytes of a `result` with a failure or something that is no larger than 32 bytes. */
const RESULT_SIZE: usize = 36;

/** An author's rule or function: how it is made, and the object that is called. */
export class Instance<T> {
  /** In the order of their index. */
  inputs: Input[] = [];
  private configuration: string = "";
  private object: T | null = null;

  constructor(
    private about: () => About,
    private start: (start: Start) => T,
  ) {}

  describe(): usize {
    const answer = abi.owe(8);
    abi.storeText(answer, this.about().json());
    return answer;
  }

  configure(text: usize, length: usize): usize {
    this.configuration = abi.takeText(text, length);
    const made = this.make();
    const result = answer();
    this.keep(made, result);
    return result;
  }

  /** The object for a call: the one of before, or a new one. */
  take(): T {
    const kept = this.object;
    return kept === null ? this.make() : kept;
  }

  /**
   * Makes a failure of the answer where the call declined, and says whether it did not. An object whose call
   * declined may be ahead of its state, so it is not kept.
   */
  keep(called: T, result: usize): bool {
    const declined = declines(result);
    this.object = declined ? null : called;
    return !declined;
  }

  private make(): T {
    const json = parseJson(this.configuration);
    const inputs: Input[] = [];
    const bound = json.get("inputs");
    if (bound !== null) {
      for (let i = 0; i < bound.items.length; i++) {
        const each = bound.items[i];
        inputs.push(new Input(i, each.textOf("port"), each.textOf("tag"), each.textOf("unit"), each.textOf("type")));
      }
    }
    this.inputs = inputs;
    return this.start(new Start(json.textOf("instance"), inputs, this.about(), json.get("parameters")!));
  }
}

/** The batch of a call, from the four lists that the host hands over. */
export function batch(
  input: usize,
  inputLength: usize,
  value: usize,
  valueLength: usize,
  quality: usize,
  qualityLength: usize,
  time: usize,
  timeLength: usize,
): abi.Columns {
  const lists: StaticArray<usize> = [
    input, inputLength, value, valueLength, quality, qualityLength, time, timeLength,
  ];
  return abi.takeColumns(changetype<usize>(lists));
}

/** The host has read an answer. */
export function answered(_answer: usize): void {
  abi.settle();
}

/** Memory for an answer; `ok` lies 4 bytes in. */
export function answer(): usize {
  const result = abi.owe(RESULT_SIZE);
  store<u8>(result, 0);
  return result;
}

function declines(result: usize): bool {
  const failure: Failure | null = takeDeclined();
  if (failure === null) return false;
  store<u8>(result, 1);
  abi.storeText(result + 4, failure.code);
  abi.storeText(result + 12, failure.message);
  abi.storePairs(result + 20, []);
  return true;
}
