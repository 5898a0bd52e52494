// Package export_andon_plugin_sink is what the bindings of sinks call. Package sink shows it to authors.
package export_andon_plugin_sink

import (
	"errors"
	"fmt"
	"strings"

	"andon/sink/bindings/andon_plugin_sink"
	"andon/wit/types"
)

// Sink reaches people in a way that the host lacks.
type Sink interface {
	// Deliver sends one message. It gives the provider's id of it, or an empty text, where the provider
	// took it, and otherwise an Undelivered. Another error counts as Retry, or as Unknown once a request
	// is out.
	Deliver(message *Message, web *Web) (id string, err error)
}

// Occasion is what a message tells.
type Occasion string

const (
	// Alert: a condition holds, or something happened once.
	Alert Occasion = "alert"
	// Resolved: the condition is over.
	Resolved Occasion = "resolved"
	// Reply: what became of somebody's reply.
	Reply Occasion = "answer"
	// Test: somebody tries whether the channel works.
	Test Occasion = "test"
)

var occasions = [...]Occasion{Alert, Resolved, Reply, Test}

var priorities = [...]string{"diagnostic", "low", "medium", "high", "critical"}

// Message is one message to one address.
type Message struct {
	// ID names it; the same at every try, so it can serve as an idempotency key.
	ID string
	// Address is in this sink's own terms, as the settings of the contact give it.
	Address string
	// Text is complete in itself.
	Text     string
	Occasion Occasion
	// Priority is diagnostic, low, medium, high or critical.
	Priority string
	// Attempt is the number of this try, from 1.
	Attempt uint32
	// Now is the only clock; from ExpiresAt on the message is noise.
	Now, CreatedAt, ExpiresAt int64
}

// Setback is what the host shall do about a message that was not delivered.
type Setback uint8

const (
	// Retry: surely not taken; try again, each time later.
	Retry = Setback(andon_plugin_sink.SetbackRetry)
	// Throttled: the same, and asked to slow down.
	Throttled = Setback(andon_plugin_sink.SetbackThrottled)
	// BadMessage: this message will never be taken.
	BadMessage = Setback(andon_plugin_sink.SetbackMessage)
	// BadAddress: nothing will ever reach this address; the contact's next channel.
	BadAddress = Setback(andon_plugin_sink.SetbackAddress)
	// BadAccount: the account can send nothing at all; the next channel, and an alarm of the sink.
	BadAccount = Setback(andon_plugin_sink.SetbackAccount)
	// Unknown: it may or may not have been taken; what goes out next is marked as a repeat.
	Unknown = Setback(andon_plugin_sink.SetbackUnknown)
)

// Undelivered is a message that was not delivered.
type Undelivered struct {
	Setback Setback
	// Message is what a person reads: who refused, and why.
	Message string
	// After is how many seconds a provider that is Throttled asked to wait; nil where it did not say.
	After *uint32
}

func (undelivered *Undelivered) Error() string { return undelivered.Message }

// NotDelivered makes the error that says why.
func NotDelivered(setback Setback, format string, values ...any) error {
	return &Undelivered{Setback: setback, Message: fmt.Sprintf(format, values...)}
}

// ByStatus is what an answer other than a success usually means: 429 is Throttled; 401 BadAccount; 403, 404
// and 410 BadAddress; 400, 413 and 422 BadMessage; anything else Retry. `provider` names who answered.
func ByStatus(provider string, answer *Answer, says string) error {
	undelivered := Undelivered{Message: fmt.Sprintf("%s answered %d", provider, answer.Status)}
	if says != "" {
		undelivered.Message += ": " + says
	}
	switch answer.Status {
	case 429:
		undelivered.Setback, undelivered.After = Throttled, answer.retryAfter()
	case 401:
		undelivered.Setback = BadAccount
	case 403, 404, 410:
		undelivered.Setback = BadAddress
	case 400, 413, 422:
		undelivered.Setback = BadMessage
	}
	return &undelivered
}

// The sink as it was configured last.
var configured Sink

// Use makes a sink the one that is called.
func Use(sink Sink) { configured = sink }

// Deliver hands a message to the sink.
func Deliver(now int64, given andon_plugin_sink.Notification) (answer wit_types.Result[andon_plugin_sink.Receipt, andon_plugin_sink.Failure]) {
	web := &Web{}
	defer func() {
		if thrown := recover(); thrown != nil {
			answer = failed(fmt.Errorf("%v", thrown), web)
		}
	}()
	if configured == nil {
		return failed(NotDelivered(BadAccount, "the sink was called before it was configured"), web)
	}
	id, err := configured.Deliver(&Message{
		ID:        given.Id,
		Address:   given.Address,
		Text:      given.Text,
		Occasion:  occasions[given.Occasion],
		Priority:  priorities[given.Priority],
		Attempt:   given.Attempt,
		Now:       now,
		CreatedAt: given.CreatedAt,
		ExpiresAt: given.ExpiresAt,
	}, web)
	if err != nil {
		return failed(err, web)
	}
	receipt := andon_plugin_sink.Receipt{Id: wit_types.None[string]()}
	if id != "" {
		receipt.Id = wit_types.Some(readable(id))
	}
	return wit_types.Ok[andon_plugin_sink.Receipt, andon_plugin_sink.Failure](receipt)
}

// failed turns an error into an answer of the contract. Without a word, whether the message is out depends
// on what the sink asked for before.
func failed(err error, web *Web) wit_types.Result[andon_plugin_sink.Receipt, andon_plugin_sink.Failure] {
	var undelivered *Undelivered
	if !errors.As(err, &undelivered) {
		undelivered = &Undelivered{Setback: Retry, Message: err.Error()}
		if web.sent {
			undelivered.Setback = Unknown
		}
	}
	return wit_types.Err[andon_plugin_sink.Receipt](andon_plugin_sink.Failure{
		Setback: setbackOf(undelivered),
		Message: readable(undelivered.Message),
	})
}

func setbackOf(undelivered *Undelivered) andon_plugin_sink.Setback {
	switch undelivered.Setback {
	case Throttled:
		wait := wit_types.None[uint64]()
		if undelivered.After != nil {
			wait = wit_types.Some(uint64(*undelivered.After) * 1000)
		}
		return andon_plugin_sink.MakeSetbackThrottled(wait)
	case BadMessage:
		return andon_plugin_sink.MakeSetbackMessage()
	case BadAddress:
		return andon_plugin_sink.MakeSetbackAddress()
	case BadAccount:
		return andon_plugin_sink.MakeSetbackAccount()
	case Unknown:
		return andon_plugin_sink.MakeSetbackUnknown()
	default:
		return andon_plugin_sink.MakeSetbackRetry()
	}
}

// readable is a text that the host can take: a text of Go's need not be UTF-8.
func readable(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }
