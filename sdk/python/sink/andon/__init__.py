"""Andon sinks in Python: ways to reach people that the host lacks.

It owns the way from messages of the contract to objects, and `wasi:http` behind `web`. A class says `about`
itself, is constructed when the host configures it, and delivers one message at a time. It knows nothing of any
single provider.

A time is an `int`: nanoseconds since 1970.
"""

import json
import math
import re

from componentize_py_types import Err, Ok
from wit_world.exports import sink as _sink
from wit_world.imports import andon_plugin_types as _types
from wit_world.imports import outgoing_handler as _outgoing
from wit_world.imports import streams as _streams
from wit_world.imports import wasi_http_types as _http

from .author import SECOND, Failure, Holder, Start, log, told

__all__ = ["SECOND", "Answer", "Failure", "Message", "Undelivered", "Web", "define_sink", "log"]

#: Bytes that one write of a body may have.
_WRITE_BYTES_MAX = 4096

#: Bytes that are asked for in one read.
_READ_BYTES = 65536

_SETBACKS = {
    "retry": _sink.Setback_Retry,
    "message": _sink.Setback_Message,
    "address": _sink.Setback_Address,
    "account": _sink.Setback_Account,
    "unknown": _sink.Setback_Unknown,
}

#: Answers of a server that are not by themselves a reason to try again.
_SETBACK_OF_STATUS = {
    400: "message",
    401: "account",
    403: "address",
    404: "address",
    410: "address",
    413: "message",
    422: "message",
    429: "throttled",
}

#: Codes after which nothing can have left: the settings or the request are at fault.
_DENIED = (
    _http.ErrorCode_ConfigurationError,
    _http.ErrorCode_HttpRequestBodySize,
    _http.ErrorCode_HttpRequestMethodInvalid,
    _http.ErrorCode_HttpRequestUriInvalid,
    _http.ErrorCode_HttpRequestUriTooLong,
    _http.ErrorCode_HttpRequestHeaderSectionSize,
    _http.ErrorCode_HttpRequestHeaderSize,
    _http.ErrorCode_DestinationIpProhibited,
)

#: Codes after which nothing can have left: there was no connection.
_NOT_SENT = (
    _http.ErrorCode_ConnectionRefused,
    _http.ErrorCode_DnsTimeout,
    _http.ErrorCode_DnsError,
    _http.ErrorCode_DestinationNotFound,
    _http.ErrorCode_DestinationUnavailable,
    _http.ErrorCode_DestinationIpUnroutable,
    _http.ErrorCode_ConnectionLimitReached,
    _http.ErrorCode_TlsCertificateError,
)

_METHODS = {
    "GET": _http.Method_Get,
    "HEAD": _http.Method_Head,
    "POST": _http.Method_Post,
    "PUT": _http.Method_Put,
    "DELETE": _http.Method_Delete,
    "OPTIONS": _http.Method_Options,
    "PATCH": _http.Method_Patch,
}

_SCHEMES = {"http": _http.Scheme_Http, "https": _http.Scheme_Https}


class Undelivered(Exception):
    """A message that was not delivered.

    `setback` says what the host shall do about it:

    - `retry`: surely not taken; try again, each time later.
    - `throttled`: the same, but not before `after` seconds, where known.
    - `message`: this message will never be taken.
    - `address`: nothing will ever reach this address; the contact's next channel.
    - `account`: the account can send nothing at all; the next channel, and an alarm of the sink.
    - `unknown`: it may or may not have been taken; what goes out next is marked as a repeat.

    `message` is what a person reads: who refused, and why.
    """

    def __init__(self, setback, message, after=None):
        if setback != "throttled" and setback not in _SETBACKS:
            raise ValueError(f"the setback {setback!r} is none of {', '.join(_SETBACKS)}, throttled")
        super().__init__(message)
        self.setback, self.message, self.after = setback, message, after

    @classmethod
    def by_status(cls, provider, answer, says=""):
        """What an answer other than a success usually means; see the page of the language."""
        setback = _SETBACK_OF_STATUS.get(answer.status, "retry")
        message = f"{provider} answered {answer.status}" + (f": {says}" if says else "")
        return cls(setback, message, answer.retry_after)


def define_sink(author):
    """The exports of a sink, out of a class with `deliver(message, web)`: `Plugin, Sink = define_sink(MySink)`.

    `deliver` gives the provider's id of the message, or None, and raises `Undelivered`.
    """
    about = {"inputs": [], **author.about}
    holder = Holder(author, about, _types.Failure, Start, lambda _configuration: [])

    class Sink:
        def deliver(self, now, notification):
            web = Web()
            answer = holder.run(
                lambda sink, _inputs: _attempt(sink, Message(now, notification), web),
                lambda raised: _unforeseen(raised, web),
            )
            if isinstance(answer, Undelivered):
                raise Err(_failure(answer))
            return answer

    return holder.plugin(), Sink


def _attempt(sink, message, web):
    """An `Undelivered` is an answer like any other: the author's object goes on."""
    try:
        receipt = sink.deliver(message, web)
    except Undelivered as undelivered:
        return undelivered
    return _sink.Receipt(None if receipt is None else str(receipt), [])


def _unforeseen(raised, web):
    """A mistake of the author's code: whether the message is out depends on what it asked for before."""
    _code, message, attributes = told(raised)
    setback = _sink.Setback_Unknown() if web.sent else _sink.Setback_Retry()
    return _sink.Failure(setback, message, attributes)


def _failure(undelivered):
    if undelivered.setback == "throttled":
        after = undelivered.after
        setback = _sink.Setback_Throttled(None if after is None else max(0, math.ceil(after * 1000)))
    else:
        setback = _SETBACKS[undelivered.setback]()
    return _sink.Failure(setback, str(undelivered.message), [])


class Message:
    """One message to one address.

    `id` names it, and is the same at every try. `address` is in this sink's own terms, `text` is complete in
    itself. `occasion` is alert, resolved, answer or test; `priority` is diagnostic, low, medium, high or
    critical. `attempt` counts from 1. `now` is the only clock.
    """

    def __init__(self, now, given):
        self.id = given.id
        self.address = given.address
        self.text = given.text
        self.occasion = given.occasion.name.lower()
        self.priority = given.priority.name.lower()
        self.attempt = given.attempt
        self.now = now
        self.created_at = given.created_at
        self.expires_at = given.expires_at
        self.attributes = dict(given.attributes)


class Web:
    """The world outside of a sink. Requests go one after another, and each is waited for.

    They go to the hosts of the sink's settings alone, and the host adds headers with secrets. Redirects are
    answers. A body has at most 1 MiB, either way. Without an answer, `Undelivered` is raised.
    """

    def __init__(self):
        #: Whether something may have left.
        self.sent = False

    def get(self, url, headers=None):
        return self.send("GET", url, headers)

    def post(self, url, body, headers=None):
        return self.send("POST", url, headers, body)

    def post_json(self, url, value, headers=None):
        return self.post(url, json.dumps(value), {"content-type": "application/json", **(headers or {})})

    def send(self, method, url, headers=None, body=b""):
        content = body.encode() if isinstance(body, str) else bytes(body)
        request = _request(method, url, headers or {})
        outgoing = request.body()
        # From here on the request may be on its way.
        self.sent = True
        try:
            return _exchange(request, outgoing, content)
        except Undelivered as undelivered:
            self.sent = undelivered.setback == "unknown"
            raise


def _exchange(request, outgoing, content):
    """Sends a request and waits for the whole answer. What is open is given back, inner things first."""
    try:
        with _outgoing.handle(request, None) as future:
            _write(outgoing, content)
            with future.subscribe() as pollable:
                pollable.block()
            answer = future.get()
            if not isinstance(answer, Ok):
                raise Undelivered("unknown", "no answer: the host gave none")
            if not isinstance(answer.value, Ok):
                raise answer.value
            with answer.value.value as response:
                return _answer(response)
    except Err as refused:
        raise _no_answer(refused.value) from None


def _no_answer(code):
    """What no answer means: a request that surely did not leave is tried again, one that may have is unknown."""
    says = type(code).__name__.removeprefix("ErrorCode_")
    if isinstance(code, _http.ErrorCode_HttpRequestDenied):
        says = "its host is not among those of the settings"
        return Undelivered("account", f"the request is not allowed: {says}")
    if isinstance(code, _DENIED):
        return Undelivered("account", f"the request is not allowed: {says}")
    if isinstance(code, _NOT_SENT):
        return Undelivered("retry", f"no connection: {says}")
    return Undelivered("unknown", f"no answer: {says}")


def _request(method, url, headers):
    parts = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]+)([^#]*)", url)
    if parts is None:
        raise Undelivered("account", f"`{url}` is no address like https://example.net/path")
    scheme, authority, path = parts.groups()
    if not path.startswith("/"):
        path = "/" + path
    method, scheme = method.upper(), scheme.lower()
    try:
        fields = _http.Fields.from_list([(name, str(value).encode()) for name, value in headers.items()])
        request = _http.OutgoingRequest(fields)
        request.set_method(_METHODS[method]() if method in _METHODS else _http.Method_Other(method))
        request.set_scheme(_SCHEMES[scheme]() if scheme in _SCHEMES else _http.Scheme_Other(scheme))
        request.set_authority(authority)
        request.set_path_with_query(path)
    except Err:
        raise Undelivered("account", f"`{url}` cannot be asked for by {method} with these headers") from None
    return request


def _write(outgoing, content):
    """Why a body could not be written is what the answer tells."""
    try:
        with outgoing.write() as stream:
            for place in range(0, len(content), _WRITE_BYTES_MAX):
                stream.blocking_write_and_flush(content[place : place + _WRITE_BYTES_MAX])
    except Err as refused:
        log.debug("the request was not written:", refused.value)
        with outgoing:
            return
    _http.OutgoingBody.finish(outgoing, None)


def _answer(response):
    with response.headers() as fields:
        headers = [(name.lower(), value.decode(errors="replace")) for name, value in fields.entries()]
    with response.consume() as body, body.stream() as stream:
        return Answer(response.status(), headers, _read(stream))


def _read(stream):
    """Reads to the end; the host bounds an answer."""
    content = bytearray()
    while True:
        try:
            content += stream.blocking_read(_READ_BYTES)
        except Err as ended:
            if isinstance(ended.value, _streams.StreamError_Closed):
                return bytes(content)
            raise Undelivered("unknown", "no answer: it broke off") from None


class Answer:
    """What a server answered: `status`, `headers` (names in lower case, with values) and `body`, bytes."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def ok(self):
        """Whether the status says that it was taken."""
        return 200 <= self.status < 300

    @property
    def text(self):
        """The body as text; what is no UTF-8 is replaced."""
        return self.body.decode(errors="replace")

    @property
    def json(self):
        """The body as JSON; None if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def retry_after(self):
        """The wait that `Retry-After` asks for, seconds; a date is not read."""
        seconds = (self.header("retry-after") or "").strip()
        return int(seconds) if seconds.isdecimal() else None

    def header(self, name):
        """The first header of that name, or None."""
        return next((value for own, value in self.headers if own == name.lower()), None)
