package export_andon_plugin_sink

import (
	"encoding/json"
	"strconv"
	"strings"

	"andon"
	"andon/sink/bindings/wasi_http_outgoing_handler"
	"andon/sink/bindings/wasi_http_types"
	"andon/sink/bindings/wasi_io_streams"
	"andon/wit/types"
)

const (
	// Bytes that one write of a body may have.
	writeBytesMax = 4096
	// Bytes that are asked for in one read.
	readBytes = 65536
)

// Web is the world outside of a sink. Requests go to the hosts of the sink's settings alone, and the host
// adds headers with secrets. Redirects are answers. A body has at most 1 MiB, either way.
type Web struct {
	// Whether something may have left.
	sent bool
}

// Header is a name with its value.
type Header struct{ Name, Value string }

// Answer is what a server answered. Names of headers are in lower case.
type Answer struct {
	Status  uint16
	Headers []Header
	Body    []byte
}

// OK says whether the status says that it was taken: 200 to 299.
func (answer *Answer) OK() bool { return answer.Status >= 200 && answer.Status < 300 }

// Header is the first header of that name, or an empty text.
func (answer *Answer) Header(name string) string {
	for _, header := range answer.Headers {
		if header.Name == strings.ToLower(name) {
			return header.Value
		}
	}
	return ""
}

// Says is the beginning of the body as people read it.
func (answer *Answer) Says(charactersMax int) string {
	text := []rune(strings.TrimSpace(readable(string(answer.Body))))
	return string(text[:min(len(text), charactersMax)])
}

func (answer *Answer) retryAfter() *uint32 {
	seconds, err := strconv.ParseUint(strings.TrimSpace(answer.Header("retry-after")), 10, 32)
	if err != nil {
		return nil
	}
	wait := uint32(seconds)
	return &wait
}

// PostJSON posts a value as JSON.
func (web *Web) PostJSON(url string, value any) (*Answer, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return nil, NotDelivered(BadMessage, "the message cannot be written as JSON: %v", err)
	}
	return web.Send("POST", url, []Header{{"content-type", "application/json"}}, body)
}

// Send sends a request and waits for the whole answer. An error is an Undelivered that says what it means
// that there is none.
func (web *Web) Send(method, url string, headers []Header, body []byte) (*Answer, error) {
	request, place, err := prepare(method, url, headers)
	if err != nil {
		return nil, err
	}
	// From here on the request may be on its way.
	web.sent = true
	none := wit_types.None[*wasi_http_types.RequestOptions]()
	handled := wasi_http_outgoing_handler.Handle(request, none)
	if handled.IsErr() {
		place.Drop()
		return nil, web.refused(handled.Err())
	}
	future := handled.Ok()
	defer future.Drop()
	write(place, body)
	pollable := future.Subscribe()
	pollable.Block()
	pollable.Drop()
	answer := future.Get()
	if answer.IsNone() || answer.Some().IsErr() {
		return nil, NotDelivered(Unknown, "no answer: the host gave none")
	}
	if response := answer.Some().Ok(); response.IsErr() {
		return nil, web.refused(response.Err())
	} else {
		return read(response.Ok())
	}
}

// refused is what no answer means: a request that surely did not leave is tried again, one that may have is
// unknown, and one that the settings do not allow is a matter of the account.
func (web *Web) refused(code wasi_http_types.ErrorCode) error {
	web.sent = false
	switch tag := code.Tag(); tag {
	case wasi_http_types.ErrorCodeHttpRequestDenied:
		return NotDelivered(BadAccount, "the request is not allowed: its host is not among those of the settings")
	case wasi_http_types.ErrorCodeConfigurationError, wasi_http_types.ErrorCodeHttpRequestBodySize,
		wasi_http_types.ErrorCodeHttpRequestMethodInvalid, wasi_http_types.ErrorCodeHttpRequestUriInvalid,
		wasi_http_types.ErrorCodeHttpRequestUriTooLong, wasi_http_types.ErrorCodeHttpRequestHeaderSectionSize,
		wasi_http_types.ErrorCodeHttpRequestHeaderSize, wasi_http_types.ErrorCodeDestinationIpProhibited:
		return NotDelivered(BadAccount, "the request is not allowed: code %d", tag)
	case wasi_http_types.ErrorCodeConnectionRefused, wasi_http_types.ErrorCodeDnsTimeout,
		wasi_http_types.ErrorCodeDnsError, wasi_http_types.ErrorCodeDestinationNotFound,
		wasi_http_types.ErrorCodeDestinationUnavailable, wasi_http_types.ErrorCodeDestinationIpUnroutable,
		wasi_http_types.ErrorCodeConnectionLimitReached, wasi_http_types.ErrorCodeTlsCertificateError:
		return NotDelivered(Retry, "no connection: code %d", tag)
	default:
		web.sent = true
		return NotDelivered(Unknown, "no answer: code %d", tag)
	}
}

// prepare makes a request with a place for its body.
func prepare(method, url string, headers []Header) (*wasi_http_types.OutgoingRequest, *wasi_http_types.OutgoingBody, error) {
	list := make([]wit_types.Tuple2[string, []uint8], 0, len(headers))
	for _, header := range headers {
		list = append(list, wit_types.Tuple2[string, []uint8]{F0: header.Name, F1: []byte(header.Value)})
	}
	fields := wasi_http_types.FieldsFromList(list)
	if fields.IsErr() {
		return nil, nil, NotDelivered(BadAccount, "a header cannot be sent")
	}
	scheme, rest, found := strings.Cut(url, "://")
	rest, _, _ = strings.Cut(rest, "#")
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	authority, path := rest[:end], rest[end:]
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	request := wasi_http_types.MakeOutgoingRequest(fields.Ok())
	if found && authority != "" &&
		request.SetMethod(methodOf(method)).IsOk() &&
		request.SetScheme(wit_types.Some(schemeOf(scheme))).IsOk() &&
		request.SetAuthority(wit_types.Some(authority)).IsOk() &&
		request.SetPathWithQuery(wit_types.Some(path)).IsOk() {
		if body := request.Body(); body.IsOk() {
			return request, body.Ok(), nil
		}
	}
	request.Drop()
	return nil, nil, NotDelivered(BadAccount, "`%s` is no address like https://example.net/path", url)
}

func methodOf(name string) wasi_http_types.Method {
	switch name {
	case "GET":
		return wasi_http_types.MakeMethodGet()
	case "POST":
		return wasi_http_types.MakeMethodPost()
	case "PUT":
		return wasi_http_types.MakeMethodPut()
	case "DELETE":
		return wasi_http_types.MakeMethodDelete()
	default:
		return wasi_http_types.MakeMethodOther(name)
	}
}

func schemeOf(name string) wasi_http_types.Scheme {
	switch strings.ToLower(name) {
	case "http":
		return wasi_http_types.MakeSchemeHttp()
	case "https":
		return wasi_http_types.MakeSchemeHttps()
	default:
		return wasi_http_types.MakeSchemeOther(name)
	}
}

// write hands over the body. Why it could not be written is what the answer tells.
func write(place *wasi_http_types.OutgoingBody, body []byte) {
	opened := place.Write()
	if opened.IsErr() {
		place.Drop()
		return
	}
	stream, fine := opened.Ok(), true
	for len(body) > 0 && fine {
		size := min(len(body), writeBytesMax)
		fine = stream.BlockingWriteAndFlush(body[:size]).IsOk()
		body = body[size:]
	}
	stream.Drop()
	if fine {
		wasi_http_types.OutgoingBodyFinish(place, wit_types.None[*wasi_http_types.Fields]())
	} else {
		andon.Log(andon.Debug, "the request was not written")
		place.Drop()
	}
}

// read reads the whole answer; the host bounds it.
func read(response *wasi_http_types.IncomingResponse) (*Answer, error) {
	defer response.Drop()
	answer := &Answer{Status: response.Status()}
	fields := response.Headers()
	for _, entry := range fields.Entries() {
		answer.Headers = append(answer.Headers, Header{strings.ToLower(entry.F0), readable(string(entry.F1))})
	}
	fields.Drop()
	consumed := response.Consume()
	if consumed.IsErr() {
		return nil, NotDelivered(Unknown, "no answer: it has no body")
	}
	body := consumed.Ok()
	defer body.Drop()
	opened := body.Stream()
	if opened.IsErr() {
		return nil, NotDelivered(Unknown, "no answer: it has no body")
	}
	stream := opened.Ok()
	defer stream.Drop()
	for {
		piece := stream.BlockingRead(readBytes)
		if piece.IsOk() {
			answer.Body = append(answer.Body, piece.Ok()...)
		} else if ended := piece.Err(); ended.Tag() == wasi_io_streams.StreamErrorClosed {
			return answer, nil
		} else {
			ended.LastOperationFailed().Drop()
			return nil, NotDelivered(Unknown, "no answer: it broke off")
		}
	}
}
