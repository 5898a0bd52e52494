/* andon_json.c: see andon_json.h.
 *
 * `skip_` functions check one piece of text and give the place behind it, or NULL if it is not what
 * it should be. The others walk over text that was checked, and use the same functions to do so.
 */
#include "andon_json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Longest number that is read, with the zero behind it. */
#define NUMBER_SIZE 64

static const char *skip_value(const char *at, const char *end, int depth);

static const char *skip_space(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) at++;
    return at;
}

static const char *skip_word(const char *at, const char *end, const char *word) {
    size_t size = strlen(word);
    if ((size_t)(end - at) < size || memcmp(at, word, size) != 0) return NULL;
    return at + size;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static const char *skip_digits(const char *at, const char *end) {
    if (at >= end || !is_digit(*at)) return NULL;
    while (at < end && is_digit(*at)) at++;
    return at;
}

static const char *skip_number(const char *at, const char *end) {
    if (at < end && *at == '-') at++;
    if (at < end && *at == '0') at++;
    else if ((at = skip_digits(at, end)) == NULL) return NULL;
    if (at < end && *at == '.' && (at = skip_digits(at + 1, end)) == NULL) return NULL;
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-')) at++;
        at = skip_digits(at, end);
    }
    return at;
}

static int hex_digit(char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* Four hexadecimal digits, or -1. */
static int32_t hex_unit(const char *at, const char *end) {
    if (end - at < 4) return -1;
    int32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0) return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static int put_utf8(int32_t point, char out[4]) {
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xC0 | (point >> 6));
        out[1] = (char)(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xE0 | (point >> 12));
        out[1] = (char)(0x80 | ((point >> 6) & 0x3F));
        out[2] = (char)(0x80 | (point & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | (point >> 18));
    out[1] = (char)(0x80 | ((point >> 12) & 0x3F));
    out[2] = (char)(0x80 | ((point >> 6) & 0x3F));
    out[3] = (char)(0x80 | (point & 0x3F));
    return 4;
}

/* The code point of `\u....`, two of them where they are halves of one; -1 if they are not. */
static int32_t unicode_escape(const char **at, const char *end) {
    int32_t point = hex_unit(*at, end);
    if (point < 0 || (point >= 0xDC00 && point <= 0xDFFF)) return -1;
    *at += 4;
    if (point < 0xD800 || point > 0xDBFF) return point;
    if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u') return -1;
    int32_t low = hex_unit(*at + 2, end);
    if (low < 0xDC00 || low > 0xDFFF) return -1;
    *at += 6;
    return 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
}

/* One character inside quotes: writes its bytes, moves on, gives how many; 0 if it is none. */
static int next_character(const char **at, const char *end, char out[4]) {
    if (*at >= end || (unsigned char)**at < 0x20) return 0;
    if (**at != '\\') {
        out[0] = *(*at)++;
        return 1;
    }
    if (end - *at < 2) return 0;
    char escaped = (*at)[1];
    *at += 2;
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *name = escaped == 0 ? NULL : strchr(names, escaped);
    if (name != NULL) {
        out[0] = meanings[name - names];
        return 1;
    }
    int32_t point = escaped == 'u' ? unicode_escape(at, end) : -1;
    return point < 0 ? 0 : put_utf8(point, out);
}

static const char *skip_text(const char *at, const char *end) {
    char ignored[4];
    at++;
    while (at < end && *at != '"')
        if (next_character(&at, end, ignored) == 0) return NULL;
    return at < end ? at + 1 : NULL;
}

/* An array, or an object: then each item is a name, a colon and a value. */
static const char *skip_items(const char *at, const char *end, int depth) {
    bool object = *at == '{';
    char close = object ? '}' : ']';
    at = skip_space(at + 1, end);
    if (at < end && *at == close) return at + 1;
    for (;;) {
        if (object) {
            if (at >= end || *at != '"' || (at = skip_text(at, end)) == NULL) return NULL;
            at = skip_space(at, end);
            if (at >= end || *at != ':') return NULL;
            at = skip_space(at + 1, end);
        }
        if ((at = skip_value(at, end, depth)) == NULL) return NULL;
        at = skip_space(at, end);
        if (at < end && *at == close) return at + 1;
        if (at >= end || *at != ',') return NULL;
        at = skip_space(at + 1, end);
    }
}

static const char *skip_value(const char *at, const char *end, int depth) {
    if (at >= end) return NULL;
    switch (*at) {
    case '{':
    case '[': return depth == 0 ? NULL : skip_items(at, end, depth - 1);
    case '"': return skip_text(at, end);
    case 't': return skip_word(at, end, "true");
    case 'f': return skip_word(at, end, "false");
    case 'n': return skip_word(at, end, "null");
    default: return skip_number(at, end);
    }
}

bool andon_json_read(const char *text, size_t size, andon_json *value) {
    const char *end = text + size;
    const char *at = skip_space(text, end);
    const char *behind = skip_value(at, end, ANDON_JSON_DEPTH_MAX);
    if (behind == NULL || skip_space(behind, end) != end) return false;
    *value = (andon_json){at, behind};
    return true;
}

andon_json_kind andon_json_kind_of(andon_json value) {
    if (value.at == NULL) return ANDON_JSON_MISSING;
    switch (*value.at) {
    case '{': return ANDON_JSON_OBJECT;
    case '[': return ANDON_JSON_ARRAY;
    case '"': return ANDON_JSON_TEXT;
    case 't':
    case 'f': return ANDON_JSON_BOOL;
    case 'n': return ANDON_JSON_NULL;
    default: return ANDON_JSON_NUMBER;
    }
}

/* Whether the text in quotes at `at` says the name. */
static bool says(const char *at, const char *end, const char *name) {
    char out[4] = {0};
    at++;
    while (*at != '"') {
        int size = next_character(&at, end, out);
        if (out[0] == 0 || strncmp(name, out, (size_t)size) != 0) return false;
        name += size;
    }
    return *name == 0;
}

andon_json andon_json_member(andon_json object, const char *name) {
    andon_json missing = {NULL, NULL};
    if (andon_json_kind_of(object) != ANDON_JSON_OBJECT) return missing;
    const char *at = skip_space(object.at + 1, object.end);
    while (*at == '"') {
        bool found = says(at, object.end, name);
        at = skip_space(skip_text(at, object.end), object.end);
        at = skip_space(at + 1, object.end);
        const char *behind = skip_value(at, object.end, ANDON_JSON_DEPTH_MAX);
        if (found) return (andon_json){at, behind};
        at = skip_space(behind, object.end);
        if (*at == ',') at = skip_space(at + 1, object.end);
    }
    return missing;
}

andon_json andon_json_item(andon_json array, size_t index) {
    andon_json missing = {NULL, NULL};
    if (andon_json_kind_of(array) != ANDON_JSON_ARRAY) return missing;
    const char *at = skip_space(array.at + 1, array.end);
    while (*at != ']') {
        const char *behind = skip_value(at, array.end, ANDON_JSON_DEPTH_MAX);
        if (index-- == 0) return (andon_json){at, behind};
        at = skip_space(behind, array.end);
        if (*at == ',') at = skip_space(at + 1, array.end);
    }
    return missing;
}

bool andon_json_bool(andon_json value, bool *result) {
    if (andon_json_kind_of(value) != ANDON_JSON_BOOL) return false;
    *result = *value.at == 't';
    return true;
}

bool andon_json_number(andon_json value, double *result) {
    char text[NUMBER_SIZE];
    size_t size = andon_json_size(value);
    if (andon_json_kind_of(value) != ANDON_JSON_NUMBER || size >= NUMBER_SIZE) return false;
    memcpy(text, value.at, size);
    text[size] = 0;
    *result = strtod(text, NULL);
    return true;
}

size_t andon_json_size(andon_json value) { return (size_t)(value.end - value.at); }

bool andon_json_text(andon_json value, char *buffer, size_t size) {
    if (andon_json_kind_of(value) != ANDON_JSON_TEXT) return false;
    const char *at = value.at + 1;
    size_t written = 0;
    while (*at != '"') {
        char out[4] = {0};
        size_t count = (size_t)next_character(&at, value.end, out);
        if (out[0] == 0 || written + count >= size) return false;
        memcpy(buffer + written, out, count);
        written += count;
    }
    if (written >= size) return false;
    buffer[written] = 0;
    return true;
}
