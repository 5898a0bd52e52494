// Package sink makes a plugin a sink: a way to reach people that the host lacks.
package sink

import (
	"andon"
	"andon/internal/guest"
	"andon/sink/export_andon_plugin_sink"

	// What the host calls.
	_ "andon/sink/wit_exports"
)

// Sink reaches people in a way that the host lacks.
type Sink = export_andon_plugin_sink.Sink

// Message is one message to one address, and Web the way to the network.
type (
	Message  = export_andon_plugin_sink.Message
	Occasion = export_andon_plugin_sink.Occasion
	Web      = export_andon_plugin_sink.Web
	Header   = export_andon_plugin_sink.Header
	Answer   = export_andon_plugin_sink.Answer
)

// What a message tells.
const (
	Alert    = export_andon_plugin_sink.Alert
	Resolved = export_andon_plugin_sink.Resolved
	Reply    = export_andon_plugin_sink.Reply
	Test     = export_andon_plugin_sink.Test
)

// Undelivered is a message that was not delivered, and Setback what the host shall do about it.
type (
	Undelivered = export_andon_plugin_sink.Undelivered
	Setback     = export_andon_plugin_sink.Setback
)

// What the host shall do; package export_andon_plugin_sink says what each means.
const (
	Retry      = export_andon_plugin_sink.Retry
	Throttled  = export_andon_plugin_sink.Throttled
	BadMessage = export_andon_plugin_sink.BadMessage
	BadAddress = export_andon_plugin_sink.BadAddress
	BadAccount = export_andon_plugin_sink.BadAccount
	Unknown    = export_andon_plugin_sink.Unknown
)

// NotDelivered makes the error that says why a message was not delivered.
func NotDelivered(setback Setback, format string, values ...any) error {
	return export_andon_plugin_sink.NotDelivered(setback, format, values...)
}

// ByStatus is what an answer other than a success usually means.
func ByStatus(provider string, answer *Answer, says string) error {
	return export_andon_plugin_sink.ByStatus(provider, answer, says)
}

// Export makes the component a sink; call it in an init function. `about` is JSON: name, version, summary,
// and the JSON Schema of the parameters. `configure` is called first: it reads the parameters.
func Export(about string, configure func(andon.Config) (Sink, error)) {
	guest.Export(guest.Plugin{
		About: about,
		Configure: func(text string) error {
			config, err := andon.ParseConfig(text)
			if err != nil {
				return err
			}
			sink, err := configure(config)
			if err == nil {
				export_andon_plugin_sink.Use(sink)
			}
			return err
		},
	})
}
