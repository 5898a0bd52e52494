// Package andon is for rules and functions for Andon, in Go.
//
// A rule calls rule.Export in its init, a function calls function.Export; main stays empty. A plugin
// has no file, no network and no clock: it is handed samples and the time. Every time is in
// nanoseconds since 1970, UTC. An error that the plugin returns, or a panic, takes back everything
// that the call did, and its reason is shown to the person who configured it.
package andon

import (
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"reflect"
	"strings"

	logging "andon/bindings/andon_plugin_log"
	"andon/bindings/andon_plugin_tags"
	"andon/bindings/andon_plugin_timer"
	"andon/bindings/andon_plugin_types"
	"andon/internal/guest"
)

// Priority says how soon somebody must act.
type Priority uint8

const (
	Diagnostic = Priority(andon_plugin_types.PriorityDiagnostic)
	Low        = Priority(andon_plugin_types.PriorityLow)
	Medium     = Priority(andon_plugin_types.PriorityMedium)
	High       = Priority(andon_plugin_types.PriorityHigh)
	Critical   = Priority(andon_plugin_types.PriorityCritical)
)

// Failure is why a plugin declines: a short code, and a reason for people.
type Failure = guest.Failure

// Decline makes the error that declines a configuration or a call.
func Decline(code, format string, values ...any) error {
	return &Failure{Code: code, Message: fmt.Sprintf(format, values...)}
}

// Sample is one value of one input.
type Sample struct {
	// Input is the index into the inputs of the configuration.
	Input uint32
	// Value is in the unit of the tag; a boolean is 0 or 1; NaN for a text (see LatestText).
	Value float64
	// Quality is the OPC quality byte: 192 and above good, 64 to 191 uncertain, below 64 bad.
	Quality uint8
	// Time is when the device was read.
	Time int64
}

// IsUsable says whether a decision may rest on it: the quality is not bad and there is a number.
func (sample Sample) IsUsable() bool {
	return sample.Quality >= 64 && !math.IsNaN(sample.Value)
}

// Samples is a batch, good until the call that it came with ends.
type Samples struct{ columns andon_plugin_types.Samples }

// BatchOf is for the glue: what the host hands in, as plugins see it.
func BatchOf(columns andon_plugin_types.Samples) Samples { return Samples{columns} }

// Len is the number of samples.
func (samples Samples) Len() int { return len(samples.columns.Input) }

// All gives the samples one after another.
func (samples Samples) All() iter.Seq[Sample] {
	return func(yield func(Sample) bool) {
		columns := &samples.columns
		for row, input := range columns.Input {
			if !yield(Sample{input, columns.Value[row], columns.Quality[row], columns.Time[row]}) {
				return
			}
		}
	}
}

// Input is a tag that was bound to an input. Unit is empty if the tag has none.
type Input struct {
	Port string `json:"port"`
	Tag  string `json:"tag"`
	Unit string `json:"unit"`
	Type string `json:"type"`
}

// Config is the settings of an instance.
type Config struct {
	Instance   string                     `json:"instance"`
	Inputs     []Input                    `json:"inputs"`
	Parameters map[string]json.RawMessage `json:"parameters"`
}

// ParseConfig is for the glue: reads what the host hands in.
func ParseConfig(text string) (Config, error) {
	var config Config
	if err := json.Unmarshal([]byte(text), &config); err != nil {
		return config, Decline("bad-configuration", "the configuration cannot be read: %v", err)
	}
	return config, nil
}

// Read reads the parameters into a struct. Its fields are named by `json` tags, and keep their values
// where the settings do not name them. A value of another kind declines with "bad-parameter".
func (config Config) Read(into any) error {
	fields := reflect.ValueOf(into).Elem()
	for i := range fields.NumField() {
		name, _, _ := strings.Cut(fields.Type().Field(i).Tag.Get("json"), ",")
		given, named := config.Parameters[name]
		if !named {
			continue
		}
		field := fields.Field(i)
		// Go takes a null for "leave it as it is".
		isNull := string(given) == "null" && field.Kind() != reflect.Pointer
		if isNull || json.Unmarshal(given, field.Addr().Interface()) != nil {
			return Decline("bad-parameter", "`%s` must be %s", name, kindOf(field.Type()))
		}
	}
	return nil
}

func kindOf(kind reflect.Type) string {
	switch kind.Kind() {
	case reflect.Pointer:
		return kindOf(kind.Elem())
	case reflect.Float64, reflect.Float32:
		return "a number"
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint32, reflect.Uint64:
		return "a whole number"
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	default:
		return "a " + kind.String()
	}
}

// WakeAt asks to be called again at a time, even if no tag changes. One wake-up per instance; the
// earliest wins.
func WakeAt(time int64) { andon_plugin_timer.WakeAt(time) }

// LatestText is the latest text of a text input, and whether there is one.
func LatestText(input uint32) (string, bool) {
	text := andon_plugin_tags.Text(input)
	return text.SomeOr(""), text.IsSome()
}

// Window is the kept samples of an input since a time, oldest first.
func Window(input uint32, since int64) Samples {
	return BatchOf(andon_plugin_tags.Window(input, since))
}

// Level is the weight of a line in the log.
type Level uint8

const (
	Debug = Level(logging.LevelDebug)
	Info  = Level(logging.LevelInfo)
	Warn  = Level(logging.LevelWarn)
	Error = Level(logging.LevelError)
)

// Log writes a line to the log of the instance.
func Log(level Level, format string, values ...any) {
	logging.Write(uint8(level), fmt.Sprintf(format, values...))
}

// After is a time so many seconds after another. It never wraps: it stops at the end of time.
func After(time int64, seconds float64) int64 {
	distance := whole(seconds * 1e9)
	later := time + distance
	if distance > 0 && later < time {
		return math.MaxInt64
	}
	if distance < 0 && later > time {
		return math.MinInt64
	}
	return later
}

// Tenths is a value in whole tenths, halves rounded up.
func Tenths(value float64) int64 { return whole(math.Floor(value*10 + 0.5)) }

// TenthsText writes tenths as people read them: 925 is "92.5".
func TenthsText(tenths int64) string {
	sign, size := "", uint64(tenths)
	if tenths < 0 {
		sign, size = "-", -size
	}
	return fmt.Sprintf("%s%d.%d", sign, size/10, size%10)
}

// whole cuts a number to what an int64 holds.
func whole(value float64) int64 {
	const tooLarge = 1 << 63
	if value >= tooLarge {
		return math.MaxInt64
	}
	if !(value > -tooLarge) {
		return math.MinInt64
	}
	return int64(value)
}
