/* andon_write.c: writes JSON, and mends UTF-8. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "andon_call.h"
#include "andon_sink.h"
#include "andon_sink_call.h"

static void put(andon_writer *object, const char *bytes, size_t size) {
    if (object->size + size > object->room) {
        object->room = (object->size + size) * 2;
        object->text = andon_call_resize(object->text, object->room, 1);
    }
    memcpy(object->text + object->size, bytes, size);
    object->size += size;
}

static void put_text(andon_writer *object, const char *text) {
    put(object, "\"", 1);
    for (; *text != 0; text++) {
        char escaped[8];
        if (*text == '"' || *text == '\\') {
            put(object, "\\", 1);
            put(object, text, 1);
        } else if ((unsigned char)*text < 0x20) {
            int size = snprintf(escaped, sizeof escaped, "\\u%04x", *text);
            put(object, escaped, (size_t)size);
        } else {
            put(object, text, 1);
        }
    }
    put(object, "\"", 1);
}

static void put_name(andon_writer *object, const char *name) {
    put(object, object->size == 0 ? "{" : ",", 1);
    put_text(object, name);
    put(object, ":", 1);
}

void andon_write_text(andon_writer *object, const char *name, const char *value) {
    put_name(object, name);
    put_text(object, value);
}

void andon_write_number(andon_writer *object, const char *name, double value) {
    char text[32];
    put_name(object, name);
    /* JSON has no other numbers. */
    int size = isfinite(value) ? snprintf(text, sizeof text, "%.17g", value)
                               : snprintf(text, sizeof text, "null");
    put(object, text, (size_t)size);
}

const char *andon_write_end(andon_writer *object) {
    if (object->size == 0) put(object, "{", 1);
    put(object, "}", 2);
    return object->text;
}

void andon_writer_free(andon_writer *object) {
    free(object->text);
    memset(object, 0, sizeof *object);
}

size_t andon_sink_sign(const char *bytes, size_t size) {
    const unsigned char *sign = (const unsigned char *)bytes;
    if (size == 0) return 0;
    if (sign[0] < 0x80) return 1;
    size_t length = sign[0] >= 0xf0 ? 4 : sign[0] >= 0xe0 ? 3 : 2;
    if (sign[0] < 0xc2 || sign[0] > 0xf4 || length > size) return 0;
    for (size_t i = 1; i < length; i++)
        if ((sign[i] & 0xc0) != 0x80) return 0;
    /* Too long a form of a sign, half a pair of surrogates, or beyond the last one. */
    if ((sign[0] == 0xe0 && sign[1] < 0xa0) || (sign[0] == 0xed && sign[1] > 0x9f) ||
        (sign[0] == 0xf0 && sign[1] < 0x90) || (sign[0] == 0xf4 && sign[1] > 0x8f))
        return 0;
    return length;
}

char *andon_sink_utf8(const char *bytes, size_t size) {
    static const char unreadable[] = "\xef\xbf\xbd";
    char *text = andon_call_resize(NULL, size + 1, 3), *end = text;
    for (size_t at = 0; at < size && bytes[at] != 0;) {
        size_t length = andon_sink_sign(bytes + at, size - at);
        memcpy(end, length == 0 ? unreadable : bytes + at, length == 0 ? 3 : length);
        end += length == 0 ? 3 : length;
        at += length == 0 ? 1 : length;
    }
    *end = 0;
    return text;
}
