/* andon_function.c: the answers of a function. Compile it, with function/abi.c, into functions only. */
#include "andon_call.h"

#include <stdlib.h>
#include <string.h>

/* The answer of this call so far: four columns with the same room. */
static struct {
    uint32_t *output;
    double *value;
    uint8_t *quality;
    int64_t *time;
    size_t count, room;
} answer;

static void grow(void) {
    answer.room = answer.room == 0 ? 4 : answer.room * 2;
    answer.output = andon_call_resize(answer.output, answer.room, sizeof *answer.output);
    answer.value = andon_call_resize(answer.value, answer.room, sizeof *answer.value);
    answer.quality = andon_call_resize(answer.quality, answer.room, sizeof *answer.quality);
    answer.time = andon_call_resize(answer.time, answer.room, sizeof *answer.time);
}

void andon_set(uint32_t output, double value, uint8_t quality, int64_t time) {
    if (answer.count == ANDON_ANSWERS_MAX) {
        andon_decline("too-many-values", "a call has at most %d values", ANDON_ANSWERS_MAX);
        return;
    }
    if (answer.count == answer.room) grow();
    answer.output[answer.count] = output;
    answer.value[answer.count] = value;
    answer.quality[answer.count] = quality;
    answer.time[answer.count] = time;
    answer.count++;
}

bool exports_andon_plugin_function_compute(int64_t now,
                                           exports_andon_plugin_function_samples_t *samples,
                                           exports_andon_plugin_function_samples_t *values,
                                           exports_andon_plugin_function_failure_t *failure) {
    andon_call_start();
    andon_samples batch = andon_call_samples(samples);
    bool fine = andon_compute(now, &batch) && !andon_call_declined();
    exports_andon_plugin_function_samples_free(samples);
    if (!fine) {
        /* The columns are kept for the next call. */
        answer.count = 0;
        andon_call_failure(failure);
        return false;
    }
    values->input = (abi_list_u32_t){answer.output, answer.count};
    values->value = (abi_list_f64_t){answer.value, answer.count};
    values->quality = (abi_list_u8_t){answer.quality, answer.count};
    values->time = (abi_list_s64_t){answer.time, answer.count};
    /* The bindings free an answer with something in it. */
    if (answer.count > 0) memset(&answer, 0, sizeof answer);
    return true;
}
