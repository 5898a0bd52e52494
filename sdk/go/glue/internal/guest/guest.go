// Package guest stands between the bindings and the plugin: it holds what was exported, and makes a
// failure of every error and panic. It knows nothing of rules and functions.
package guest

import (
	"errors"
	"fmt"

	"andon/bindings/andon_plugin_types"
	"andon/wit/types"
)

// AnswersMax is the most actions or values of one call. More of them make the call decline.
const AnswersMax = 10_000

// Failure is why a plugin declines.
type Failure struct{ Code, Message string }

func (failure *Failure) Error() string { return failure.Message }

// Plugin is what was exported.
type Plugin struct {
	About     string
	Configure func(config string) error
}

// The plugin of this component.
var exported Plugin

// Why the host refused a write to the state during this call.
var refused *Failure

// Export is called once, before the host's first call.
func Export(plugin Plugin) { exported = plugin }

// Refuse makes the call decline.
func Refuse(code, message string) {
	if refused == nil {
		refused = &Failure{code, message}
	}
}

// Describe answers who the plugin is.
func Describe() string { return exported.About }

// Configure hands the configuration to the plugin.
func Configure(config string) wit_types.Result[wit_types.Unit, andon_plugin_types.Failure] {
	return Answer(func() (wit_types.Unit, error) {
		if exported.Configure == nil {
			return wit_types.Unit{}, errors.New("the plugin exports nothing: call Export in func init")
		}
		return wit_types.Unit{}, exported.Configure(config)
	})
}

// Answer does a call and turns what comes of it into an answer of the contract.
func Answer[T any](call func() (T, error)) (answer wit_types.Result[T, andon_plugin_types.Failure]) {
	refused = nil
	defer func() {
		if thrown := recover(); thrown != nil {
			answer = failed[T](&Failure{"exception", fmt.Sprint(thrown)})
		}
	}()
	value, err := call()
	if err == nil && refused != nil {
		err = refused
	}
	if err != nil {
		return failed[T](err)
	}
	return wit_types.Ok[T, andon_plugin_types.Failure](value)
}

func failed[T any](err error) wit_types.Result[T, andon_plugin_types.Failure] {
	failure := andon_plugin_types.Failure{Code: "exception", Message: err.Error()}
	var declined *Failure
	if errors.As(err, &declined) {
		failure.Code = declined.Code
	}
	return wit_types.Err[T](failure)
}
