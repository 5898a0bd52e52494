import { About, Alarm, Priority, Rule, RuleCall, Sample, SECOND, Start, state } from "./andon/andon";

/** What the rule is: its inputs, and its parameters with their defaults. */
export function about(): About {
  return new About("{{name}}", "1.0.0", "Raises an alarm when a tank stays too full.")
    .input("level", "number", "tank1.level", "Level of the tank")
    .number("high", 90, "Limit, in the unit of the tag")
    .number("deadband", 2, "The level must fall by so much below the limit before the alarm ends", 0)
    .number("delay", 0, "The level must be above the limit for so long, seconds", 0);
}

export function start(start: Start): Rule {
  return new TankLevel(start);
}

/** No moment: the level is not above the limit. */
const NEVER: i64 = i64.MIN_VALUE;

/** Raises an alarm when a tank stays too full. */
class TankLevel extends Rule {
  private high: f64;
  private deadband: f64;
  private delay: i64;
  private tag: string;
  private unit: string;
  private since: i64;
  private raised: bool;
  private count: i64;
  private tenths: i64;

  constructor(start: Start) {
    super();
    const level = start.inputs[0];
    this.high = start.number("high");
    this.deadband = start.number("deadband");
    this.delay = <i64>Math.round(start.number("delay") * <f64>SECOND);
    this.tag = level.tag;
    this.unit = level.unit == "" ? "" : " " + level.unit;
    this.since = state.integer("since", NEVER);
    this.raised = state.get("raised") !== null;
    this.count = state.integer("count", 0);
    this.tenths = state.integer("last", 0);
  }

  evaluate(call: RuleCall): void {
    for (let i = 0; i < call.samples.length; i++) {
      const sample = call.samples[i];
      if (!sample.usable) continue;
      this.look(call, sample);
      this.raiseWhenDue(call, sample.time);
    }
    if (call.isWakeUp) this.raiseWhenDue(call, call.now);
    if (this.since != NEVER) call.wakeAt(this.since + this.delay);
  }

  private look(call: RuleCall, sample: Sample): void {
    const tenths = <i64>Math.floor(sample.value * 10 + 0.5);
    if (this.raised) {
      if (sample.value <= this.high - this.deadband) {
        this.raised = false;
        call.clear(`${this.tag}.high`);
        state.delete("raised");
      }
    } else if (sample.value <= this.high) {
      this.forget();
    } else if (this.since == NEVER) {
      this.since = sample.time;
      state.set("since", this.since.toString());
      state.set("last", tenths.toString());
    } else if (tenths != this.tenths) {
      state.set("last", tenths.toString());
    }
    this.tenths = tenths;
  }

  private raiseWhenDue(call: RuleCall, time: i64): void {
    if (this.raised || this.since == NEVER || time - this.since < this.delay) return;
    this.forget();
    this.raised = true;
    this.count += 1;
    state.set("raised", "1");
    state.set("count", this.count.toString());
    const level = text(this.tenths) + this.unit;
    const limit = text(<i64>Math.floor(this.high * 10 + 0.5)) + this.unit;
    const message = `${this.tag} is at ${level}, above ${limit} (alarm ${this.count})`;
    call.raise(new Alarm(`${this.tag}.high`, Priority.High, message).attribute("tag", this.tag));
  }

  private forget(): void {
    if (this.since == NEVER) return;
    this.since = NEVER;
    state.delete("since");
    state.delete("last");
  }
}

/** Tenths with one digit after the point: -125 is "-12.5". */
function text(tenths: i64): string {
  const sign = tenths < 0 ? "-" : "";
  const size = tenths < 0 ? -tenths : tenths;
  return `${sign}${size / 10}.${size % 10}`;
}
