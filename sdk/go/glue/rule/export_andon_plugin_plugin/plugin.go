// Package export_andon_plugin_plugin is what the bindings of rules call.
package export_andon_plugin_plugin

import (
	"andon/bindings/andon_plugin_types"
	"andon/internal/guest"
	"andon/wit/types"
)

// Describe answers who the plugin is.
func Describe() string { return guest.Describe() }

// Configure hands the configuration to the plugin.
func Configure(config string) wit_types.Result[wit_types.Unit, andon_plugin_types.Failure] {
	return guest.Configure(config)
}
