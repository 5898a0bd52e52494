/* Raises an alarm when a tank stays too full. */
#include <andon.h>
#include <stdio.h>

const char andon_about[] = {
#embed "about.json"
    , 0};

/* Settings. */
static double high, deadband, delay;
static char key[256];

/* What the rule knows. The host keeps it too, so that a restart loses nothing. */
static bool raised, rising;
static int64_t since, last, count;

bool andon_configure(const andon_config *config) {
    if (!andon_parameter_number(config, "high", 90, &high) ||
        !andon_parameter_number(config, "deadband", 2, &deadband) ||
        !andon_parameter_number(config, "delay", 0, &delay))
        return false;
    if (deadband < 0) return andon_decline("bad-parameter", "`deadband` must not be negative");
    if (delay < 0) return andon_decline("bad-parameter", "`delay` must not be negative");
    if (config->input_count == 0) return andon_decline("no-input", "`level` needs a tag");
    int size = snprintf(key, sizeof key, "%s.high", config->inputs[0].tag);
    if (size >= (int)sizeof key) return andon_decline("bad-input", "the tag's name is too long");

    int64_t one = 0;
    raised = andon_state_get_int("raised", &one);
    rising = andon_state_get_int("since", &since);
    if (!andon_state_get_int("last", &last)) last = andon_tenths(high);
    if (!andon_state_get_int("count", &count)) count = 0;
    return true;
}

static void raise_alarm(void) {
    const andon_input *level = andon_input_at(0);
    const char *space = level->unit[0] == 0 ? "" : " ";
    char is[ANDON_TENTHS_SIZE], limit[ANDON_TENTHS_SIZE];
    raised = true;
    rising = false;
    count++;
    andon_state_set_int("raised", 1);
    andon_state_set_int("count", count);
    andon_state_delete("since");
    andon_raise(key, ANDON_HIGH, "%s is at %s%s%s, above %s%s%s (alarm %lld)", level->tag,
                andon_tenths_text(last, is), space, level->unit,
                andon_tenths_text(andon_tenths(high), limit), space, level->unit, (long long)count);
    andon_attribute("tag", level->tag);
}

static void judge(double value, int64_t time) {
    if (raised) {
        if (value > high - deadband) return;
        raised = false;
        andon_state_delete("raised");
        andon_clear(key);
    } else if (value <= high && rising) {
        rising = false;
        andon_state_delete("since");
    } else if (value > high && !rising) {
        rising = true;
        since = time;
        andon_state_set_int("since", since);
    }
}

static void raise_if_due(int64_t now) {
    if (rising && now >= andon_after(since, delay)) raise_alarm();
}

bool andon_evaluate(int64_t now, const andon_samples *samples) {
    for (size_t row = 0; row < samples->count; row++) {
        andon_sample sample = andon_sample_at(samples, row);
        if (!andon_is_usable(sample)) continue;
        last = andon_tenths(sample.value);
        judge(sample.value, sample.time);
        if (rising) andon_state_set_int("last", last);
        raise_if_due(sample.time);
    }
    if (samples->count == 0) raise_if_due(now);
    if (rising) andon_wake_at(andon_after(since, delay));
    return true;
}
