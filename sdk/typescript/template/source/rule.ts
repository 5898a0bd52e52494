import { defineRule, SECOND } from "../andon/andon.js";
import type { About, RuleCall, Sample, Start, Time } from "../andon/andon.js";

/** Raises an alarm when a tank stays too full. */
class TankLevel {
  static readonly about: About = {
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

  private readonly high: number;
  private readonly deadband: number;
  private readonly delay: number;
  private readonly tag: string;
  private readonly unit: string;
  private since: Time | null;
  private raised: boolean;
  private count: number;
  private tenths: number;

  constructor(start: Start) {
    const [level] = start.inputs;
    if (level === undefined) throw new Error("the host binds `level`");
    this.high = start.number("high");
    this.deadband = start.number("deadband");
    this.delay = start.number("delay") * SECOND;
    this.tag = level.tag;
    this.unit = level.unit === null ? "" : ` ${level.unit}`;
    this.since = start.state.get("since");
    this.raised = start.state.get("raised") === 1;
    this.count = start.state.get("count") ?? 0;
    this.tenths = start.state.get("last") ?? 0;
  }

  evaluate(call: RuleCall): void {
    for (const sample of call.samples) {
      if (!sample.usable) continue;
      this.look(call, sample);
      this.raiseWhenDue(call, sample.time);
    }
    if (call.isWakeUp) this.raiseWhenDue(call, call.now);
    if (this.since !== null) call.wakeAt(this.since + this.delay);
  }

  private look(call: RuleCall, { value, time }: Sample): void {
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

  private raiseWhenDue(call: RuleCall, time: Time): void {
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

  private forget(call: RuleCall): void {
    if (this.since === null) return;
    this.since = null;
    call.state.delete("since");
    call.state.delete("last");
  }
}

/** Tenths as text with one digit after the point: -125 is "-12.5". */
function text(tenths: number): string {
  const size = Math.abs(tenths);
  return `${tenths < 0 ? "-" : ""}${Math.floor(size / 10)}.${size % 10}`;
}

export const { plugin, rule } = defineRule(TankLevel);
