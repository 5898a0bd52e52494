/* andon.c: configuration, log and what else rules, functions and sinks have in common.
 *
 * The bindings in abi.c own the canonical ABI: an answer is made of memory from malloc, which they
 * free once the host has read it. What the host hands in is freed here.
 */
#include "andon_call.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The bindings ask for an object file with the types of the world. `andon plugin build` embeds the
 * types instead, so the symbol that stands for it is here. */
void __component_type_object_force_link_abi(void);
void __component_type_object_force_link_abi(void) {}

/* ---- Memory and texts ---------------------------------------------------------------------- */

void *andon_call_resize(void *memory, size_t count, size_t size) {
    void *resized = count > SIZE_MAX / size ? NULL : realloc(memory, count * size);
    if (resized == NULL) abort();
    return resized;
}

abi_string_t andon_call_print(const char *format, va_list values) {
    va_list again;
    va_copy(again, values);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    abi_string_t text = {NULL, 0};
    /* A format that cannot be written, such as a wide character that is none, says nothing. */
    if (size <= 0) return text;
    text.ptr = andon_call_resize(NULL, (size_t)size + 1, 1);
    text.len = (size_t)vsnprintf((char *)text.ptr, (size_t)size + 1, format, values);
    return text;
}

/* What the host gave, with a zero behind it. The host's memory becomes the answer's. */
char *andon_call_ended(uint8_t *bytes, size_t size) {
    /* An empty list has no memory of its own. */
    char *text = andon_call_resize(size == 0 ? NULL : bytes, size + 1, 1);
    text[size] = 0;
    return text;
}

/* ---- Declining ----------------------------------------------------------------------------- */

static struct {
    bool declined;
    abi_string_t code, message;
} reason;

void andon_call_start(void) {
    abi_string_free(&reason.code);
    abi_string_free(&reason.message);
    reason.declined = false;
}

bool andon_call_declined(void) { return reason.declined; }

bool andon_decline(const char *code, const char *message, ...) {
    /* The first reason is the one that the others follow from. */
    if (reason.declined) return false;
    reason.declined = true;
    abi_string_dup(&reason.code, code);
    va_list values;
    va_start(values, message);
    reason.message = andon_call_print(message, values);
    va_end(values);
    return false;
}

void andon_call_failure(andon_plugin_types_failure_t *failure) {
    if (!reason.declined) andon_decline("declined", "the plugin declined and did not say why");
    failure->code = reason.code;
    failure->message = reason.message;
    failure->attributes.ptr = NULL;
    failure->attributes.len = 0;
    memset(&reason, 0, sizeof reason);
}

/* ---- Configuration ------------------------------------------------------------------------- */

/* Kept until the next configuration: its text, and the decoded strings behind one another. */
static struct {
    abi_string_t text;
    char *strings, *free;
    andon_input *inputs;
    andon_config config;
} kept;

/* A string of the configuration, decoded. Decoded it is shorter than with its quotes, so a block
 * as long as the whole text holds them all. */
static const char *keep(andon_json value) {
    char *start = kept.free;
    size_t left = kept.text.len - (size_t)(start - kept.strings);
    if (!andon_json_text(value, start, left)) return "";
    kept.free += strlen(start) + 1;
    return start;
}

static void keep_inputs(andon_json inputs) {
    size_t count = 0;
    while (andon_json_item(inputs, count).at != NULL) count++;
    kept.inputs = andon_call_resize(kept.inputs, count + 1, sizeof *kept.inputs);
    for (size_t i = 0; i < count; i++) {
        andon_json input = andon_json_item(inputs, i);
        kept.inputs[i].port = keep(andon_json_member(input, "port"));
        kept.inputs[i].tag = keep(andon_json_member(input, "tag"));
        kept.inputs[i].unit = keep(andon_json_member(input, "unit"));
        kept.inputs[i].type = keep(andon_json_member(input, "type"));
    }
    kept.config.inputs = kept.inputs;
    kept.config.input_count = count;
}

static bool configure(abi_string_t text) {
    abi_string_free(&kept.text);
    kept.text = text;
    kept.strings = andon_call_resize(kept.strings, text.len + 1, 1);
    kept.free = kept.strings;
    memset(&kept.config, 0, sizeof kept.config);
    andon_json root;
    if (!andon_json_read((const char *)text.ptr, text.len, &root))
        return andon_decline("bad-configuration", "the configuration is no JSON that can be read");
    kept.config.instance = keep(andon_json_member(root, "instance"));
    kept.config.parameters = andon_json_member(root, "parameters");
    keep_inputs(andon_json_member(root, "inputs"));
    return andon_configure(&kept.config);
}

bool exports_andon_plugin_plugin_configure(abi_string_t *config,
                                           exports_andon_plugin_plugin_failure_t *failure) {
    andon_call_start();
    if (configure(*config) && !andon_call_declined()) return true;
    andon_call_failure(failure);
    return false;
}

void exports_andon_plugin_plugin_describe(abi_string_t *about) {
    abi_string_dup(about, andon_about);
}

const andon_input *andon_input_at(uint32_t index) {
    return index < kept.config.input_count ? &kept.inputs[index] : NULL;
}

bool andon_parameter_number(const andon_config *config, const char *name, double missing,
                            double *value) {
    andon_json given = andon_json_member(config->parameters, name);
    *value = missing;
    if (given.at == NULL || andon_json_number(given, value)) return true;
    return andon_decline("bad-parameter", "`%s` must be a number", name);
}

bool andon_parameter_bool(const andon_config *config, const char *name, bool missing, bool *value) {
    andon_json given = andon_json_member(config->parameters, name);
    *value = missing;
    if (given.at == NULL || andon_json_bool(given, value)) return true;
    return andon_decline("bad-parameter", "`%s` must be true or false", name);
}

bool andon_parameter_text(const andon_config *config, const char *name, const char *missing,
                          const char **value) {
    andon_json given = andon_json_member(config->parameters, name);
    *value = missing;
    if (given.at == NULL) return true;
    char *text = andon_call_resize(NULL, andon_json_size(given), 1);
    bool fits = andon_json_text(given, text, andon_json_size(given));
    free(text);
    if (!fits) return andon_decline("bad-parameter", "`%s` must be a text", name);
    *value = keep(given);
    return true;
}

/* ---- The log ------------------------------------------------------------------------------- */

void andon_log(andon_level level, const char *message, ...) {
    va_list values;
    va_start(values, message);
    abi_string_t text = andon_call_print(message, values);
    va_end(values);
    andon_plugin_log_write((andon_plugin_log_level_t)level, &text);
    abi_string_free(&text);
}

/* ---- Small things -------------------------------------------------------------------------- */

/* The first number beyond what an int64_t holds. */
#define TOO_LARGE 9223372036854775808.0

static int64_t whole(double value) {
    if (!(value > -TOO_LARGE)) return INT64_MIN;
    return value < TOO_LARGE ? (int64_t)value : INT64_MAX;
}

int64_t andon_after(int64_t time, double seconds) {
    int64_t later;
    if (!__builtin_add_overflow(time, whole(seconds * 1e9), &later)) return later;
    return seconds < 0 ? INT64_MIN : INT64_MAX;
}

int64_t andon_tenths(double value) { return whole(floor(value * 10 + 0.5)); }

const char *andon_tenths_text(int64_t tenths, char buffer[ANDON_TENTHS_SIZE]) {
    uint64_t size = tenths < 0 ? 0 - (uint64_t)tenths : (uint64_t)tenths;
    snprintf(buffer, ANDON_TENTHS_SIZE, "%s%" PRIu64 ".%d", tenths < 0 ? "-" : "", size / 10,
             (int)(size % 10));
    return buffer;
}
