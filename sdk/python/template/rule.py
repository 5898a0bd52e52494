"""Raises an alarm when a tank stays too full."""

import math

from andon import SECOND, define_rule


class TankLevel:
    about = {
        "name": "{{name}}",
        "version": "1.0.0",
        "summary": "Raises an alarm when a tank stays too full.",
        "inputs": [
            {"name": "level", "type": "number", "default": "tank1.level", "summary": "Level of the tank"},
        ],
        "parameters": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "high": {"type": "number", "default": 90, "description": "Limit, in the unit of the tag"},
                "deadband": {
                    "type": "number",
                    "minimum": 0,
                    "default": 2,
                    "description": "The level must fall by so much below the limit before the alarm ends",
                },
                "delay": {
                    "type": "number",
                    "minimum": 0,
                    "default": 0,
                    "description": "The level must be above the limit for so long, seconds",
                },
            },
        },
    }

    def __init__(self, start):
        self.high = start.number("high")
        self.deadband = start.number("deadband")
        self.delay = round(start.number("delay") * SECOND)
        self.tag = start.inputs[0].tag
        self.unit = f" {start.inputs[0].unit}" if start.inputs[0].unit else ""
        self.since = start.state.get("since")
        self.raised = start.state.get("raised") == 1
        self.count = start.state.get("count", 0)
        self.tenths = start.state.get("last", 0)

    def evaluate(self, call):
        for sample in call.samples:
            if sample.usable:
                self.look(call, sample)
                self.raise_when_due(call, sample.time)
        if call.is_wake_up:
            self.raise_when_due(call, call.now)
        if self.since is not None:
            call.wake_at(self.since + self.delay)

    def look(self, call, sample):
        tenths = math.floor(sample.value * 10 + 0.5)
        if self.raised:
            if sample.value <= self.high - self.deadband:
                self.raised = False
                call.clear(f"{self.tag}.high")
                call.state.delete("raised")
        elif sample.value <= self.high:
            self.forget(call)
        elif self.since is None:
            self.since = sample.time
            call.state.set("since", self.since)
            call.state.set("last", tenths)
        elif tenths != self.tenths:
            call.state.set("last", tenths)
        self.tenths = tenths

    def raise_when_due(self, call, time):
        if self.raised or self.since is None or time - self.since < self.delay:
            return
        self.forget(call)
        self.raised = True
        self.count += 1
        call.state.set("raised", 1)
        call.state.set("count", self.count)
        level = text(self.tenths) + self.unit
        limit = text(math.floor(self.high * 10 + 0.5)) + self.unit
        call.raise_(
            key=f"{self.tag}.high",
            priority="high",
            message=f"{self.tag} is at {level}, above {limit} (alarm {self.count})",
            attributes={"tag": self.tag},
        )

    def forget(self, call):
        if self.since is not None:
            self.since = None
            call.state.delete("since")
            call.state.delete("last")


def text(tenths):
    """Tenths with one digit after the point: -125 is "-12.5"."""
    whole, digit = divmod(abs(tenths), 10)
    return f"{'-' if tenths < 0 else ''}{whole}.{digit}"


Plugin, Rule = define_rule(TankLevel)
