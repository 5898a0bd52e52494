// Raises an alarm when a tank stays too full.
#include <andon.hpp>

const char andon_about[] = {
#embed "about.json"
    , 0};

namespace {

class TankLevel : public andon::Rule {
  public:
    bool configure(const andon::Config &config) override {
        if (!config.read("high", high) || !config.read("deadband", deadband) ||
            !config.read("delay", delay))
            return false;
        if (deadband < 0) return andon::decline("bad-parameter", "`deadband` must not be negative");
        if (delay < 0) return andon::decline("bad-parameter", "`delay` must not be negative");
        if (config.inputs().empty()) return andon::decline("no-input", "`level` needs a tag");
        input = config.inputs().front();
        key = input.tag + ".high";

        raised = andon::state::get("raised").has_value();
        since = andon::state::get_int("since");
        last = andon::state::get_int("last").value_or(andon::tenths(high));
        count = andon::state::get_int("count").value_or(0);
        return true;
    }

    bool evaluate(andon::RuleCall &call) override {
        for (const andon::Sample sample : call.samples) {
            if (!sample.is_usable()) continue;
            last = andon::tenths(sample.value);
            judge(call, sample);
            if (since) andon::state::set_int("last", last);
            raise_if_due(call, sample.time);
        }
        if (call.samples.empty()) raise_if_due(call, call.now);
        if (since) andon::wake_at(andon::after(*since, delay));
        return true;
    }

  private:
    void judge(andon::RuleCall &call, const andon::Sample &sample) {
        if (raised) {
            if (sample.value > high - deadband) return;
            raised = false;
            andon::state::remove("raised");
            call.clear(key);
        } else if (sample.value <= high && since) {
            since.reset();
            andon::state::remove("since");
        } else if (sample.value > high && !since) {
            since = sample.time;
            andon::state::set_int("since", *since);
        }
    }

    void raise_if_due(andon::RuleCall &call, int64_t now) {
        if (!since || now < andon::after(*since, delay)) return;
        raised = true;
        since.reset();
        count++;
        andon::state::set_int("raised", 1);
        andon::state::set_int("count", count);
        andon::state::remove("since");
        const std::string unit = input.unit.empty() ? "" : " " + input.unit;
        call.raise(key, andon::Priority::high,
                   input.tag + " is at " + andon::tenths_text(last) + unit + ", above " +
                       andon::tenths_text(andon::tenths(high)) + unit + " (alarm " +
                       std::to_string(count) + ")",
                   {{"tag", input.tag}});
    }

    // Settings.
    double high = 90, deadband = 2, delay = 0;
    andon::Input input;
    std::string key;

    // What the rule knows. The host keeps it too, so that a restart loses nothing.
    bool raised = false;
    std::optional<int64_t> since;
    int64_t last = 0, count = 0;
};

} // namespace

ANDON_RULE(TankLevel)
