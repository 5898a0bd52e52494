/**
 * JSON, as little of it as a plugin needs: it reads what the host hands to `configure`, which is
 * always proper JSON, and quotes texts for `describe`. Anything improper ends the call.
 */

export enum JsonKind {
  Null,
  Bool,
  Number,
  Text,
  List,
  Object,
}

/** A value. Only the fields of its kind say something. */
export class Json {
  constructor(public kind: JsonKind) {}

  /** A number, or 1 for `true`. */
  number: f64 = 0;
  text: string = "";
  /** Items of a list; values of an object, in the order of `names`. */
  items: Json[] = [];
  names: string[] = [];

  /** The value of this name in an object. */
  get(name: string): Json | null {
    const place = this.names.indexOf(name);
    return place < 0 ? null : this.items[place];
  }

  /** The text of this name, or "". */
  textOf(name: string): string {
    const value = this.get(name);
    return value === null ? "" : value.text;
  }
}

/** Reads a whole text. */
export function parseJson(text: string): Json {
  return new Reader(text).value();
}

/** A text as JSON. */
export function quote(text: string): string {
  let quoted = '"';
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit == 0x22 || unit == 0x5c) quoted += "\\" + text.charAt(i);
    else if (unit < 0x20) quoted += "\\u00" + (unit < 16 ? "0" : "") + unit.toString(16);
    else quoted += text.charAt(i);
  }
  return quoted + '"';
}

/** A number as JSON, whole ones without a point. */
export function numberText(value: f64): string {
  return value == Math.floor(value) && Math.abs(value) < 1e15 ? (<i64>value).toString() : value.toString();
}

class Reader {
  private place: i32 = 0;

  constructor(private json: string) {}

  value(): Json {
    this.space();
    const unit = this.json.charCodeAt(this.place);
    if (unit == 0x7b) return this.object();
    if (unit == 0x5b) return this.list();
    if (unit == 0x22) {
      const value = new Json(JsonKind.Text);
      value.text = this.quoted();
      return value;
    }
    if (unit == 0x74 || unit == 0x66) {
      const value = new Json(JsonKind.Bool);
      value.number = unit == 0x74 ? 1 : 0;
      this.place += unit == 0x74 ? 4 : 5;
      return value;
    }
    if (unit == 0x6e) {
      this.place += 4;
      return new Json(JsonKind.Null);
    }
    return this.number();
  }

  private object(): Json {
    const object = new Json(JsonKind.Object);
    this.place += 1;
    while (!this.ends(0x7d)) {
      object.names.push(this.quoted());
      this.space();
      this.take(0x3a);
      object.items.push(this.value());
    }
    return object;
  }

  private list(): Json {
    const list = new Json(JsonKind.List);
    this.place += 1;
    while (!this.ends(0x5d)) list.items.push(this.value());
    return list;
  }

  /** Whether the bracket comes next; passes it, or the comma before the next item. */
  private ends(bracket: i32): bool {
    this.space();
    const unit = this.json.charCodeAt(this.place);
    if (unit == bracket || unit == 0x2c) this.place += 1;
    this.space();
    return unit == bracket;
  }

  private number(): Json {
    const from = this.place;
    while (this.place < this.json.length && "+-.0123456789eE".includes(this.json.charAt(this.place))) this.place += 1;
    assert(this.place > from, "the JSON of the host cannot be read");
    const value = new Json(JsonKind.Number);
    value.number = F64.parseFloat(this.json.substring(from, this.place));
    return value;
  }

  private quoted(): string {
    this.take(0x22);
    let text = "";
    let from = this.place;
    while (this.json.charCodeAt(this.place) != 0x22) {
      assert(this.place < this.json.length, "the JSON of the host cannot be read");
      if (this.json.charCodeAt(this.place) == 0x5c) {
        text += this.json.substring(from, this.place) + this.escaped();
        from = this.place;
      } else {
        this.place += 1;
      }
    }
    text += this.json.substring(from, this.place);
    this.place += 1;
    return text;
  }

  private escaped(): string {
    const sign = this.json.charAt(this.place + 1);
    this.place += 2;
    if (sign == "u") {
      this.place += 4;
      return String.fromCharCode(<i32>I32.parseInt(this.json.substring(this.place - 4, this.place), 16));
    }
    const place = "nrtbf".indexOf(sign);
    return place < 0 ? sign : "\n\r\t\b\f".charAt(place);
  }

  private space(): void {
    while (this.place < this.json.length && this.json.charCodeAt(this.place) <= 0x20) this.place += 1;
  }

  private take(unit: i32): void {
    assert(this.json.charCodeAt(this.place) == unit, "the JSON of the host cannot be read");
    this.place += 1;
  }
}
