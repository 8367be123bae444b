#include "options.hpp"

#include <member/program.hpp>

#include <papilio/swarm/private_key.hpp>

#include <cstdio>
#include <string>
#include <string_view>

namespace papilio::example {

namespace {

void print_id(const public_key& key)
{
    std::printf("%s\n", to_text(key).c_str());
}

/// As logs and wire formats have it.
void print_hex(const public_key& key)
{
    for (const auto b : key.bytes) std::printf("%02x", static_cast<unsigned>(b));
    std::printf("\n");
}

/// Signs something and looks at it, so that what can be used has been used.
void check(const private_key& me)
{
    const bytes message = me.key().bytes;
    PAPILIO_CHECK(ed25519_verifier()(me.key(), message, me.sign(message)),
                  "OpenSSL must accept what it has signed");
}

int run(const id_options& o)
{
    switch (o.command) {
    case id_command::create: print_id(private_key::create(o.file).key()); break;
    case id_command::show: {
        const bool is_id = std::string_view(o.file).starts_with("pap1");
        const auto key = is_id ? parse_public_key(o.file) : private_key::load(o.file).key();
        print_id(key);
        print_hex(key);
        break;
    }
    case id_command::check: {
        const auto me = private_key::load(o.file);
        check(me);
        std::printf("%s holds a key that can be used: %s\n", o.file.c_str(),
                    to_text(me.key()).c_str());
    }
    }
    return exit_ok;
}

}  // namespace

}  // namespace papilio::example

int main(int argc, char** argv)
{
    using namespace papilio::example;
    return run_program("papilio-id", [&] { return run(parse_id_options(argc, argv)); });
}
