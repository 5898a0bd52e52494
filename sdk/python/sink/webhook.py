"""Posts each message as JSON to the address of the contact."""

from andon import Undelivered, define_sink

#: The longest piece of an answer that is told to people, characters.
SAYS_CHARS_MAX = 200


class Webhook:
    about = {
        "name": "{{name}}",
        "version": "1.0.0",
        "summary": "Posts each message as JSON to the address of the contact.",
        "parameters": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "title": {"type": "string", "default": "Andon", "description": "Who says so: the name of the plant"},
            },
        },
    }

    def __init__(self, start):
        self.title = start.parameters["title"]

    def deliver(self, message, web):
        address = message.address
        if not address.startswith(("https://", "http://")):
            raise Undelivered("address", f"`{address}` is no address like https://example.net/path")
        answer = web.post_json(
            address,
            {
                "id": message.id,
                "title": self.title,
                "text": message.text,
                "occasion": message.occasion,
                "priority": message.priority,
                "attempt": message.attempt,
            },
        )
        if not answer.ok:
            raise Undelivered.by_status("the webhook", answer, answer.text.strip()[:SAYS_CHARS_MAX])
        said = answer.json
        return said.get("id") if isinstance(said, dict) else None


Plugin, Sink = define_sink(Webhook)
