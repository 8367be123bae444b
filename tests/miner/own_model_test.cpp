// A model of one's own under miner and validator: examples/own_model.cpp as processes.

#include <member/program.hpp>
#include <member/program_run.hpp>

#include <nlohmann/json.hpp>

#include <catch2/catch.hpp>

using namespace papilio::example;

namespace {

std::vector<std::string> own_miner(const std::vector<std::string>& arguments)
{
    return joined({"miner", "--inner-steps", "20", "--peer-seed", "1"}, arguments);
}

/// A validator of the model on free ports of this host, for this many rounds.
struct own_run {
    own_run(const scratch_folder& folder, const std::string& rounds)
        : validator(PAPILIO_OWN_MODEL, {"validator",
                                        "--listen",
                                        "127.0.0.1:0",
                                        "--mesh",
                                        "127.0.0.1:0",
                                        "--rounds",
                                        rounds,
                                        "--min-up",
                                        "0",
                                        "--min-down",
                                        "0",
                                        "--evaluate-share",
                                        "1",
                                        "--probe",
                                        "1",
                                        "--check",
                                        "--summary",
                                        folder.path() / "summary.json",
                                        "--checkpoint",
                                        folder.path() / "kept"})
    {
        const auto line = validator.line_with("--rendezvous ");
        const auto begin = line.find("--rendezvous ") + 13;
        address = line.substr(begin, line.find(' ', begin) - begin);
    }

    program_run validator;
    std::string address;
};

}  // namespace

TEST_CASE("a model of one's own is mined and validated: it learns, with the same digest everywhere",
          "[program]")
{
    const scratch_folder folder;
    own_run run(folder, "4");
    const auto miner = [&](const char* seed) {
        return joined(own_miner({"--rendezvous", run.address}), {"--peer-seed", seed});
    };
    program_run first(PAPILIO_OWN_MODEL, miner("1"));
    program_run second(PAPILIO_OWN_MODEL, miner("2"));
    CHECK(first.end() == exit_ok);
    CHECK(second.end() == exit_ok);
    CHECK(run.validator.end() == exit_ok);
    INFO(first.output() << run.validator.output());
    const auto digest = last_digest(first.output());
    CHECK(digest.size() == 64);
    CHECK(last_digest(second.output()) == digest);
    const auto summary = nlohmann::json::parse(content_of(folder.path() / "summary.json"));
    CHECK(summary["rounds"] == 4);
    CHECK(summary["digest"] == digest);
    CHECK(summary["held_out_loss_last"] < 0.8 * summary["held_out_loss_first"].get<double>());
    CHECK(summary["unigram_entropy"].is_null());
    CHECK(std::filesystem::exists(folder.path() / "kept" / "latest" / "model.safetensors"));
}

TEST_CASE("a miner of one's own model that is killed and resumed ends as one that never stopped",
          "[program]")
{
    const scratch_folder folder;
    const auto alone = [&](const char* kept, const char* rounds) {
        return own_miner({"--alone", "--rounds", rounds, "--checkpoint", folder.path() / kept});
    };
    program_run whole(PAPILIO_OWN_MODEL, alone("whole", "6"));
    CHECK(whole.end() == exit_ok);
    program_run killed(PAPILIO_OWN_MODEL, alone("pieces", "0"));
    killed.line_with(" done, digest");
    killed.line_with(" done, digest");
    killed.signal(SIGTERM);
    CHECK(killed.end() == exit_by_signal(SIGTERM));
    program_run rest(PAPILIO_OWN_MODEL, joined(alone("pieces", "6"), {"--resume"}));
    CHECK(rest.end() == exit_ok);
    CHECK(mentions(rest.output(), "goes on from "));
    CHECK(last_digest(rest.output()) == last_digest(whole.output()));
}

TEST_CASE("a member whose model differs is refused by the name of the option", "[program]")
{
    const scratch_folder folder;
    own_run run(folder, "1");
    program_run other(PAPILIO_OWN_MODEL, own_miner({"--rendezvous", run.address, "--width", "8"}));
    CHECK(other.end() == exit_refused);
    CHECK(mentions(other.output(), "--width"));
    run.validator.signal(SIGUSR1);
    run.validator.end();
}
