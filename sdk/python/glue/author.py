"""What rules, functions and sinks have in common.

The object that an author's class makes, its settings, its log, and what becomes of what it raises. Nothing is
imported here that a sink may not import.
"""

import json

from componentize_py_types import Err
from wit_world.imports import log as _log

#: Nanoseconds of a second.
SECOND = 1_000_000_000


class Failure(Exception):
    """A "no" with a reason: shown to the person who configured the instance."""

    def __init__(self, code, message, attributes=None):
        super().__init__(message)
        self.code = code
        self.message = message
        self.attributes = attributes or {}


class Holder:
    """Holds the one object of the author's class, and makes it anew after it raised.

    `record` makes a failure of the contract out of code, message and attributes.
    """

    def __init__(self, author, about, record, start, inputs):
        self.author = author
        self.about = about
        self.record = record
        self.start = start
        self.bind = inputs
        self.description = json.dumps(about)
        self.configuration = None
        self.object = None
        self.inputs = []

    def plugin(self):
        holder = self

        class Plugin:
            def describe(self):
                return holder.description

            def configure(self, config):
                _guarded(lambda: holder.configure(config), holder.explain)

        return Plugin

    def configure(self, text):
        self.configuration = json.loads(text)
        self.make()

    def make(self):
        self.inputs = self.bind(self.configuration)
        self.object = self.author(self.start(self.about, self.configuration, self.inputs))

    def run(self, call, explain=None):
        """One call.

        What a call that failed wrote to `state` is discarded by the host, so what the object remembers may be
        ahead of it: the next call gets a new object, which reads its state again.
        """
        return _guarded(lambda: self._run(call), explain or self.explain)

    def _run(self, call):
        if self.object is None:
            self.make()
        current, self.object = self.object, None
        answer = call(current, self.inputs)
        self.object = current
        return answer

    def explain(self, raised):
        return self.record(*told(raised))


def _guarded(run, explain):
    """Runs what an author wrote; whatever it raises becomes a failure of the contract."""
    try:
        return run()
    except Exception as raised:
        failure = explain(raised)
    raise Err(failure)


def told(raised):
    """Code, message and attributes of what was raised."""
    if isinstance(raised, Failure):
        return str(raised.code), str(raised.message), pairs(raised.attributes)
    where = _place(raised)
    return "exception", f"{type(raised).__name__}: {raised} (at {where})", [("at", where)]


def _place(raised):
    """File and line of the author's that it came from: `rule.py:12`."""
    where, frame = "andon", raised.__traceback__
    while frame is not None:
        # A file is named "/0/rule.py": the number is that of the folder that was packed.
        file = frame.tb_frame.f_code.co_filename.lstrip("/").partition("/")[2]
        if not file.startswith("andon/"):
            where = f"{file}:{frame.tb_lineno}"
        frame = frame.tb_next
    return where


def pairs(attributes):
    return [(str(name), str(value)) for name, value in attributes.items()]


class Log:
    """Lines in the instance's log, 60 a minute unless the settings say otherwise. `print` ends there too."""

    def debug(self, *words):
        _log.write(_log.Level.DEBUG, _line(words))

    def info(self, *words):
        _log.write(_log.Level.INFO, _line(words))

    def warn(self, *words):
        _log.write(_log.Level.WARN, _line(words))

    def error(self, *words):
        _log.write(_log.Level.ERROR, _line(words))


def _line(words):
    return " ".join(str(word) for word in words)


log = Log()


class Start:
    """What the constructor of an author's class is given.

    `parameters` are those of the settings, and the defaults of `about` for those that are missing.
    """

    def __init__(self, about, configuration, inputs):
        self._schema = about.get("parameters", {}).get("properties", {})
        self.instance = configuration.get("instance", about["name"])
        self.inputs = inputs
        self.parameters = {name: of["default"] for name, of in self._schema.items() if "default" in of}
        self.parameters.update(configuration.get("parameters") or {})
        self.log = log

    def number(self, name):
        """A parameter that must be a number, and not below its `minimum`; raises a `Failure` otherwise."""
        value = self.parameters.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Failure("bad-parameter", f"`{name}` must be a number", {"parameter": name})
        minimum = self._schema.get(name, {}).get("minimum")
        if minimum is not None and value < minimum:
            must = "must not be negative" if minimum == 0 else f"must be at least {minimum}"
            raise Failure("bad-parameter", f"`{name}` {must}", {"parameter": name})
        return value
