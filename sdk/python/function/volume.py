"""Turns the level of a tank into its volume, and smooths it."""

from andon import SECOND, Failure, define_function


class TankVolume:
    about = {
        "name": "{{name}}",
        "version": "1.0.0",
        "summary": "Turns the level of a tank into its volume, and smooths it.",
        "inputs": [
            {"name": "level", "type": "number", "default": "tank1.level", "summary": "Level of the tank, per cent"},
        ],
        "outputs": [
            {"name": "volume", "type": "number", "unit": "m³", "summary": "What is in the tank"},
            {"name": "mean", "type": "number", "unit": "m³", "summary": "The mean of the kept samples"},
        ],
        "parameters": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "capacity": {"type": "number", "default": 10, "description": "Volume of the full tank, m³"},
                "seconds": {
                    "type": "number",
                    "minimum": 0,
                    "default": 60,
                    "description": "How far back the mean looks",
                },
            },
        },
    }

    def __init__(self, start):
        self.capacity = start.number("capacity")
        self.span = round(start.number("seconds") * SECOND)
        if self.capacity <= 0:
            raise Failure("bad-parameter", "`capacity` must be more than 0")

    def compute(self, call):
        for sample in call.samples:
            if not sample.usable:
                continue
            of = {"quality": sample.quality, "time": sample.time}
            call.set("volume", sample.value / 100 * self.capacity, **of)
            call.set("mean", self.mean(call, sample) / 100 * self.capacity, **of)

    def mean(self, call, sample):
        """The mean level of the kept samples; that of this sample where there is none."""
        window = call.window(sample.input, sample.time - self.span)
        kept = [each.value for each in window if each.usable]
        return sum(kept) / len(kept) if kept else sample.value


Plugin, Function = define_function(TankVolume)
