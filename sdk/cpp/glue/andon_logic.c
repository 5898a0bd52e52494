/* andon_logic.c: inputs, state and timer, which rules and functions have and sinks have not. */
#include "andon_call.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static abi_string_t borrowed(const char *text) {
    return (abi_string_t){(uint8_t *)text, strlen(text)};
}

andon_samples andon_call_samples(const andon_plugin_types_samples_t *samples) {
    return (andon_samples){
        .count = samples->input.len,
        .input = samples->input.ptr,
        .value = samples->value.ptr,
        .quality = samples->quality.ptr,
        .time = samples->time.ptr,
    };
}

char *andon_state_get(const char *key, size_t *size) {
    abi_string_t name = borrowed(key);
    abi_list_u8_t bytes;
    if (!andon_plugin_state_get(&name, &bytes)) return NULL;
    if (size != NULL) *size = bytes.len;
    return andon_call_ended(bytes.ptr, bytes.len);
}

bool andon_state_set(const char *key, const void *value, size_t size) {
    abi_string_t name = borrowed(key);
    abi_list_u8_t bytes = {(uint8_t *)value, size};
    andon_plugin_state_failure_t failure;
    if (andon_plugin_state_set(&name, &bytes, &failure)) return true;
    char *code = andon_call_ended(failure.code.ptr, failure.code.len);
    andon_decline(code, "%.*s", (int)failure.message.len, (const char *)failure.message.ptr);
    free(code);
    failure.code.len = 0;
    andon_plugin_state_failure_free(&failure);
    return false;
}

bool andon_state_get_int(const char *key, int64_t *value) {
    char *text = andon_state_get(key, NULL);
    if (text == NULL) return false;
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    bool whole = errno == 0 && end != text && *end == 0;
    free(text);
    if (whole) *value = number;
    return whole;
}

bool andon_state_set_int(const char *key, int64_t value) {
    char text[24];
    int size = snprintf(text, sizeof text, "%" PRId64, value);
    return andon_state_set(key, text, (size_t)size);
}

void andon_state_delete(const char *key) {
    abi_string_t name = borrowed(key);
    andon_plugin_state_delete(&name);
}

void andon_wake_at(int64_t time) { andon_plugin_timer_wake_at(time); }

char *andon_text(uint32_t input) {
    abi_string_t text;
    return andon_plugin_tags_text(input, &text) ? andon_call_ended(text.ptr, text.len) : NULL;
}

void andon_window(uint32_t input, int64_t since, andon_samples *samples) {
    andon_plugin_tags_samples_t columns;
    andon_plugin_tags_window(input, since, &columns);
    *samples = andon_call_samples(&columns);
}

void andon_window_free(andon_samples *samples) {
    if (samples->count > 0) {
        free((void *)samples->input);
        free((void *)samples->value);
        free((void *)samples->quality);
        free((void *)samples->time);
    }
    memset(samples, 0, sizeof *samples);
}
