/* Turns the level of a tank into its volume, and smooths it. */
#include <andon.h>

const char andon_about[] = {
#embed "about.json"
    , 0};

/* The outputs, in the order of about.json. */
enum { VOLUME, MEAN };

static double capacity, seconds;

bool andon_configure(const andon_config *config) {
    if (!andon_parameter_number(config, "capacity", 10, &capacity) ||
        !andon_parameter_number(config, "seconds", 60, &seconds))
        return false;
    if (!(capacity > 0)) return andon_decline("bad-parameter", "`capacity` must be more than 0");
    return true;
}

/* The mean level of the kept samples; `level` itself where there is none. */
static double mean(uint32_t input, int64_t since, double level) {
    double sum = 0;
    size_t count = 0;
    andon_samples kept;
    andon_window(input, since, &kept);
    for (size_t row = 0; row < kept.count; row++) {
        andon_sample sample = andon_sample_at(&kept, row);
        if (!andon_is_usable(sample)) continue;
        sum += sample.value;
        count++;
    }
    andon_window_free(&kept);
    return count == 0 ? level : sum / (double)count;
}

bool andon_compute(int64_t now, const andon_samples *samples) {
    (void)now;
    for (size_t row = 0; row < samples->count; row++) {
        andon_sample sample = andon_sample_at(samples, row);
        if (!andon_is_usable(sample)) continue;
        int64_t since = andon_after(sample.time, -seconds);
        double level = mean(sample.input, since, sample.value);
        andon_set(VOLUME, sample.value / 100 * capacity, sample.quality, sample.time);
        andon_set(MEAN, level / 100 * capacity, sample.quality, sample.time);
    }
    return true;
}
