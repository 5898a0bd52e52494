// Posts each message as JSON to the address of the contact.
#include <andon_sink.hpp>

const char andon_about[] = {
#embed "about.json"
    , 0};

namespace {

// The longest piece of an answer that is told to people, characters.
constexpr size_t says_characters_max = 200;

class Webhook : public andon::Sink {
  public:
    bool configure(const andon::Config &config) override { return config.read("title", title); }

    bool deliver(const andon::Message &message) override {
        const std::string &address = message.address;
        if (!address.starts_with("https://") && !address.starts_with("http://"))
            return andon::undelivered(andon::Setback::address,
                                      "`" + address + "` is no address like https://example.net/path");
        andon::Json body;
        body.text("id", message.id)
            .text("title", title)
            .text("text", message.text)
            .text("occasion", message.occasion)
            .text("priority", message.priority)
            .number("attempt", message.attempt);
        const auto answer = andon::Answer::to_post(address, body.end());
        if (!answer) return false;
        if (!answer->ok()) return answer->undelivered("the webhook", answer->says(says_characters_max));
        if (const auto id = answer->text("id")) andon::receipt(*id);
        return true;
    }

  private:
    std::string title = "Andon";
};

} // namespace

ANDON_SINK(Webhook)
