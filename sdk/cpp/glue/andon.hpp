// andon.hpp: rules and functions for Andon, in C++.
//
// A plugin is one class that derives from andon::Rule or andon::Function, and one line that exports
// it: ANDON_RULE(TankLevel) or ANDON_FUNCTION(Scale). There are no exceptions: what can go wrong
// answers false or an empty optional. All of it stands on andon.h, which may be used as well.
//
// A plugin has no file, no network and no clock: it is handed samples and `now`. Every time is in
// nanoseconds since 1970, UTC. Texts are UTF-8.
#ifndef ANDON_HPP
#define ANDON_HPP

#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "andon.h"

namespace andon {

// How soon somebody must act.
enum class Priority {
    diagnostic = ANDON_DIAGNOSTIC,
    low = ANDON_LOW,
    medium = ANDON_MEDIUM,
    high = ANDON_HIGH,
    critical = ANDON_CRITICAL,
};

enum class Level {
    debug = ANDON_DEBUG,
    info = ANDON_INFO,
    warn = ANDON_WARN,
    error = ANDON_ERROR,
};

using Attributes = std::initializer_list<std::pair<std::string, std::string>>;

// One value of one input; its fields are told in andon.h.
struct Sample : andon_sample {
    // Whether a decision may rest on it: the quality is not bad and there is a number.
    bool is_usable() const { return andon_is_usable(*this); }
};

// Samples, for `for (const andon::Sample sample : samples)`.
class Samples {
  public:
    explicit Samples(const andon_samples &columns) : columns(columns) {}

    class Iterator {
      public:
        Iterator(const andon_samples &columns, size_t row) : columns(&columns), row(row) {}
        Sample operator*() const { return Sample{andon_sample_at(columns, row)}; }
        Iterator &operator++() {
            row++;
            return *this;
        }
        bool operator!=(const Iterator &other) const { return row != other.row; }

      private:
        const andon_samples *columns;
        size_t row;
    };

    Iterator begin() const { return Iterator(columns, 0); }
    Iterator end() const { return Iterator(columns, columns.count); }
    size_t size() const { return columns.count; }
    bool empty() const { return columns.count == 0; }

  private:
    andon_samples columns;
};

// The kept samples of an input since a time, oldest first. Like a file it can be moved, not copied.
class Window {
  public:
    Window(uint32_t input, int64_t since) { andon_window(input, since, &columns); }
    Window(Window &&other) noexcept : columns(std::exchange(other.columns, {})) {}
    Window &operator=(Window &&other) noexcept {
        std::swap(columns, other.columns);
        return *this;
    }
    ~Window() { andon_window_free(&columns); }

    Samples samples() const { return Samples(columns); }

  private:
    andon_samples columns{};
};

// A tag that was bound to an input; `unit` is empty if it has none.
struct Input {
    std::string port, tag, unit, type;
};

// The settings of an instance.
class Config {
  public:
    explicit Config(const andon_config &config) : config(config) {
        for (size_t i = 0; i < config.input_count; i++) {
            const andon_input &input = config.inputs[i];
            bound.push_back({input.port, input.tag, input.unit, input.type});
        }
    }

    std::string instance() const { return config.instance; }
    const std::vector<Input> &inputs() const { return bound; }

    // Each reads a parameter into a variable, which keeps its value where the settings do not name
    // the parameter. A value of another kind declines with "bad-parameter" and gives false.
    bool read(const char *name, double &value) const {
        return andon_parameter_number(&config, name, value, &value);
    }
    bool read(const char *name, bool &value) const {
        return andon_parameter_bool(&config, name, value, &value);
    }
    bool read(const char *name, std::string &value) const {
        const char *text = nullptr;
        if (!andon_parameter_text(&config, name, nullptr, &text)) return false;
        if (text != nullptr) value = text;
        return true;
    }

    // The object of the parameters, for what these do not read.
    andon_json parameters() const { return config.parameters; }

  private:
    const andon_config &config;
    std::vector<Input> bound;
};

// Declines the configuration or the call, with a short code and a reason that the person who
// configured it reads. Gives false, so that it can be returned.
inline bool decline(const std::string &code, const std::string &message) {
    return andon_decline(code.c_str(), "%s", message.c_str());
}

// State: kept by the host, written together with the alarms of the same call or not at all, and
// there again after a crash or a restart. A write that the host refuses makes the call decline.
namespace state {

inline std::optional<std::string> get(const std::string &key) {
    size_t size = 0;
    std::unique_ptr<char, decltype(&std::free)> bytes(andon_state_get(key.c_str(), &size), &std::free);
    if (bytes == nullptr) return std::nullopt;
    return std::string(bytes.get(), size);
}

inline bool set(const std::string &key, const std::string &value) {
    return andon_state_set(key.c_str(), value.data(), value.size());
}

inline std::optional<int64_t> get_int(const std::string &key) {
    int64_t value = 0;
    if (!andon_state_get_int(key.c_str(), &value)) return std::nullopt;
    return value;
}

inline bool set_int(const std::string &key, int64_t value) {
    return andon_state_set_int(key.c_str(), value);
}

inline void remove(const std::string &key) { andon_state_delete(key.c_str()); }

} // namespace state

// The latest text of a text input.
inline std::optional<std::string> latest_text(uint32_t input) {
    std::unique_ptr<char, decltype(&std::free)> text(andon_text(input), &std::free);
    if (text == nullptr) return std::nullopt;
    return std::string(text.get());
}

// A line in the log of the instance.
inline void log(Level level, const std::string &line) {
    andon_log(static_cast<andon_level>(level), "%s", line.c_str());
}

// Call me again at a time, even if no tag changes. One wake-up per instance; the earliest wins.
inline void wake_at(int64_t time) { andon_wake_at(time); }

// A time so many seconds after another. Never wraps: it stops at the end of time.
inline int64_t after(int64_t time, double seconds) { return andon_after(time, seconds); }

// A value in whole tenths, halves rounded up; and tenths as people read them, 925 as "92.5".
inline int64_t tenths(double value) { return andon_tenths(value); }
inline std::string tenths_text(int64_t tenths) {
    char text[ANDON_TENTHS_SIZE];
    return andon_tenths_text(tenths, text);
}

// What a rule is handed, and what it answers with. `samples` is empty at a wake-up.
class RuleCall {
  public:
    RuleCall(int64_t now, const andon_samples &samples) : now(now), samples(samples) {}

    const int64_t now;
    const Samples samples;

    // The condition `key` holds. Raising what is raised already updates it and alerts nobody again.
    void raise(const std::string &key, Priority priority, const std::string &message,
               Attributes attributes = {}) {
        andon_raise(key.c_str(), static_cast<andon_priority>(priority), "%s", message.c_str());
        add(attributes);
    }

    // The condition no longer holds.
    void clear(const std::string &key) { andon_clear(key.c_str()); }

    // Tell people once; nothing stays active.
    void notify(const std::string &key, Priority priority, const std::string &message,
                Attributes attributes = {}) {
        andon_notify(key.c_str(), static_cast<andon_priority>(priority), "%s", message.c_str());
        add(attributes);
    }

  private:
    static void add(Attributes attributes) {
        for (const auto &[name, value] : attributes) andon_attribute(name.c_str(), value.c_str());
    }
};

// What a function is handed, and what it answers with. `samples` is empty at a wake-up.
class FunctionCall {
  public:
    FunctionCall(int64_t now, const andon_samples &samples) : now(now), samples(samples) {}

    const int64_t now;
    const Samples samples;

    // Sets an output: its index in the outputs of andon_about.
    void set(uint32_t output, double value, uint8_t quality, int64_t time) {
        andon_set(output, value, quality, time);
    }
};

// A rule. False from either declines, and takes back everything that the call did.
class Rule {
  public:
    virtual ~Rule() = default;
    // Called first: read the parameters, and your state.
    virtual bool configure(const Config &config) = 0;
    virtual bool evaluate(RuleCall &call) = 0;
};

// A function. False from either declines, and takes back everything that the call did.
class Function {
  public:
    virtual ~Function() = default;
    // Called first: read the parameters, and your state.
    virtual bool configure(const Config &config) = 0;
    virtual bool compute(FunctionCall &call) = 0;
};

} // namespace andon

#define ANDON_EXPORT_(Kind, Plugin, Call, entry, method)                                            \
    static std::unique_ptr<andon::Kind> andon_plugin_;                                              \
    bool andon_configure(const andon_config *config) {                                              \
        andon_plugin_ = std::make_unique<Plugin>();                                                 \
        return andon_plugin_->configure(andon::Config(*config));                                    \
    }                                                                                               \
    bool entry(int64_t now, const andon_samples *samples) {                                         \
        andon::Call call(now, *samples);                                                            \
        return andon_plugin_ != nullptr && andon_plugin_->method(call);                             \
    }

// Exports a class as the plugin of this component: a new object for each configuration.
#define ANDON_RULE(Plugin) ANDON_EXPORT_(Rule, Plugin, RuleCall, andon_evaluate, evaluate)
#define ANDON_FUNCTION(Plugin) ANDON_EXPORT_(Function, Plugin, FunctionCall, andon_compute, compute)

#endif
