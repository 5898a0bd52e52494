// Package state is what an instance remembers. The host keeps it, writes it together with the alarms
// of the same call or not at all, and has it ready again after a crash or a restart. A write that the
// host refuses makes the call decline.
package state

import (
	"strconv"

	"andon/bindings/andon_plugin_state"
	"andon/internal/guest"
)

// Get gives a value, and whether there is one.
func Get(key string) (string, bool) {
	value := andon_plugin_state.Get(key)
	return string(value.SomeOr(nil)), value.IsSome()
}

// Set remembers a value.
func Set(key, value string) {
	if result := andon_plugin_state.Set(key, []byte(value)); result.IsErr() {
		failure := result.Err()
		guest.Refuse(failure.Code, failure.Message)
	}
}

// Delete forgets a value.
func Delete(key string) { andon_plugin_state.Delete(key) }

// GetInt gives a whole number, and whether there is one.
func GetInt(key string) (int64, bool) {
	text, _ := Get(key)
	value, err := strconv.ParseInt(text, 10, 64)
	return value, err == nil
}

// SetInt remembers a whole number.
func SetInt(key string, value int64) { Set(key, strconv.FormatInt(value, 10)) }
