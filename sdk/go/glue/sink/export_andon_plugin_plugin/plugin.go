// Package export_andon_plugin_plugin is what the bindings of sinks call.
package export_andon_plugin_plugin

import (
	"andon/internal/guest"
	"andon/sink/bindings/andon_plugin_types"
	"andon/wit/types"
)

// Describe answers who the plugin is.
func Describe() string { return guest.Describe() }

// Configure hands the configuration to the plugin.
func Configure(config string) wit_types.Result[wit_types.Unit, andon_plugin_types.Failure] {
	answer := guest.Configure(config)
	if answer.IsOk() {
		return wit_types.Ok[wit_types.Unit, andon_plugin_types.Failure](wit_types.Unit{})
	}
	failure := answer.Err()
	return wit_types.Err[wit_types.Unit](andon_plugin_types.Failure{Code: failure.Code, Message: failure.Message})
}
