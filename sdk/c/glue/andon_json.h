/* andon_json.h: read the JSON of a configuration.
 *
 * A value is a view into a text that was checked once by andon_json_read, so that everything after
 * it may trust the text. Nothing is allocated. Bounds: ANDON_JSON_DEPTH_MAX levels, numbers of at most 63 characters. A value that is not there, or of another kind, is
 * told by the answer and is never an error of the program.
 */
#ifndef ANDON_JSON_H
#define ANDON_JSON_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Deepest nesting that is read. */
#define ANDON_JSON_DEPTH_MAX 32

typedef enum andon_json_kind {
    ANDON_JSON_MISSING,
    ANDON_JSON_NULL,
    ANDON_JSON_BOOL,
    ANDON_JSON_NUMBER,
    ANDON_JSON_TEXT,
    ANDON_JSON_ARRAY,
    ANDON_JSON_OBJECT,
} andon_json_kind;

/* A value inside a text that somebody else keeps. */
typedef struct andon_json {
    const char *at;
    const char *end;
} andon_json;

/* Checks a text and gives its value. False: it is not JSON, or nested too deeply. */
bool andon_json_read(const char *text, size_t size, andon_json *value);

andon_json_kind andon_json_kind_of(andon_json value);

/* The member of an object; missing if there is none, or if it is no object. */
andon_json andon_json_member(andon_json object, const char *name);

/* The item of an array; missing past its end, or if it is no array. */
andon_json andon_json_item(andon_json array, size_t index);

/* Each is false if the value is of another kind. */
bool andon_json_bool(andon_json value, bool *result);
bool andon_json_number(andon_json value, double *result);

/* Writes the text and a zero. False too if it holds a zero itself or does not fit. A buffer of
 * andon_json_size(value) bytes is always large enough. */
bool andon_json_text(andon_json value, char *buffer, size_t size);
size_t andon_json_size(andon_json value);

#ifdef __cplusplus
}
#endif
#endif
