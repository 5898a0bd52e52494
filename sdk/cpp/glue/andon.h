/* andon.h: rules and functions for Andon, in C. Sinks have andon_sink.h beside it.
 *
 * The first part is what you write, the rest what you may call. A plugin has no file, no network and
 * no clock: it is handed samples and `now`, and answers with alarms or derived values.
 *
 * Texts are UTF-8 and end with a zero. What a function gives as `char *` is yours to `free`; what it
 * gives as `const char *` is kept for you until andon_configure is called again. What you hand in is
 * copied. Every time is in nanoseconds since 1970, UTC.
 */
#ifndef ANDON_H
#define ANDON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "andon_json.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Samples ------------------------------------------------------------------------------- */

/* One value of one input. */
typedef struct andon_sample {
    /* Index into the inputs of the configuration. */
    uint32_t input;
    /* In the unit of the tag; a boolean is 0 or 1; NaN for a text (see andon_text). */
    double value;
    /* OPC quality byte: 192 and above good, 64 to 191 uncertain, below 64 bad. */
    uint8_t quality;
    /* When the device was read. */
    int64_t time;
} andon_sample;

/* A batch, one column per field; andon_sample_at puts a row together. */
typedef struct andon_samples {
    size_t count;
    const uint32_t *input;
    const double *value;
    const uint8_t *quality;
    const int64_t *time;
} andon_samples;

/* The sample in a row, which must be below `count`. */
static inline andon_sample andon_sample_at(const andon_samples *samples, size_t row) {
    andon_sample sample;
    sample.input = samples->input[row];
    sample.value = samples->value[row];
    sample.quality = samples->quality[row];
    sample.time = samples->time[row];
    return sample;
}

/* Whether a decision may rest on it: the quality is not bad and there is a number. */
static inline bool andon_is_usable(andon_sample sample) {
    return sample.quality >= 64 && sample.value == sample.value;
}

/* ---- Configuration ------------------------------------------------------------------------- */

/* A tag that was bound to an input. */
typedef struct andon_input {
    const char *port;
    const char *tag;
    /* Empty if the tag has none. */
    const char *unit;
    /* "bool", "f64", "text", … */
    const char *type;
} andon_input;

typedef struct andon_config {
    /* Name of this instance of the plugin. */
    const char *instance;
    size_t input_count;
    const andon_input *inputs;
    /* The object of the parameters, for what the functions below do not read. */
    andon_json parameters;
} andon_config;

/* A parameter, or `missing` where the settings do not name it. A value of another kind declines
 * with "bad-parameter" and gives false. */
bool andon_parameter_number(const andon_config *config, const char *name, double missing,
                            double *value);
bool andon_parameter_bool(const andon_config *config, const char *name, bool missing, bool *value);
bool andon_parameter_text(const andon_config *config, const char *name, const char *missing,
                          const char **value);

/* The input of an index, as it was configured; NULL if there is none. */
const andon_input *andon_input_at(uint32_t index);

/* ---- What you write ------------------------------------------------------------------------ */

/* Who the plugin is: JSON with name, version, summary, inputs, outputs and the JSON Schema of the
 * parameters. Usually `#embed "about.json"`. */
extern const char andon_about[];

/* Called first, and again in a new life of the plugin: read the parameters, and your state.
 * False declines the configuration; say why with andon_decline. */
bool andon_configure(const andon_config *config);

/* A rule: judge the samples. A batch without samples is a wake-up that andon_wake_at asked for.
 * False takes back everything that this call did; say why with andon_decline. */
bool andon_evaluate(int64_t now, const andon_samples *samples);

/* A function: derive values from the samples, with andon_set. */
bool andon_compute(int64_t now, const andon_samples *samples);

/* ---- What a call may do -------------------------------------------------------------------- */

typedef enum andon_priority {
    ANDON_DIAGNOSTIC,
    ANDON_LOW,
    ANDON_MEDIUM,
    ANDON_HIGH,
    ANDON_CRITICAL,
} andon_priority;

typedef enum andon_level { ANDON_DEBUG, ANDON_INFO, ANDON_WARN, ANDON_ERROR } andon_level;

#if defined(__GNUC__)
#define ANDON_FORMAT(text, rest) __attribute__((format(printf, text, rest)))
#else
#define ANDON_FORMAT(text, rest)
#endif

/* Rules. The condition `key` holds, and people read the message, which is written as by printf.
 * Raising what is raised already updates it and alerts nobody again. */
void andon_raise(const char *key, andon_priority priority, const char *message, ...)
    ANDON_FORMAT(3, 4);
/* Rules. The condition no longer holds. */
void andon_clear(const char *key);
/* Rules. Tell people once; nothing stays active. */
void andon_notify(const char *key, andon_priority priority, const char *message, ...)
    ANDON_FORMAT(3, 4);
/* Rules. Adds an attribute to the alarm that was raised or notified last. */
void andon_attribute(const char *name, const char *value);

/* Functions. Sets an output: its index in the outputs of andon_about. */
void andon_set(uint32_t output, double value, uint8_t quality, int64_t time);

/* Declines the configuration or the call, with a short code and a reason that the person who
 * configured it reads. Gives false, so that it can be returned. */
bool andon_decline(const char *code, const char *message, ...) ANDON_FORMAT(2, 3);

/* State: kept by the host, written together with the alarms of the same call or not at all, and
 * there again after a crash or a restart. A write that the host refuses makes the call decline. */
char *andon_state_get(const char *key, size_t *size);
bool andon_state_set(const char *key, const void *value, size_t size);
bool andon_state_get_int(const char *key, int64_t *value);
bool andon_state_set_int(const char *key, int64_t value);
void andon_state_delete(const char *key);

/* Call me again at a time, even if no tag changes. One wake-up per instance; the earliest wins. */
void andon_wake_at(int64_t time);

/* The latest text of a text input; NULL if there is none. */
char *andon_text(uint32_t input);

/* The kept samples of an input since a time, oldest first. Give them back when done. */
void andon_window(uint32_t input, int64_t since, andon_samples *samples);
void andon_window_free(andon_samples *samples);

/* A line in the log of the instance, written as by printf. */
void andon_log(andon_level level, const char *message, ...) ANDON_FORMAT(2, 3);

/* ---- Small things -------------------------------------------------------------------------- */

/* A time so many seconds after another. Never wraps: it stops at the end of time. */
int64_t andon_after(int64_t time, double seconds);

/* A value in whole tenths, halves rounded up. */
int64_t andon_tenths(double value);

/* Room for what andon_tenths_text writes. */
#define ANDON_TENTHS_SIZE 24

/* Writes tenths as people read them, 925 as "92.5", and gives the buffer. */
const char *andon_tenths_text(int64_t tenths, char buffer[ANDON_TENTHS_SIZE]);

#ifdef __cplusplus
}
#endif
#endif
