// andon_sink.hpp: sinks for Andon, in C++: ways to reach people that the host lacks.
//
// A sink is one class that derives from andon::Sink, and one line that exports it: ANDON_SINK(Webhook).
// Requests go to the hosts of the sink's settings alone, and the host adds headers with secrets. All of it
// stands on andon_sink.h, which may be used as well; of andon.hpp a sink has the configuration,
// andon::decline and the log.
#ifndef ANDON_SINK_HPP
#define ANDON_SINK_HPP

#include <cstring>

#include "andon.hpp"
#include "andon_sink.h"

namespace andon {

// What the host shall do about a message that was not delivered; andon_sink.h says what each means.
enum class Setback {
    retry = ANDON_RETRY,
    throttled = ANDON_THROTTLED,
    message = ANDON_MESSAGE,
    address = ANDON_ADDRESS,
    account = ANDON_ACCOUNT,
    unknown = ANDON_UNKNOWN,
};

// Tells why a message was not delivered, in words for people. Gives false, so that it can be returned.
inline bool undelivered(Setback setback, const std::string &message) {
    return andon_undelivered(static_cast<andon_setback>(setback), "%s", message.c_str());
}

// One message to one address.
struct Message {
    // The same at every try, so it can serve as an idempotency key.
    std::string id;
    // In this sink's own terms, as the settings of the contact give it.
    std::string address;
    // Whole in itself.
    std::string text;
    // "alert", "resolved", "answer" or "test"; "diagnostic", "low", "medium", "high" or "critical".
    std::string occasion, priority;
    // From 1.
    uint32_t attempt;
    // `now` is the only clock.
    int64_t now, created_at, expires_at;
};

// A JSON object in the making.
class Json {
  public:
    Json() = default;
    Json(const Json &) = delete;
    Json &operator=(const Json &) = delete;
    ~Json() { andon_writer_free(&writer); }

    Json &text(const char *name, const std::string &value) {
        andon_write_text(&writer, name, value.c_str());
        return *this;
    }
    Json &number(const char *name, double value) {
        andon_write_number(&writer, name, value);
        return *this;
    }
    // The whole text; nothing can be added after it.
    std::string end() { return andon_write_end(&writer); }

  private:
    andon_writer writer{};
};

// What a server answered. Like a file it can be moved, not copied.
class Answer {
  public:
    // Posts JSON and waits for the answer. Empty: there is none, and what that means is told already.
    static std::optional<Answer> to_post(const std::string &url, const std::string &json) {
        andon_answer answer;
        if (!andon_post_json(url.c_str(), json.c_str(), &answer)) return std::nullopt;
        return Answer(answer);
    }

    // The same for any other request.
    static std::optional<Answer> to(const std::string &method, const std::string &url,
                                    const std::vector<std::pair<std::string, std::string>> &headers,
                                    const std::string &body) {
        std::vector<andon_header> list;
        for (const auto &[name, value] : headers) list.push_back({name.c_str(), value.c_str()});
        andon_answer answer;
        if (!andon_send(method.c_str(), url.c_str(), list.data(), list.size(), body.data(), body.size(),
                        &answer))
            return std::nullopt;
        return Answer(answer);
    }

    Answer(Answer &&other) noexcept : answer(std::exchange(other.answer, {})) {}
    Answer &operator=(Answer &&other) noexcept {
        std::swap(answer, other.answer);
        return *this;
    }
    ~Answer() { andon_answer_free(&answer); }

    uint16_t status() const { return answer.status; }
    // Whether the status says that it was taken: 200 to 299.
    bool ok() const { return andon_answer_ok(&answer); }
    std::string body() const { return std::string(answer.body, answer.size); }

    // The first header of that name.
    std::optional<std::string> header(const std::string &name) const {
        const char *value = andon_answer_header(&answer, name.c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    }

    // The beginning of the body as people read it.
    std::string says(size_t characters_max) const {
        std::unique_ptr<char, decltype(&std::free)> text(andon_answer_says(&answer, characters_max),
                                                         &std::free);
        return text.get();
    }

    // A text in the object that the body is, if it is JSON.
    std::optional<std::string> text(const char *name) const {
        andon_json said;
        if (!andon_json_read(answer.body, answer.size, &said)) return std::nullopt;
        const andon_json value = andon_json_member(said, name);
        if (andon_json_kind_of(value) != ANDON_JSON_TEXT) return std::nullopt;
        std::string text(andon_json_size(value), '\0');
        if (!andon_json_text(value, text.data(), text.size())) return std::nullopt;
        text.resize(std::strlen(text.c_str()));
        return text;
    }

    // Tells what an answer other than a success usually means; see andon_sink.h. Gives false.
    bool undelivered(const std::string &provider, const std::string &says) const {
        return andon_undelivered_by_status(provider.c_str(), &answer, says.c_str());
    }

  private:
    explicit Answer(const andon_answer &answer) : answer(answer) {}
    andon_answer answer{};
};

// A sink.
class Sink {
  public:
    virtual ~Sink() = default;
    // Called first: read the parameters. False declines them.
    virtual bool configure(const Config &config) = 0;
    // Sends one message. True: the provider took it. False: see andon::undelivered.
    virtual bool deliver(const Message &message) = 0;
};

// The provider's id of the message that was taken.
inline void receipt(const std::string &id) { andon_receipt(id.c_str()); }

} // namespace andon

// Exports a class as the sink of this component: a new object for each configuration.
#define ANDON_SINK(Plugin)                                                                          \
    static std::unique_ptr<andon::Sink> andon_plugin_;                                              \
    bool andon_configure(const andon_config *config) {                                              \
        andon_plugin_ = std::make_unique<Plugin>();                                                 \
        return andon_plugin_->configure(andon::Config(*config));                                    \
    }                                                                                               \
    bool andon_deliver(const andon_message *given) {                                                \
        const andon::Message message{given->id,                                                     \
                                     given->address,                                                \
                                     given->text,                                                   \
                                     andon_occasion_word(given->occasion),                          \
                                     andon_priority_word(given->priority),                          \
                                     given->attempt,                                                \
                                     given->now,                                                    \
                                     given->created_at,                                             \
                                     given->expires_at};                                            \
        return andon_plugin_ != nullptr && andon_plugin_->deliver(message);                         \
    }

#endif
