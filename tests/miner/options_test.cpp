#include <miner/options.hpp>

#include <trainer/gpt2_model.hpp>
#include <trainer/support.hpp>

#include <CLI/CLI.hpp>

#include <catch2/catch.hpp>

using namespace papilio::example;

namespace {

/// The options of a miner, and those of its model.
struct all_options : miner_options, gpt2_options {};

all_options parsed(std::vector<const char*> arguments)
{
    arguments.insert(arguments.begin(), "papilio-miner");
    gpt2_model gpt2(gpt2_model::user::miner);
    const auto own =
        parse_miner_options(static_cast<int>(arguments.size()), arguments.data(), gpt2);
    return {own, gpt2.options()};
}

std::string refusal(std::vector<const char*> arguments)
{
    try {
        parsed(std::move(arguments));
    } catch (const CLI::Error& why) {
        return why.what();
    }
    return {};
}

}  // namespace

TEST_CASE("a preset fills in what is not given", "[miner]")
{
    const auto demo = parsed({"--alone", "--data", "x"});
    CHECK(demo.inner_steps == 20);
    CHECK(demo.rate.peak == 1e-3);
    CHECK(demo.accumulation == 1);
    const auto large = parsed({"--alone", "--data", "x", "--preset", "gpt2-124m", "--batch", "2"});
    CHECK(large.inner_steps == 500);
    CHECK(large.rate.peak == 4e-4);
    CHECK(large.rate.warm_up == 1000);
    CHECK(large.batch == 2);
    const auto none = parsed({"--alone", "--data", "x", "--warm-up", "0", "--inner-steps", "0"});
    CHECK(none.rate.warm_up == 0);
    CHECK(none.inner_steps == 20);
}

TEST_CASE("options come from a file as well, and the command line has the last word", "[miner]")
{
    const scratch_folder folder;
    const auto file = folder.file("miner.ini",
                                  "data = a.txt b.txt\nrendezvous = 10.0.0.1:5400\n"
                                  "inner-steps = 7\nbatch = 3\ncodec = bf16\n");
    const auto o = parsed({"--config", file.c_str(), "--batch", "5"});
    CHECK(o.data == std::vector<std::string>{"a.txt", "b.txt"});
    CHECK(o.rendezvous == "10.0.0.1:5400");
    CHECK(o.inner_steps == 7);
    CHECK(o.batch == 5);
    CHECK(o.run.codec == round_codec::bf16);
    CHECK(o.run.outer.rate == 0.7f);
}

TEST_CASE("a name in a file that is no option's is refused with the nearest one", "[miner]")
{
    const scratch_folder folder;
    const auto refused = [&](const char* content) {
        const auto file = folder.file("miner.ini", content);
        return refusal({"--alone", "--data", "x", "--config", file.c_str()});
    };
    CHECK(refused("batch = 4\nlr = 0.1\n").empty());
    CHECK(refused("batchh = 4\n") == (folder.path() / "miner.ini").string() +
                                         " sets 'batchh', which is no option; the nearest is "
                                         "'batch'");
    CHECK(mentions(refused("inner_steps = 4\n"), "the nearest is 'inner-steps'"));
    CHECK(mentions(refused("[training]\nbatch = 4\n"), "'training."));
    CHECK(mentions(refused("batch 4\n"), "'batch 4'"));
    CHECK(mentions(refused("config = other.ini\n"), "config"));
}

TEST_CASE("a codec goes by the name that a miner calls it", "[miner]")
{
    for (const auto codec : {round_codec::none, round_codec::f16, round_codec::bf16,
                             round_codec::int8b, round_codec::int4b, round_codec::topk}) {
        const std::string text(name(codec));
        CHECK(parsed({"--alone", "--data", "x", "--codec", text.c_str()}).run.codec == codec);
    }
}

TEST_CASE("the library's events are printed only on demand", "[miner]")
{
    CHECK(parsed({"--alone", "--data", "x"}).run.log == "off");
    for (const char* level : {"off", "warning", "info", "debug"})
        CHECK(parsed({"--alone", "--data", "x", "--log", level}).run.log == level);
}

TEST_CASE("options that make no sense are refused by a sentence", "[miner]")
{
    CHECK(mentions(refusal({"--data", "x"}), "--rendezvous"));
    CHECK(mentions(refusal({"--alone"}), "--data"));
    CHECK(mentions(refusal({"--alone", "--data", "x", "--rendezvous", "a:1"}), "--alone"));
    CHECK(mentions(refusal({"--alone", "--data", "x", "--codec", "zip"}), "--codec"));
    CHECK(mentions(refusal({"--alone", "--data", "x", "--preset", "gpt5"}), "--preset"));
    CHECK(mentions(refusal({"--alone", "--data", "x", "--batch", "0"}), "--batch"));
    CHECK(mentions(refusal({"--alone", "--data", "x", "--resume"}), "--checkpoint"));
    CHECK(refusal({"--alone", "--data", "x", "--bach", "4"}) ==
          "--bach: is no option; the nearest is --batch");
    CHECK(mentions(refusal({"--alone", "--data", "x", "--seed", "1", "2"}), "'2'"));
    const auto refuses = [](const char* option, const char* value, const char* words) {
        const auto why = refusal({"--alone", "--data", "x", option, value});
        INFO(why);
        CHECK(mentions(why, option));
        CHECK(mentions(why, words));
        CHECK(why.size() < 150);
    };
    refuses("--listen", "foo", "'foo' is no address");
    refuses("--listen", "127.0.0.1:99999", "is no address");
    refuses("--announce", "10.0.0.1:0", "names no port");
    refuses("--held-out", "0", "above 0");
    refuses("--batch", "0", "above 0");
    refuses("--minutes", "inf", "from 0 to");
    refuses("--name", "bad\xff", "UTF-8");
    refuses("--codec", "int3b", "must be one of none, f16, bf16, int8b, int4b, topk, not 'int3b'");
    refuses("--log", "loud", "loud not in {off,warning,info,debug}");
    CHECK(mentions(refusal({"--data", "x", "--rendezvous", "nowhere"}), "'nowhere' is no address"));
    CHECK(refusal({"--alone", "--data", "x", "--listen", "none"}).empty());
}
