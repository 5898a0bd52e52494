// @ts-check
import { defineSink, Undelivered } from "./andon/sink.js";

/** @import { About, Message, Receipt, Start, Web } from "./andon/sink.js" */

/** The longest piece of an answer that is told to people, characters. */
const SAYS_CHARS_MAX = 200;

/** Posts each message as JSON to the address of the contact. */
class Webhook {
  /** @type {About} */
  static about = {
    name: "{{name}}",
    version: "1.0.0",
    summary: "Posts each message as JSON to the address of the contact.",
    parameters: {
      type: "object",
      additionalProperties: false,
      properties: {
        title: { type: "string", default: "Andon", description: "Who says so: the name of the plant" },
      },
    },
  };

  /** @param {Start} start */
  constructor(start) {
    this.title = start.parameters.title;
  }

  /**
   * @param {Message} message @param {Web} web
   * @returns {Receipt}
   */
  deliver(message, web) {
    const { address, id, text, occasion, priority, attempt } = message;
    if (!/^https?:\/\//.test(address)) {
      throw new Undelivered("address", `\`${address}\` is no address like https://example.net/path`);
    }
    const answer = web.postJson(address, { id, title: this.title, text, occasion, priority, attempt });
    if (!answer.ok) {
      throw Undelivered.byStatus("the webhook", answer, answer.text.trim().slice(0, SAYS_CHARS_MAX));
    }
    return { id: answer.json?.id };
  }
}

export const { plugin, sink } = defineSink(Webhook);
