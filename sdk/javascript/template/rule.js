// @ts-check
import { defineRule, SECOND } from "./andon/andon.js";

/** @import { About, RuleCall, Sample, Start } from "./andon/andon.js" */

/** Raises an alarm when a tank stays too full. */
class TankLevel {
  /** @type {About} */
  static about = {
    name: "{{name}}",
    version: "1.0.0",
    summary: "Raises an alarm when a tank stays too full.",
    inputs: [
      { name: "level", type: "number", default: "tank1.level", summary: "Level of the tank" },
    ],
    parameters: {
      type: "object",
      additionalProperties: false,
      properties: {
        high: { type: "number", default: 90, description: "Limit, in the unit of the tag" },
        deadband: {
          type: "number",
          minimum: 0,
          default: 2,
          description: "The level must fall by so much below the limit before the alarm ends",
        },
        delay: {
          type: "number",
          minimum: 0,
          default: 0,
          description: "The level must be above the limit for so long, seconds",
        },
      },
    },
  };

  /** @param {Start} start */
  constructor(start) {
    this.high = start.number("high");
    this.deadband = start.number("deadband");
    this.delay = start.number("delay") * SECOND;
    this.tag = start.inputs[0].tag;
    this.unit = start.inputs[0].unit === null ? "" : ` ${start.inputs[0].unit}`;
    this.since = start.state.get("since");
    this.raised = start.state.get("raised") === 1;
    this.count = start.state.get("count") ?? 0;
    this.tenths = start.state.get("last") ?? 0;
  }

  /** @param {RuleCall} call */
  evaluate(call) {
    for (const sample of call.samples) {
      if (!sample.usable) continue;
      this.look(call, sample);
      this.raiseWhenDue(call, sample.time);
    }
    if (call.isWakeUp) this.raiseWhenDue(call, call.now);
    if (this.since !== null) call.wakeAt(this.since + this.delay);
  }

  /** @param {RuleCall} call @param {Sample} sample */
  look(call, { value, time }) {
    const tenths = Math.floor(value * 10 + 0.5);
    if (this.raised) {
      if (value <= this.high - this.deadband) {
        this.raised = false;
        call.clear(`${this.tag}.high`);
        call.state.delete("raised");
      }
    } else if (value <= this.high) {
      this.forget(call);
    } else if (this.since === null) {
      this.since = time;
      call.state.set("since", time);
      call.state.set("last", tenths);
    } else if (tenths !== this.tenths) {
      call.state.set("last", tenths);
    }
    this.tenths = tenths;
  }

  /** @param {RuleCall} call @param {number} time */
  raiseWhenDue(call, time) {
    if (this.raised || this.since === null || time < this.since + this.delay) return;
    this.forget(call);
    this.raised = true;
    this.count += 1;
    call.state.set("raised", 1);
    call.state.set("count", this.count);
    const level = text(this.tenths) + this.unit;
    const limit = text(Math.floor(this.high * 10 + 0.5)) + this.unit;
    call.raise({
      key: `${this.tag}.high`,
      priority: "high",
      message: `${this.tag} is at ${level}, above ${limit} (alarm ${this.count})`,
      attributes: { tag: this.tag },
    });
  }

  /** @param {RuleCall} call */
  forget(call) {
    if (this.since === null) return;
    this.since = null;
    call.state.delete("since");
    call.state.delete("last");
  }
}

/** Tenths as text with one digit after the point: -125 is "-12.5". */
function text(tenths) {
  const size = Math.abs(tenths);
  return `${tenths < 0 ? "-" : ""}${Math.floor(size / 10)}.${size % 10}`;
}

export const { plugin, rule } = defineRule(TankLevel);
