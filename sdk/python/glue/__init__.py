"""Andon rules and functions in Python: the pleasant layer above the contract `andon:plugin@0.1.0`.

It owns the way from columns and JSON to samples and objects, and back. A class says `about` itself, is
constructed when the host configures an instance, and is called with each batch. It knows nothing of any
single rule.

A time is an `int`: nanoseconds since 1970.
"""

import json
import math

from componentize_py_types import Err
from wit_world.imports import state as _state
from wit_world.imports import tags as _tags
from wit_world.imports import timer as _timer
from wit_world.imports import types as _types

from .author import SECOND, Failure, Holder, Start, log, pairs

__all__ = ["SECOND", "Failure", "define_function", "define_rule", "log", "state"]

_TIME_MIN = -(2**63)
_TIME_MAX = 2**63 - 1

_PRIORITIES = {case.name.lower(): case for case in _types.Priority}


def define_rule(author):
    """The exports of a rule, out of a class with `evaluate(call)`: `Plugin, Rule = define_rule(MyRule)`."""
    holder = _holder(author)

    class Rule:
        def evaluate(self, now, samples):
            return holder.run(lambda rule, inputs: _evaluate(rule, RuleCall(now, samples, inputs)))

    return holder.plugin(), Rule


def _evaluate(rule, call):
    rule.evaluate(call)
    return call._actions


def define_function(author):
    """The exports of a function, out of a class with `compute(call)`: `Plugin, Function = define_function(Mine)`."""
    holder = _holder(author)
    outputs = [port["name"] for port in author.about.get("outputs", [])]

    class Function:
        def compute(self, now, samples):
            return holder.run(lambda function, inputs: _compute(function, FunctionCall(now, samples, inputs, outputs)))

    return holder.plugin(), Function


def _compute(function, call):
    function.compute(call)
    call._answer.quality = bytes(call._answer.quality)
    return call._answer


def _holder(author):
    return Holder(author, author.about, _types.Failure, LogicStart, _inputs)


def _inputs(configuration):
    return [Input(index, **bound) for index, bound in enumerate(configuration["inputs"])]


class Input:
    """A tag that is bound to a port; `index` is its place in `inputs` and the `input` of its samples."""

    __slots__ = ("index", "port", "tag", "unit", "type")

    def __init__(self, index, port, tag, unit=None, type="", **_later):
        self.index, self.port, self.tag, self.unit, self.type = index, port, tag, unit, type


class State:
    """What an instance remembers, JSON values by key.

    It is written together with the alarms of the same call or not at all, and outlives a restart.
    """

    def get(self, key, default=None):
        """What was set. What cannot be read as JSON counts as forgotten, with a line in the log."""
        data = _state.get(key)
        if data is None:
            return default
        try:
            return json.loads(data)
        except ValueError as error:
            log.warn(f"state `{key}` cannot be read and is forgotten: {error}")
            return default

    def set(self, key, value):
        """Goes to the disk with the call: set what changed, not every sample. The host may refuse."""
        data = json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
        try:
            _state.set(key, data)
        except Err as refused:
            raise Failure(refused.value.code, refused.value.message, dict(refused.value.attributes)) from None

    def delete(self, key):
        _state.delete(key)


state = State()


def _moment(time):
    """A moment as the host takes it: whole, never earlier than what was meant."""
    return min(max(math.ceil(time), _TIME_MIN), _TIME_MAX)


class LogicStart(Start):
    """What the constructor of a rule or function is given."""

    def __init__(self, about, configuration, inputs):
        super().__init__(about, configuration, inputs)
        self.state = state

    def wake_at(self, time):
        """See `Call.wake_at`."""
        _timer.wake_at(_moment(time))


class Sample:
    """One value of one input.

    `value` is the engineering value: a boolean is 0 or 1, a text is NaN (ask `call.text`). `quality` is OPC's:
    192 and above good, 64 to 191 uncertain, below 64 bad. `time` is when the device was read.
    """

    __slots__ = ("input", "tag", "unit", "value", "quality", "time")

    def __init__(self, bound, value, quality, time):
        self.input, self.tag, self.unit = bound.index, bound.tag, bound.unit
        self.value, self.quality, self.time = value, quality, time

    @property
    def usable(self):
        """Not bad, and a number."""
        return self.quality >= 64 and self.value == self.value


def _rows(columns, inputs):
    rows = zip(columns.input, columns.value, columns.quality, columns.time)
    return [Sample(inputs[index], value, quality, time) for index, value, quality, time in rows]


class Call:
    """One call of the host. `now` is the only clock; `time.time()` answers the same moment.

    `samples` are what is new, oldest first: at the first call every input that has a value, later what changed.
    """

    def __init__(self, now, columns, inputs):
        self.now = now
        self.inputs = inputs
        self.samples = _rows(columns, inputs)
        self.state = state
        self.log = log

    @property
    def is_wake_up(self):
        """Whether nothing changed and the call was asked for by `wake_at`."""
        return not self.samples

    def text(self, input):
        """Latest text of a text input, or None."""
        return _tags.text(input)

    def window(self, input, since):
        """Kept samples of one input since a moment, oldest first, as many as the host keeps."""
        return _rows(_tags.window(input, _moment(since)), self.inputs)

    def wake_at(self, time):
        """Be called at this moment even if no tag changes. One is kept, the earliest; it outlives a restart."""
        _timer.wake_at(_moment(time))

    def wake_after(self, seconds):
        """The same, in so many seconds from now."""
        self.wake_at(self.now + seconds * SECOND)


class RuleCall(Call):
    """What `evaluate` is called with."""

    def __init__(self, now, columns, inputs):
        super().__init__(now, columns, inputs)
        self._actions = []

    def raise_(self, key, priority, message, attributes=None):
        """The condition `key` holds. Raising a raised key updates it and alerts nobody again."""
        self._actions.append(_types.Action_Raise(_alarm(key, priority, message, attributes)))

    def clear(self, key):
        """The condition no longer holds."""
        self._actions.append(_types.Action_Clear(str(key)))

    def notify(self, key, priority, message, attributes=None):
        """Tell people once; nothing stays active."""
        self._actions.append(_types.Action_Notify(_alarm(key, priority, message, attributes)))


def _alarm(key, priority, message, attributes):
    if priority not in _PRIORITIES:
        raise ValueError(f"the priority {priority!r} is none of {', '.join(_PRIORITIES)}")
    return _types.Alarm(str(key), _PRIORITIES[priority], str(message), pairs(attributes or {}))


class FunctionCall(Call):
    """What `compute` is called with."""

    def __init__(self, now, columns, inputs, outputs):
        super().__init__(now, columns, inputs)
        self._outputs = outputs
        self._answer = _types.Samples([], [], bytearray(), [])

    def set(self, output, value, quality=192, time=None):
        """Gives an output its value; of good quality and as of now unless said otherwise."""
        if output not in self._outputs:
            raise ValueError(f"`about` names no output {output!r}")
        self._answer.input.append(self._outputs.index(output))
        self._answer.value.append(float(value))
        self._answer.quality.append(quality & 255)
        self._answer.time.append(_moment(self.now if time is None else time))
