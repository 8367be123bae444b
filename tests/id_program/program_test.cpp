// papilio-id as a program: what it prints, what it ends with.

#include <member/program.hpp>
#include <member/program_run.hpp>

#include <papilio/base/public_key.hpp>

#include <string>
#include <vector>

#include <sys/stat.h>

using namespace papilio::example;

namespace {

struct id_run {
    int code = 0;
    std::string output;

    explicit id_run(std::vector<std::string> arguments)
    {
        program_run program(PAPILIO_ID, std::move(arguments));
        code = program.end();
        output = program.output();
    }

    std::string first_line() const { return output.substr(0, output.find('\n')); }
};

}  // namespace

TEST_CASE("papilio-id makes a key, shows its id and finds that it can be used", "[program]")
{
    const scratch_folder here;
    const std::string file = here.path() / "identity.pem";
    const id_run made({"create", file});
    REQUIRE(made.code == exit_ok);
    const auto id = made.first_line();
    CHECK(to_text(papilio::parse_public_key(id)) == id);

    const id_run shown({"show", file});
    CHECK(shown.code == exit_ok);
    CHECK(shown.first_line() == id);
    CHECK(id_run({"show", id}).output == shown.output);
    const id_run checked({"check", file});
    CHECK(checked.code == exit_ok);
    CHECK(mentions(checked.output, id));
}

TEST_CASE("papilio-id leaves a key alone that is there", "[program]")
{
    const scratch_folder here;
    const std::string file = here.path() / "identity.pem";
    const auto id = id_run({"create", file}).first_line();
    const id_run again({"create", file});
    CHECK(again.code == exit_failure);
    CHECK(mentions(again.output, "is left as it is: File exists"));
    CHECK(id_run({"show", file}).first_line() == id);
}

TEST_CASE("papilio-id says what is wrong with a file or an id", "[program]")
{
    const scratch_folder here;
    const auto open_to_others = here.file("open.pem", "text");
    REQUIRE(::chmod(open_to_others.c_str(), 0644) == 0);
    const id_run open({"check", open_to_others});
    CHECK(open.code == exit_failure);
    CHECK(mentions(open.output, "chmod 600 " + open_to_others));

    const id_run missing({"show", here.path() / "none.pem"});
    CHECK(missing.code == exit_failure);
    CHECK(mentions(missing.output, "No such file"));
    const id_run mistyped({"show", "pap1abc"});
    CHECK(mistyped.code == exit_failure);
    CHECK(mentions(mistyped.output, "56 letters and digits follow pap1: here they are 3"));
    CHECK(id_run({}).code == exit_usage);
    CHECK(id_run({"show"}).code == exit_usage);
    CHECK(id_run({"shwo", "x"}).code == exit_usage);
}
