// Package export_andon_plugin_function is what the bindings of functions call. Package function shows
// it to authors.
package export_andon_plugin_function

import (
	"errors"
	"fmt"

	"andon"
	"andon/bindings/andon_plugin_types"
	"andon/internal/guest"
	"andon/wit/types"
)

// Function derives values from samples.
type Function interface {
	// Compute is called with what is new, and at wake-ups. An error takes back what the call did.
	Compute(call *Call) error
}

// Call is one computation: what is new, and what comes of it.
type Call struct {
	// Now is the only clock.
	Now int64
	// Samples is what is new; nothing at a wake-up that andon.WakeAt asked for.
	Samples andon.Samples

	values andon_plugin_types.Samples
}

// Set sets an output; Input is its index in the outputs of `about`.
func (call *Call) Set(output andon.Sample) {
	values := &call.values
	if len(values.Input) == guest.AnswersMax {
		guest.Refuse("too-many-values", fmt.Sprintf("a call has at most %d values", guest.AnswersMax))
		return
	}
	values.Input = append(values.Input, output.Input)
	values.Value = append(values.Value, output.Value)
	values.Quality = append(values.Quality, output.Quality)
	values.Time = append(values.Time, output.Time)
}

// The function as it was configured last.
var configured Function

// Use makes a function the one that is called.
func Use(function Function) { configured = function }

// Compute hands samples to the function.
func Compute(now int64, samples andon_plugin_types.Samples) wit_types.Result[andon_plugin_types.Samples, andon_plugin_types.Failure] {
	return guest.Answer(func() (andon_plugin_types.Samples, error) {
		if configured == nil {
			return andon_plugin_types.Samples{}, errors.New("the function was called before it was configured")
		}
		call := Call{Now: now, Samples: andon.BatchOf(samples)}
		err := configured.Compute(&call)
		return call.values, err
	})
}
