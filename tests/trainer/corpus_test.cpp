#include <trainer/corpus.hpp>

#include "support.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

using namespace papilio::example;

namespace {

std::string shard(const std::vector<std::uint16_t>& tokens, std::int32_t magic = 20240520,
                  std::int32_t version = 1)
{
    std::vector<std::int32_t> header(256);
    header[0] = magic;
    header[1] = version;
    header[2] = static_cast<std::int32_t>(tokens.size());
    std::string file(1024 + 2 * tokens.size(), '\0');
    std::memcpy(file.data(), header.data(), 1024);
    std::memcpy(file.data() + 1024, tokens.data(), 2 * tokens.size());
    return file;
}

std::vector<std::int64_t> read(const corpus& text, std::uint64_t offset, std::size_t count,
                               std::size_t vocabulary = 256)
{
    std::vector<std::int64_t> tokens(count);
    text.read(offset, tokens, vocabulary);
    return tokens;
}

}  // namespace

TEST_CASE("the bytes of a text are its tokens", "[trainer]")
{
    const scratch_folder folder;
    const corpus text({folder.file("a.txt", "ab\xff")});
    CHECK(text.size() == 3);
    CHECK(read(text, 0, 3) == std::vector<std::int64_t>{'a', 'b', 255});
}

TEST_CASE("several files are read as one, across their seams", "[trainer]")
{
    const scratch_folder folder;
    const std::vector<std::string> files{folder.file("1.txt", "ab"), folder.file("2.txt", ""),
                                         folder.file("3.txt", "cde")};
    const corpus text(files);
    CHECK(text.size() == 5);
    CHECK(read(text, 1, 4) == std::vector<std::int64_t>{'b', 'c', 'd', 'e'});
    CHECK(read(text, 2, 1) == std::vector<std::int64_t>{'c'});
}

TEST_CASE("a folder and a pattern stand for their files by name", "[trainer]")
{
    const scratch_folder folder;
    folder.file("notes.md", "no");
    folder.file("b.txt", "B");
    folder.file("a.txt", "A");
    CHECK(read(corpus({folder.path()}), 0, 2) == std::vector<std::int64_t>{'A', 'B'});
    CHECK(read(corpus({folder.path() / "*.txt"}), 0, 2) == std::vector<std::int64_t>{'A', 'B'});
    folder.file("shard_1.bin", shard({7}));
    CHECK(corpus({folder.path()}).size() == 1);
}

TEST_CASE("a shard of llm.c gives its tokens without its header", "[trainer]")
{
    const scratch_folder folder;
    const corpus text(
        {folder.file("x.bin", shard({50256, 3, 1})), folder.file("y.bin", shard({9}))});
    CHECK(read(text, 0, 4, 50257) == std::vector<std::int64_t>{50256, 3, 1, 9});
}

TEST_CASE("a file that is no llm.c shard is refused with its reason", "[trainer]")
{
    const scratch_folder folder;
    const auto refused = [&](const std::string& content) {
        const std::string path = folder.file("x.bin", content);
        const std::string sentence = problem_of([&] { corpus text({path}); });
        CHECK(mentions(sentence, path));
        return sentence;
    };
    CHECK(mentions(refused("short"), "it has 5 bytes, its header alone takes 1024"));
    CHECK(mentions(refused(shard({1}, 20240801)), "it begins with 20240801 instead of 20240520"));
    CHECK(mentions(refused(shard({1}, 20240520, 7)), "its version is 7"));
    CHECK(
        mentions(refused(shard({1, 2}) + "x"), "2 tokens, which take 1028 bytes, but it has 1029"));
    CHECK(mentions(refused(shard({1, 2}).substr(0, 1026)), "but it has 1026"));
}

TEST_CASE("data that is missing or of two kinds is refused with its reason", "[trainer]")
{
    const scratch_folder folder;
    const std::string missing = folder.path() / "missing.txt";
    CHECK(problem_of([&] { corpus text({missing}); }) ==
          "cannot open " + missing + ": No such file or directory");
    CHECK(mentions(problem_of([&] { corpus text({folder.path() / "*.bin"}); }),
                   "no data file matches"));
    CHECK(mentions(problem_of([&] { corpus text({folder.path()}); }), "holds no *.bin or *.txt"));
    CHECK(mentions(problem_of([&] { corpus text(std::vector<std::string>{}); }), "no data"));
    const std::vector<std::string> mixed{folder.file("a.txt", "A"),
                                         folder.file("b.bin", shard({1}))};
    CHECK(mentions(problem_of([&] { corpus text(mixed); }), "mixes text with *.bin"));
}

TEST_CASE("a token that the model does not know is reported with file and offset", "[trainer]")
{
    const scratch_folder folder;
    const std::string path = folder.file("y.bin", shard({1, 2, 300, 4}));
    const corpus text({folder.file("x.bin", shard({7})), path});
    const std::string sentence = path +
                                 " holds token 300 at byte 1028, but the model knows only 256 "
                                 "tokens: choose the model that the data was tokenised for";
    CHECK(problem_of([&] { read(text, 2, 3); }) == sentence);
    CHECK(problem_of([&] { text.check_tokens(256); }) == sentence);
    CHECK(problem_of([&] { text.check_tokens(301); }).empty());
}

TEST_CASE("a file that shrinks while it is in use is an error that names it", "[trainer]")
{
    const scratch_folder folder;
    const std::string whole = small_text(100'000);
    for (const std::string& path :
         {folder.file("a.txt", whole), folder.file("b.bin", shard({1, 2, 3, 4}))}) {
        const corpus text({path});
        const auto size = text.size();
        std::filesystem::resize_file(path, 4);
        CHECK(problem_of([&] { read(text, size - 1, 1, 50257); }) ==
              "the data file " + path +
                  " has shrunk to 4 bytes while it was in use: restore it, and go on from the last "
                  "checkpoint with --resume");
    }
}

TEST_CASE("a pipe is refused as data at once, though nobody writes to it", "[trainer]")
{
    const scratch_folder folder;
    const std::string pipe = folder.path() / "pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    CHECK(mentions(problem_of([&] { corpus text({pipe}); }), pipe + " is no regular file"));
    CHECK(mentions(problem_of([&] { corpus text({"/dev/zero"}); }), "is no regular file"));
}

TEST_CASE("bytes are tokens in text only", "[trainer]")
{
    const scratch_folder folder;
    CHECK(corpus({folder.file("a.txt", "A")}).is_text());
    CHECK_FALSE(corpus({folder.file("b.bin", shard({1}))}).is_text());
}

TEST_CASE("the last share of the text is held out", "[trainer]")
{
    const split parts = split_tokens(1000, 0.05, 10);
    CHECK(parts.train.begin == 0);
    CHECK(parts.train.end == 950);
    CHECK(parts.held_out.begin == 950);
    CHECK(parts.held_out.end == 1000);
    CHECK(mentions(problem_of([] { split_tokens(1000, 0.05, 50); }), "each side needs 51"));
    CHECK(mentions(problem_of([] { split_tokens(0, 0.05, 1); }), "too short"));
    CHECK(mentions(problem_of([] { split_tokens(1000, 1.5, 1); }), "between 0 and 1"));
    CHECK(mentions(problem_of([] { split_tokens(1000, std::nan(""), 1); }), "between 0 and 1"));
}

TEST_CASE("a step's windows can be replayed and lie in the text trained on", "[trainer]")
{
    const token_range train{100, 200};
    const auto drawn = windows(1, 2, 3, 1000, 10, train);
    CHECK(drawn == windows(1, 2, 3, 1000, 10, train));
    CHECK(drawn != windows(2, 2, 3, 1000, 10, train));
    CHECK(drawn != windows(1, 3, 3, 1000, 10, train));
    CHECK(drawn != windows(1, 2, 4, 1000, 10, train));
    CHECK(*std::min_element(drawn.begin(), drawn.end()) == 100);
    CHECK(*std::max_element(drawn.begin(), drawn.end()) == 189);  // its 11 tokens end at 200
    const auto first = windows(1, 2, 3, 4, 10, train);
    CHECK(std::equal(first.begin(), first.end(), drawn.begin()));
}

TEST_CASE("the draw that peers replay never changes", "[trainer]")
{
    CHECK(windows(1, 2, 3, 4, 128, {0, 4'000'000}) ==
          std::vector<std::uint64_t>{548093, 606385, 1438524, 3431356});
}

TEST_CASE("an evaluation's windows are spread through the held-out text", "[trainer]")
{
    const token_range held{1000, 1101};
    CHECK(evaluation_windows(10, 0, held).size() == 10);
    CHECK(evaluation_windows(10, 99, held).back() == 1090);
    CHECK(evaluation_windows(10, 2, held) == std::vector<std::uint64_t>{1000, 1050});
    CHECK(evaluation_windows(100, 0, held) == std::vector<std::uint64_t>{1000});
}

TEST_CASE("unigram entropy is that of the range's own frequencies", "[trainer]")
{
    const scratch_folder folder;
    const corpus text({folder.file("a.txt", "zzzzaabc")});
    CHECK(unigram_entropy(text, {0, 4}, 256) == 0);
    CHECK(unigram_entropy(text, {4, 8}, 256) == Approx(1.5 * std::log(2.0)));
}
