#include "options.hpp"

#include <member/command_line.hpp>

#include <CLI/CLI.hpp>

namespace papilio::example {

namespace {

constexpr const char* about =
    "Makes the keys by which peers prove who they are, and shows their ids. A key is an ed25519 "
    "private key in a file that only its user may read; its id is what others may know of it.";

constexpr const char* examples = R"(
Examples:
  A key for a machine, and its id, to be given to whoever lets it in
    papilio-id create identity.pem
  The id of a key that is there, as another program has made it with
  openssl genpkey -algorithm ed25519
    papilio-id show identity.pem

Exit code: 0 on success; 1 where a file is no key that may be used, with the reason; 2 for invalid
options.)";

}  // namespace

id_options parse_id_options(int argc, const char* const* argv)
{
    id_options o;
    CLI::App app(about, "papilio-id");
    app.footer(examples);
    app.require_subcommand(1);
    const auto add = [&](const char* name, const char* what, const char* argument,
                         const char* of_argument, id_command command) {
        auto* sub = app.add_subcommand(name, what);
        sub->add_option(argument, o.file, of_argument)->required();
        sub->callback([&o, command] { o.command = command; });
    };
    add("create", "makes a new key in FILE, which must not be there yet, and prints its id", "FILE",
        "where the key is to lie", id_command::create);
    add("show", "prints the id of the key in FILE, or the parts of an id", "FILE|ID",
        "a key's file, or an id", id_command::show);
    add("check", "says whether FILE holds a key that can be used", "FILE", "a key's file",
        id_command::check);
    read_command_line(app, argc, argv);
    return o;
}

}  // namespace papilio::example
