import { About, decline, Function, FunctionCall, Sample, SECOND, Start } from "./andon/andon";

/** The outputs, in the order of `about`. */
const VOLUME: i32 = 0;
const MEAN: i32 = 1;

export function about(): About {
  return new About("{{name}}", "1.0.0", "Turns the level of a tank into its volume, and smooths it.")
    .input("level", "number", "tank1.level", "Level of the tank, per cent")
    .output("volume", "number", "m³", "What is in the tank")
    .output("mean", "number", "m³", "The mean of the kept samples")
    .number("capacity", 10, "Volume of the full tank, m³")
    .number("seconds", 60, "How far back the mean looks", 0);
}

export function start(start: Start): Function {
  return new TankVolume(start);
}

/** Turns the level of a tank into its volume, and smooths it. */
class TankVolume extends Function {
  private capacity: f64;
  private span: i64;

  constructor(start: Start) {
    super();
    this.capacity = start.number("capacity");
    this.span = <i64>Math.round(start.number("seconds") * <f64>SECOND);
    if (this.capacity <= 0) decline("bad-parameter", "`capacity` must be more than 0");
  }

  compute(call: FunctionCall): void {
    for (let i = 0; i < call.samples.length; i++) {
      const sample = call.samples[i];
      if (!sample.usable) continue;
      const volume = (sample.value / 100) * this.capacity;
      const mean = (this.mean(call, sample) / 100) * this.capacity;
      call.setAt(VOLUME, volume, sample.quality, sample.time);
      call.setAt(MEAN, mean, sample.quality, sample.time);
    }
  }

  /** The mean level of the kept samples; that of this sample where there is none. */
  private mean(call: FunctionCall, sample: Sample): f64 {
    const kept = call.window(sample.input, sample.time - this.span);
    let sum: f64 = 0;
    let count = 0;
    for (let i = 0; i < kept.length; i++) {
      if (!kept[i].usable) continue;
      sum += kept[i].value;
      count += 1;
    }
    return count == 0 ? sample.value : sum / count;
  }
}
