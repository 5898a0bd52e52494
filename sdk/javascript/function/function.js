// @ts-check
import { defineFunction, Failure, SECOND } from "./andon/andon.js";

/** @import { About, FunctionCall, Sample, Start } from "./andon/andon.js" */

/** Turns the level of a tank into its volume, and smooths it. */
class TankVolume {
  /** @type {About} */
  static about = {
    name: "{{name}}",
    version: "1.0.0",
    summary: "Turns the level of a tank into its volume, and smooths it.",
    inputs: [
      { name: "level", type: "number", default: "tank1.level", summary: "Level of the tank, per cent" },
    ],
    outputs: [
      { name: "volume", type: "number", unit: "m³", summary: "What is in the tank" },
      { name: "mean", type: "number", unit: "m³", summary: "The mean of the kept samples" },
    ],
    parameters: {
      type: "object",
      additionalProperties: false,
      properties: {
        capacity: { type: "number", default: 10, description: "Volume of the full tank, m³" },
        seconds: { type: "number", minimum: 0, default: 60, description: "How far back the mean looks" },
      },
    },
  };

  /** @param {Start} start */
  constructor(start) {
    this.capacity = start.number("capacity");
    this.span = start.number("seconds") * SECOND;
    if (this.capacity <= 0) throw new Failure("bad-parameter", "`capacity` must be more than 0");
  }

  /** @param {FunctionCall} call */
  compute(call) {
    for (const sample of call.samples) {
      if (!sample.usable) continue;
      const { quality, time } = sample;
      call.set("volume", (sample.value / 100) * this.capacity, { quality, time });
      call.set("mean", (this.mean(call, sample) / 100) * this.capacity, { quality, time });
    }
  }

  /**
   * The mean level of the kept samples; that of this sample where there is none.
   * @param {FunctionCall} call @param {Sample} sample
   */
  mean(call, { input, value, time }) {
    const kept = call.window(input, time - this.span).filter((each) => each.usable);
    if (kept.length === 0) return value;
    return kept.reduce((sum, each) => sum + each.value, 0) / kept.length;
  }
}

const { plugin, function: volume } = defineFunction(TankVolume);
export { plugin, volume as function };
