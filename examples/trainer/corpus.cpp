#include "corpus.hpp"

#include "problem.hpp"

#include <papilio/base/bytes.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/random.hpp>

#include <fcntl.h>
#include <glob.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <utility>

namespace papilio::example {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t header_bytes = 256 * sizeof(std::int32_t);
constexpr std::int32_t shard_magic = 20240520;

/// A file mapped for reading, for as long as this lives.
class mapping {
public:
    explicit mapping(const std::string& path)
    {
        const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (file < 0) throw_system_problem(errno, "cannot open the data file " + path);
        struct stat about {};
        const bool known = ::fstat(file, &about) == 0;
        size_ = known ? static_cast<std::size_t>(about.st_size) : 0;
        // An empty file cannot be mapped, and needs no mapping.
        if (known && size_ > 0) at_ = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file, 0);
        const int error = errno;
        ::close(file);
        if (!known || at_ == MAP_FAILED) throw_system_problem(error, "cannot map " + path);
    }

    ~mapping()
    {
        if (at_ != nullptr) ::munmap(at_, size_);
    }

    mapping(const mapping&) = delete;
    mapping& operator=(const mapping&) = delete;

    bytes data() const { return {static_cast<const std::byte*>(at_), size_}; }

private:
    void* at_ = nullptr;
    std::size_t size_ = 0;
};

bool is_shard(const fs::path& path)
{
    return path.extension() == ".bin";
}

/// Checks the header of an llm.c shard and returns its token count.
std::uint64_t shard_tokens(const std::string& path, bytes file)
{
    const auto refuse = [&](const std::string& why) {
        throw problem(errc::bad_argument, path + " is not an llm.c token file: " + why);
    };
    if (file.size() < header_bytes)
        refuse("it has " + std::to_string(file.size()) + " bytes, its header alone takes 1024");
    std::array<std::int32_t, 3> header{};
    std::memcpy(header.data(), file.data(), sizeof header);
    if (header[0] != shard_magic)
        refuse("it begins with " + std::to_string(header[0]) + " instead of 20240520");
    if (header[1] != 1)
        refuse("its version is " + std::to_string(header[1]) + ", only 1 (uint16 tokens) is known");
    const auto tokens = static_cast<std::uint64_t>(std::max(header[2], 0));
    const std::uint64_t expected = header_bytes + 2 * tokens;
    if (header[2] < 0 || file.size() != expected)
        refuse("its header counts " + std::to_string(header[2]) + " tokens, which take " +
               std::to_string(expected) + " bytes, but it has " + std::to_string(file.size()));
    return tokens;
}

std::vector<std::string> files_in(const fs::path& directory)
{
    std::vector<std::string> shards;
    std::vector<std::string> texts;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
        if (!entry.is_regular_file()) continue;
        if (is_shard(entry.path())) shards.push_back(entry.path().string());
        if (entry.path().extension() == ".txt") texts.push_back(entry.path().string());
    }
    std::vector<std::string>& chosen = shards.empty() ? texts : shards;
    if (chosen.empty())
        throw problem(errc::bad_argument,
                      "the data directory " + directory.string() + " holds no *.bin or *.txt file");
    std::sort(chosen.begin(), chosen.end());
    return std::move(chosen);
}

std::vector<std::string> files_matching(const std::string& pattern)
{
    glob_t found{};
    const int status = ::glob(pattern.c_str(), 0, nullptr, &found);
    std::vector<std::string> files;
    for (std::size_t i = 0; status == 0 && i < found.gl_pathc; ++i)
        files.emplace_back(found.gl_pathv[i]);
    ::globfree(&found);
    if (files.empty())
        throw problem(std::make_error_code(std::errc::no_such_file_or_directory),
                      "no data file matches " + pattern);
    return files;
}

std::vector<std::string> expand(const std::vector<std::string>& paths)
{
    std::vector<std::string> files;
    for (const std::string& path : paths) {
        std::error_code ignored;
        std::vector<std::string> found{path};
        if (fs::is_directory(path, ignored))
            found = files_in(path);
        else if (!fs::exists(path, ignored) && path.find_first_of("*?[") != std::string::npos)
            found = files_matching(path);
        files.insert(files.end(), found.begin(), found.end());
    }
    if (files.empty()) throw problem(errc::bad_argument, "no data: name at least one text file");
    return files;
}

}  // namespace

struct corpus::shard {
    shard(std::string name, std::uint64_t first_token)
        : path(std::move(name)), file(path), first(first_token)
    {
        data = file.data();
        if (is_shard(path)) {
            width = sizeof(std::uint16_t);
            size = shard_tokens(path, data);
            data = data.subspan(header_bytes);
        } else {
            size = data.size();
        }
    }

    std::int64_t token(std::uint64_t index) const
    {
        if (width == 1) return std::to_integer<std::int64_t>(data[index]);
        return load<std::uint16_t>(data.data() + 2 * index);
    }

    std::string path;
    mapping file;
    bytes data;               // the tokens, without a header
    std::size_t width = 1;    // bytes per token
    std::uint64_t first = 0;  // index of the first token within the corpus
    std::uint64_t size = 0;   // tokens
};

corpus::corpus(const std::vector<std::string>& paths)
{
    for (const std::string& path : expand(paths)) {
        shards_.push_back(std::make_unique<shard>(path, size_));
        size_ += shards_.back()->size;
    }
    const bool mixed = std::any_of(shards_.begin(), shards_.end(), [&](const auto& other) {
        return other->width != shards_.front()->width;
    });
    if (mixed)
        throw problem(errc::bad_argument,
                      "the data mixes text with *.bin token files: their tokens mean different "
                      "things, so give one kind only");
}

corpus::~corpus() = default;

void corpus::read(std::uint64_t offset, std::span<std::int64_t> out, std::size_t vocabulary) const
{
    PAPILIO_CHECK(offset <= size_ && out.size() <= size_ - offset, "read past the end of the text");
    if (out.empty()) return;
    auto place = std::upper_bound(shards_.begin(), shards_.end(), offset,
                                  [](std::uint64_t at, const auto& s) { return at < s->first; });
    std::size_t done = 0;
    for (--place; done < out.size(); ++place) {
        const shard& from = **place;
        std::uint64_t index = offset + done - from.first;
        for (; index < from.size && done < out.size(); ++index, ++done) {
            out[done] = from.token(index);
            if (static_cast<std::size_t>(out[done]) >= vocabulary)
                throw problem(errc::bad_argument,
                              from.path + " holds token " + std::to_string(out[done]) +
                                  " at place " + std::to_string(index) +
                                  ", but the model knows only " + std::to_string(vocabulary) +
                                  " tokens: choose the model that the data was tokenised for");
        }
    }
}

split split_tokens(std::uint64_t tokens, double fraction, std::size_t length)
{
    if (!(fraction > 0 && fraction < 1))
        throw problem(
            errc::bad_argument,
            "the held-out fraction must lie between 0 and 1, not at " + std::to_string(fraction));
    const auto held = static_cast<std::uint64_t>(std::ceil(static_cast<double>(tokens) * fraction));
    const std::uint64_t cut = tokens - std::min(held, tokens);
    const split parts{{0, cut}, {cut, tokens}};
    if (std::min(parts.train.size(), parts.held_out.size()) < length + 1)
        throw problem(errc::bad_argument,
                      "the data is too short: " + std::to_string(parts.train.size()) +
                          " tokens to train on and " + std::to_string(parts.held_out.size()) +
                          " held out, and each side needs " + std::to_string(length + 1) +
                          " for one sequence");
    return parts;
}

std::vector<std::uint64_t> windows(std::uint64_t seed, std::uint64_t peer, std::uint64_t step,
                                   std::size_t batch, std::size_t length, token_range train)
{
    std::vector<std::uint64_t> begins(batch);
    for (std::size_t i = 0; i < batch; ++i)
        begins[i] = train.begin + hash(seed, peer, step, i) % (train.size() - length);
    return begins;
}

std::vector<std::uint64_t> evaluation_windows(std::size_t length, std::size_t most,
                                              token_range held_out)
{
    const std::uint64_t all = (held_out.size() - 1) / length;
    const std::uint64_t count = most == 0 ? all : std::min<std::uint64_t>(most, all);
    std::vector<std::uint64_t> begins(count);
    for (std::uint64_t i = 0; i < count; ++i) begins[i] = held_out.begin + i * all / count * length;
    return begins;
}

double unigram_entropy(const corpus& text, token_range range, std::size_t vocabulary)
{
    std::vector<std::uint64_t> counts(vocabulary);
    std::vector<std::int64_t> tokens;
    for (std::uint64_t at = range.begin; at < range.end; at += tokens.size()) {
        tokens.resize(std::min<std::uint64_t>(1 << 16, range.end - at));
        text.read(at, tokens, vocabulary);
        for (const std::int64_t token : tokens) ++counts[static_cast<std::size_t>(token)];
    }
    double entropy = 0;
    for (const std::uint64_t count : counts) {
        const double share = static_cast<double>(count) / static_cast<double>(range.size());
        if (count > 0) entropy -= share * std::log(share);
    }
    return entropy;
}

}  // namespace papilio::example
