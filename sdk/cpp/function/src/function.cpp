// Turns the level of a tank into its volume, and smooths it.
#include <andon.hpp>

const char andon_about[] = {
#embed "about.json"
    , 0};

namespace {

// The outputs, in the order of about.json.
enum Output : uint32_t { volume, mean };

class TankVolume : public andon::Function {
  public:
    bool configure(const andon::Config &config) override {
        if (!config.read("capacity", capacity) || !config.read("seconds", seconds)) return false;
        if (!(capacity > 0))
            return andon::decline("bad-parameter", "`capacity` must be more than 0");
        return true;
    }

    bool compute(andon::FunctionCall &call) override {
        for (const andon::Sample sample : call.samples) {
            if (!sample.is_usable()) continue;
            call.set(volume, sample.value / 100 * capacity, sample.quality, sample.time);
            call.set(mean, mean_level(sample) / 100 * capacity, sample.quality, sample.time);
        }
        return true;
    }

  private:
    // The mean level of the kept samples; that of the sample itself where there is none.
    double mean_level(const andon::Sample &sample) const {
        const andon::Window kept(sample.input, andon::after(sample.time, -seconds));
        double sum = 0;
        size_t count = 0;
        for (const andon::Sample each : kept.samples()) {
            if (!each.is_usable()) continue;
            sum += each.value;
            count++;
        }
        return count == 0 ? sample.value : sum / static_cast<double>(count);
    }

    double capacity = 10, seconds = 60;
};

} // namespace

ANDON_FUNCTION(TankVolume)
