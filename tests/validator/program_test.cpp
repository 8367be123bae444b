// Validator and miners as programs that talk over loopback.

#include <validator/validator.hpp>

#include <member/program.hpp>
#include <member/program_run.hpp>
#include <trainer/safetensors_file.hpp>

#include <nlohmann/json.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <memory>
#include <set>
#include <sstream>

using namespace papilio::example;

namespace {

/// A validator, and what miners need to join it.
struct hosted_run {
    explicit hosted_run(std::vector<std::string> more = {})
        : validator(PAPILIO_VALIDATOR,
                    joined({"--data",         folder.file("text.txt", small_text(20'000)),
                            "--listen",       "127.0.0.1:0",
                            "--mesh",         "127.0.0.1:0",
                            "--address-file", folder.path() / "address",
                            "--min-group",    "1",
                            "--patience",     "20",
                            "--length",       "16",
                            "--evaluate",     "4",
                            "--probe",        "1",
                            "--threads",      "1",
                            "--scores",       folder.path() / "scores.jsonl",
                            "--summary",      folder.path() / "summary.json"},
                           more))
    {
        REQUIRE_FALSE(validator.line_with("miners join with").empty());
        address = content_of(folder.path() / "address");
        address.pop_back();
    }

    std::unique_ptr<program_run> miner(const std::string& name, std::vector<std::string> more = {})
    {
        auto arguments =
            joined(quick_training(folder), {"--rendezvous", address, "--listen", "127.0.0.1:0",
                                            "--name", name, "--checkpoint", folder.path() / name});
        return std::make_unique<program_run>(PAPILIO_MINER, joined(std::move(arguments), more));
    }

    /// Names of those whose link has been measured, says the file of scores.
    std::set<std::string> measured() const
    {
        std::set<std::string> names;
        for (const auto& line : scores())
            if (!line["up_mbit"].is_null()) names.insert(line["name"]);
        return names;
    }

    std::vector<nlohmann::json> scores() const
    {
        std::istringstream lines(content_of(folder.path() / "scores.jsonl"));
        std::vector<nlohmann::json> all;
        for (std::string line; std::getline(lines, line) && !lines.eof();)  // whole lines only
            all.push_back(nlohmann::json::parse(line));
        return all;
    }

    scratch_folder folder;
    program_run validator;
    std::string address;
};

}  // namespace

TEST_CASE("a run outlives a miner that is killed, takes in one that comes late, and ends in order",
          "[program]")
{
    hosted_run run({"--min-group", "2", "--codec", "int8b"});
    const std::vector<std::string> slower{"--inner-steps", "40"};  // leaves time to measure
    const auto ada = run.miner("ada", slower), bob = run.miner("bob", slower);
    const auto eve = run.miner("eve", slower);
    REQUIRE_FALSE(eve->line_with(" done, digest").empty());
    eve->signal(SIGKILL);
    CHECK(eve->end() == -1);

    const auto late = run.miner("late", slower);
    REQUIRE_FALSE(late->line_with("took over the state after round").empty());
    REQUIRE_FALSE(late->line_with("averaged by 3").empty());
    const std::set<std::string> living{"ada", "bob", "late"};
    while (!std::ranges::includes(run.measured(), living))
        REQUIRE_FALSE(run.validator.line_with("rounds done").empty());
    run.validator.signal(SIGUSR1);
    CHECK(run.validator.end() == exit_ok);
    std::set<std::string> digests;
    for (const auto& miner : {ada.get(), bob.get(), late.get()}) {
        CHECK(miner->end() == exit_ok);
        CHECK(mentions(miner->output(), "the run is over"));
        digests.insert(last_digest(miner->output()));
    }
    CHECK(digests.size() == 1);

    const auto summary = nlohmann::json::parse(content_of(run.folder.path() / "summary.json"));
    CHECK(summary["digest"] == *digests.begin());
    CHECK(summary["worst_ratio_to_butterfly"] < 1.05);
    std::set<std::string> scored;
    for (const auto& line : run.scores()) {
        if (line["score"] == 1) scored.insert(line["name"]);
        if (line["took_part"] == true) CHECK(line["digest_matches"] == true);
    }
    CHECK(std::ranges::includes(scored, living));
}

TEST_CASE("a miner that is told to end leaves the others to go on", "[program]")
{
    hosted_run run;
    const auto ada = run.miner("ada"), bob = run.miner("bob");
    REQUIRE_FALSE(bob->line_with("averaged by 2").empty());
    bob->signal(SIGTERM);
    CHECK(bob->end() == exit_by_signal(SIGTERM));
    CHECK(mentions(bob->output(), "ended after round"));
    REQUIRE_FALSE(ada->line_with("averaged by 1").empty());

    const auto again = run.miner("bob", {"--resume"});
    REQUIRE_FALSE(again->line_with("goes on from").empty());
    REQUIRE_FALSE(again->line_with("averaged by 2").empty());
    run.validator.signal(SIGUSR1);
    CHECK(run.validator.end() == exit_ok);
}

TEST_CASE("a run ends for everybody after the rounds it was to have", "[program]")
{
    hosted_run run({"--rounds", "3", "--check", "--codec", "none"});
    const auto ada = run.miner("ada", {"--codec", "none"});
    CHECK(run.validator.end() == exit_unmet);  // so little training learns too little
    CHECK(mentions(run.validator.output(), "shortcoming: the held-out loss"));
    CHECK(ada->end() == exit_ok);
    CHECK(mentions(ada->output(), "ended after round 3"));
}

TEST_CASE("a miner that is resumed has what it had not sent yet of its updates", "[program]")
{
    const auto codec = GENERATE(as<std::string>{}, "int4b", "topk");
    CAPTURE(codec);
    hosted_run run({"--codec", codec, "--min-group", "2"});
    const auto unsent = [&] {
        const auto kept = run.folder.path() / "ada" / "latest" / "optimizer.safetensors";
        std::vector<float> values(parameter_count(preset("demo")));
        safetensors_file(kept).read("outer.unsent", values);
        return values;
    };
    {
        const std::vector<std::string> briefly{"--codec", codec, "--rounds", "2"};
        const auto ada = run.miner("ada", briefly), bob = run.miner("bob", briefly);
        CHECK(ada->end() == exit_ok);
        CHECK(bob->end() == exit_ok);
        CHECK(last_digest(ada->output()) == last_digest(bob->output()));
    }
    const auto left = unsent();
    CHECK(std::ranges::any_of(left, [](float v) { return v != 0; }));

    // It trains on, finds nobody to average with, and keeps what it has.
    const auto again = run.miner("ada", {"--codec", codec, "--resume"});
    REQUIRE_FALSE(again->line_with("ready for round 3").empty());
    again->signal(SIGTERM);
    CHECK(again->end() == exit_by_signal(SIGTERM));
    CHECK(mentions(again->output(), "ended after round 2, step 6"));
    CHECK(unsent() == left);
    run.validator.signal(SIGUSR1);
    CHECK(run.validator.end() == exit_ok);
    const auto summary = nlohmann::json::parse(content_of(run.folder.path() / "summary.json"));
    CHECK(summary["worst_ratio_to_butterfly"] < 1.05);
}

TEST_CASE("miners outlive a validator that dies and comes back", "[program]")
{
    const scratch_folder kept;
    const std::vector<std::string> keep{"--checkpoint", kept.path(), "--resume"};
    hosted_run run(keep);
    const auto ada = run.miner("ada");
    REQUIRE_FALSE(ada->line_with("round 2 done").empty());
    run.validator.signal(SIGKILL);
    CHECK(run.validator.end() == -1);
    REQUIRE_FALSE(ada->line_with("lost the run").empty());

    const auto colon = run.address.rfind(':');
    hosted_run second(joined(keep, {"--listen", "127.0.0.1" + run.address.substr(colon)}));
    REQUIRE_FALSE(ada->line_with("joined the run").empty());
    REQUIRE_FALSE(ada->line_with(" done, digest").empty());
    CHECK(mentions(second.validator.output(), "goes on from " + kept.path().string()));
    second.validator.signal(SIGUSR1);
    CHECK(second.validator.end() == exit_ok);
    CHECK(ada->end() == exit_ok);
}

TEST_CASE("a miner comes back under its own name once the run has noticed that it was gone",
          "[program]")
{
    hosted_run run;
    const auto frozen = run.miner("ada", {"--checkpoint", run.folder.path() / "frozen"});
    REQUIRE_FALSE(frozen->line_with("joined the run").empty());
    frozen->signal(SIGSTOP);  // as if its link were lost: nothing is closed
    const auto again = run.miner("ada");
    const auto waits = again->line_with("trying again for");
    CHECK(mentions(waits, "does not take this miner yet: there is a member called \"ada\""));
    frozen->signal(SIGKILL);
    REQUIRE_FALSE(again->line_with("joined the run").empty());
    REQUIRE_FALSE(again->line_with("averaged by 1").empty());
    again->signal(SIGTERM);
    CHECK(again->end() == exit_by_signal(SIGTERM));
}

TEST_CASE("a validator that is stopped pauses the run, and its miners wait for it", "[program]")
{
    const scratch_folder kept;
    const std::vector<std::string> keep{"--checkpoint", kept.path(), "--resume"};
    hosted_run run(keep);
    const auto ada = run.miner("ada");
    REQUIRE_FALSE(ada->line_with("round 2 done").empty());
    run.validator.signal(SIGTERM);
    CHECK(run.validator.end() == exit_by_signal(SIGTERM));
    CHECK(mentions(ada->line_with("lost the run"), "the run pauses"));

    const auto colon = run.address.rfind(':');
    hosted_run second(joined(keep, {"--listen", "127.0.0.1" + run.address.substr(colon)}));
    REQUIRE_FALSE(ada->line_with("joined the run").empty());
    REQUIRE_FALSE(ada->line_with(" done, digest").empty());
    second.validator.signal(SIGUSR1);
    CHECK(second.validator.end() == exit_ok);
    CHECK(ada->end() == exit_ok);
    CHECK(mentions(ada->output(), "the run is over"));
}

TEST_CASE(
    "a validator that was told to pause ends the run when it is told that before it has paused",
    "[program]")
{
    const scratch_folder kept;
    hosted_run run({"--min-group", "2", "--log", "info", "--checkpoint", kept.path()});
    const auto ada = run.miner("ada");
    REQUIRE_FALSE(ada->line_with("ready for round 1, waiting for the others").empty());
    ada->signal(SIGSTOP);  // the round lasts
    const auto bob = run.miner("bob");
    REQUIRE_FALSE(run.validator.line_with("group called").empty());
    run.validator.signal(SIGTERM);
    const auto advice = "use kill -USR1 " + std::to_string(run.validator.pid());
    CHECK(mentions(run.validator.line_with("pausing after the current round"), advice));
    run.validator.signal(SIGUSR1);
    REQUIRE_FALSE(run.validator.line_with("ending the run for all").empty());
    ada->signal(SIGCONT);
    CHECK(run.validator.end() == exit_ok);
    for (const auto& miner : {ada.get(), bob.get()}) {
        CHECK(miner->end() == exit_ok);
        CHECK(mentions(miner->output(), "the run is over"));
    }
}

TEST_CASE("a run costs a validator that is frozen for a while at most a round", "[program]")
{
    hosted_run run;
    const auto ada = run.miner("ada");
    REQUIRE_FALSE(ada->line_with("round 1 done").empty());
    run.validator.signal(SIGSTOP);
    REQUIRE_FALSE(ada->line_with("ready for round").empty());
    run.validator.signal(SIGCONT);
    REQUIRE_FALSE(ada->line_with(" done, digest").empty());
    run.validator.signal(SIGUSR1);
    CHECK(run.validator.end() == exit_ok);
    CHECK(ada->end() == exit_ok);
}

TEST_CASE("a validator whose checkpoint is lost takes the state that its journal names from miners",
          "[program]")
{
    const scratch_folder kept;
    const std::vector<std::string> keep{"--checkpoint", kept.path(), "--resume"};
    hosted_run run(keep);
    const auto ada = run.miner("ada");
    REQUIRE_FALSE(ada->line_with("round 3 done").empty());
    run.validator.signal(SIGKILL);
    CHECK(run.validator.end() == -1);
    for (const auto& entry : std::filesystem::directory_iterator(kept.path()))
        if (entry.path().filename() != "journal") std::filesystem::remove_all(entry.path());

    const auto colon = run.address.rfind(':');
    hosted_run second(joined(keep, {"--listen", "127.0.0.1" + run.address.substr(colon)}));
    CHECK_FALSE(second.validator.line_with("and the checkpoint is of round 0").empty());
    CHECK(mentions(second.validator.output(), "--fall-back"));
    REQUIRE_FALSE(ada->line_with("joined the run").empty());
    REQUIRE_FALSE(ada->line_with(" done, digest").empty());
    CHECK_FALSE(mentions(ada->output(), "fallen back"));
    second.validator.signal(SIGUSR1);
    CHECK(second.validator.end() == exit_ok);
    CHECK(ada->end() == exit_ok);
    const auto summary = nlohmann::json::parse(content_of(second.folder.path() / "summary.json"));
    CHECK(summary["digest"] == last_digest(ada->output()));
}

TEST_CASE(
    "a validator whose journal could not be written goes on from the later state of its miners",
    "[program]")
{
    const scratch_folder kept;
    const std::vector<std::string> keep{"--checkpoint", kept.path(), "--resume"};
    hosted_run run(keep);
    const auto ada = run.miner("ada");
    REQUIRE_FALSE(ada->line_with("round 1 done").empty());
    const rlimit full_disk{1, RLIM_INFINITY};
    REQUIRE(::prlimit(run.validator.pid(), RLIMIT_FSIZE, &full_disk, nullptr) == 0);
    REQUIRE_FALSE(
        run.validator.line_with("cannot write to " + (kept.path() / "journal").string()).empty());
    REQUIRE_FALSE(ada->line_with(" done, digest").empty());
    run.validator.signal(SIGKILL);
    CHECK(run.validator.end() == -1);

    const auto colon = run.address.rfind(':');
    hosted_run second(joined(keep, {"--listen", "127.0.0.1" + run.address.substr(colon)}));
    REQUIRE_FALSE(second.validator.line_with("most of the last group hold the state").empty());
    REQUIRE_FALSE(ada->line_with("joined the run").empty());
    REQUIRE_FALSE(ada->line_with(" done, digest").empty());
    CHECK_FALSE(mentions(ada->output(), "fallen back"));
    second.validator.signal(SIGUSR1);
    CHECK(second.validator.end() == exit_ok);
    CHECK(ada->end() == exit_ok);
    const auto summary = nlohmann::json::parse(content_of(second.folder.path() / "summary.json"));
    CHECK(summary["digest"] == last_digest(ada->output()));
}

TEST_CASE("a validator that has fallen back stays so when it is killed before the next round",
          "[program]")
{
    const scratch_folder kept;
    const std::vector<std::string> keep{"--checkpoint", kept.path(), "--resume"};
    const auto journal_path = kept.path() / "journal";
    const std::string later = R"({"settled":9,"digest":"lost","members":[7],"run":"papilio"})";
    kept.file("journal", later + "\n");
    {
        hosted_run fallen(joined(keep, {"--fall-back"}));
        CHECK_FALSE(fallen.validator.line_with("though round 9 was settled").empty());
        fallen.validator.signal(SIGKILL);
        CHECK(fallen.validator.end() == -1);
    }
    CHECK(journal(journal_path, "papilio").last()->round == 0);
    hosted_run again(joined(keep, {"--rounds", "1"}));
    CHECK_FALSE(mentions(again.validator.output(), "waiting for a miner"));
    const auto ada = again.miner("ada");
    CHECK(again.validator.end() == exit_ok);
    CHECK(ada->end() == exit_ok);
}

TEST_CASE("a validator that comes back to a run that has had its rounds ends it", "[program]")
{
    const scratch_folder kept;
    const std::vector<std::string> keep{"--checkpoint", kept.path(), "--resume", "--rounds", "1"};
    {
        hosted_run run(keep);
        const auto ada = run.miner("ada");
        CHECK(run.validator.end() == exit_ok);
        CHECK(ada->end() == exit_ok);
    }
    hosted_run again(keep);
    CHECK(again.validator.end() == exit_ok);
    CHECK(journal(kept.path() / "journal", "papilio").last()->round == 1);
}

TEST_CASE("miners that nobody can dial wait for one that can be, and the run does not end",
          "[program]")
{
    hosted_run run;
    const auto hidden = run.miner("hidden", {"--listen", "none"});
    REQUIRE_FALSE(hidden->line_with("ready for round 1, waiting for the others").empty());
    const auto ada = run.miner("ada");
    REQUIRE_FALSE(hidden->line_with("averaged by 2").empty());
    run.validator.signal(SIGUSR1);
    CHECK(run.validator.end() == exit_ok);
}

TEST_CASE("a second miner with the same --peer-seed is refused by the first one's name",
          "[program]")
{
    hosted_run run;
    const auto ada = run.miner("ada", {"--peer-seed", "5"});
    REQUIRE_FALSE(ada->line_with("joined the run").empty());
    const auto twin = run.miner("bob", {"--peer-seed", "5", "--patience", "0.2"});
    CHECK(twin->end() == exit_gave_up);
    CHECK(mentions(twin->output(), "member 1 (\"ada\") has the same identity"));
}

TEST_CASE("people are told who comes, who goes and who waits", "[program]")
{
    hosted_run run({"--min-group", "2"});
    CHECK(mentions(run.validator.line_with("a round needs"), "at least 2 miners"));
    const auto ada = run.miner("ada");
    CHECK(mentions(run.validator.line_with("joined"), "miner 1 (ada) joined"));
    REQUIRE_FALSE(ada->line_with("ready for round 1, waiting for the others").empty());
    ada->signal(SIGTERM);  // it leaves in good order while it waits, too
    CHECK(ada->end() == exit_by_signal(SIGTERM));
    CHECK(mentions(run.validator.line_with("is gone"), "miner 1 (ada) is gone: it left"));
    const auto bob = run.miner("bob");
    REQUIRE_FALSE(run.validator.line_with("miner 2 (bob) joined").empty());
    bob->signal(SIGKILL);
    CHECK(
        mentions(run.validator.line_with("is gone"), "miner 2 (bob) is gone: its channel closed"));
    run.validator.signal(SIGUSR1);
    CHECK(run.validator.end() == exit_ok);
}

TEST_CASE("a validator that cannot write its scores hosts on, and says so once", "[program]")
{
    hosted_run run({"--scores", "/dev/full", "--rounds", "3"});
    const auto ada = run.miner("ada");
    CHECK(run.validator.end() == exit_ok);
    const auto& output = run.validator.output();
    const std::string words = "warning: cannot write to /dev/full: No space left on device";
    CHECK(mentions(output, words));
    CHECK(output.find(words) == output.rfind(words));
    CHECK(ada->end() == exit_ok);
}

TEST_CASE("a validator whose checkpoints cannot be written says so before it begins", "[program]")
{
    const scratch_folder folder;
    program_run validator(PAPILIO_VALIDATOR,
                          {"--data", folder.file("text.txt", small_text(20'000)), "--listen",
                           "127.0.0.1:0", "--mesh", "127.0.0.1:0", "--checkpoint", "/proc/x"});
    CHECK(validator.end() == exit_failure);
    CHECK(mentions(validator.output(), "cannot create the folder /proc/x"));
}

TEST_CASE("a validator whose data shrinks hosts on without evaluating", "[program]")
{
    const scratch_folder of_validator;
    const auto held_out = of_validator.file("more.txt", small_text(20'000));
    hosted_run run({"--data", held_out});
    const auto ada = run.miner("ada");
    REQUIRE_FALSE(ada->line_with("round 1 done").empty());
    std::filesystem::resize_file(held_out, 10);
    const auto told = run.validator.line_with("is not evaluated");
    CHECK(mentions(told, "has shrunk to 10 bytes"));
    for (int i = 0; i < 3; ++i) REQUIRE_FALSE(ada->line_with(" done, digest").empty());
    run.validator.signal(SIGUSR1);
    CHECK(run.validator.end() == exit_ok);
    CHECK(ada->end() == exit_ok);
}

TEST_CASE("a validator evaluates for no more than its share, and always what the run came to",
          "[program]")
{
    hosted_run run({"--rounds", "3", "--evaluate-share", "1e-9"});
    const auto ada = run.miner("ada");
    CHECK(run.validator.end() == exit_ok);
    CHECK(ada->end() == exit_ok);
    const auto scores = run.scores();
    CHECK(scores.size() == 3);
    for (const auto& line : scores) CHECK(line["held_out_loss"].is_null());
    const auto summary = nlohmann::json::parse(content_of(run.folder.path() / "summary.json"));
    CHECK(summary["evaluated_rounds"] == 1);
    CHECK(summary["evaluated_sequences"] == 4);
    CHECK(summary["held_out_loss_last"] != summary["held_out_loss_first"]);
    CHECK(mentions(run.validator.output(), "of 4 sequences after round 0"));
}

TEST_CASE("a run begins with the weights that its validator was given", "[program]")
{
    hosted_run made;
    program_run alone(PAPILIO_MINER, joined(quick_training(made.folder),
                                            {"--alone", "--rounds", "1", "--checkpoint",
                                             made.folder.path() / "kept"}));
    REQUIRE(alone.end() == exit_ok);
    hosted_run run({"--init", made.folder.path() / "kept" / "latest", "--rounds", "2"});
    const auto ada = run.miner("ada");
    REQUIRE_FALSE(ada->line_with("took over the state after round 0").empty());
    CHECK(run.validator.end() == exit_ok);
    CHECK(ada->end() == exit_ok);
    const auto summary = nlohmann::json::parse(content_of(run.folder.path() / "summary.json"));
    CHECK(summary["digest"] == last_digest(ada->output()));
    made.validator.signal(SIGUSR1);
    CHECK(made.validator.end() == exit_ok);
}

TEST_CASE("a validator that listens anywhere tells what miners need", "[program]")
{
    hosted_run run({"--listen", "[::]:0", "--mesh", "[::]:0"});
    CHECK(mentions(run.validator.output(), "--rendezvous HOST:"));
    CHECK_FALSE(mentions(run.validator.output(), "--rendezvous 127"));
    CHECK_FALSE(run.validator.line_with("HOST is the address of this machine").empty());
    CHECK(mentions(run.address, "127.0.0.1:"));
    run.validator.signal(SIGUSR1);
    CHECK(run.validator.end() == exit_ok);
}

TEST_CASE("a validator that is told to end before it has begun ends in order", "[program]")
{
    for (int i = 0; i < 10; ++i) {
        hosted_run run;
        run.validator.signal(SIGUSR1);
        CHECK(run.validator.end() == exit_ok);
    }
}

TEST_CASE("a validator that keeps nothing ends its run when it is stopped", "[program]")
{
    hosted_run run;
    const auto ada = run.miner("ada");
    REQUIRE_FALSE(ada->line_with("joined the run").empty());
    run.validator.signal(SIGTERM);
    CHECK(run.validator.end() == exit_ok);
    CHECK(mentions(run.validator.output(), "ending the run for all"));
    CHECK(mentions(run.validator.output(), "--checkpoint"));
    CHECK(ada->end() == exit_ok);
}

TEST_CASE("miners that cannot be dialled average with one that can", "[program]")
{
    hosted_run run({"--min-group", "3"});
    const auto ada = run.miner("ada");
    const auto bob = run.miner("bob", {"--listen", "none"});
    const auto eve = run.miner("eve", {"--listen", "none"});
    REQUIRE_FALSE(ada->line_with("averaged by 3").empty());
    REQUIRE_FALSE(bob->line_with("averaged by 3").empty());
    REQUIRE_FALSE(eve->line_with("averaged by 3").empty());
    run.validator.signal(SIGUSR1);
    CHECK(run.validator.end() == exit_ok);
}

TEST_CASE("who does not fit into a run is told why", "[program]")
{
    hosted_run run;
    const auto refused = [&](std::vector<std::string> more, const std::string& words,
                             int code = exit_refused) {
        const auto miner = run.miner("ada", std::move(more));
        CHECK(miner->end() == code);
        INFO(miner->output());
        CHECK(mentions(miner->output(), words));
    };
    refused({"--run", "other"}, R"(this is the run "papilio", not "other")");
    refused({"--codec", "f16"}, "the run has --codec int8b, this member f16");
    refused({"--preset", "demo", "--seed", "7"}, "the run has --seed 1, this member 7");
    refused({"--listen", run.address},
            "cannot listen at " + run.address + ": Address already in use", exit_failure);

    program_run second(PAPILIO_VALIDATOR, {"--data", run.folder.path() / "text.txt", "--length",
                                           "16", "--mesh", "127.0.0.1:0", "--listen", run.address});
    CHECK(second.end() == exit_failure);
    CHECK(mentions(second.output(), "cannot listen at " + run.address));
}
