#include "checkpoint_folder.hpp"

#include "digest.hpp"
#include "file.hpp"
#include "problem.hpp"

#include <papilio/base/check.hpp>

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <span>
#include <string_view>

namespace papilio::example {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "checkpoint-";
constexpr const char* manifest = "manifest.json";

std::string name_of(std::uint64_t number)
{
    std::string digits = std::to_string(number);
    if (digits.size() < 6) digits.insert(0, 6 - digits.size(), '0');
    return std::string(prefix) + digits;
}

/// The number in `checkpoint-000007`; 0 for any other name, such as `checkpoint-000007-copy`.
std::uint64_t number_of(const std::string& name)
{
    std::uint64_t number = 0;
    if (name.starts_with(prefix))
        std::from_chars(name.data() + prefix.size(), name.data() + name.size(), number);
    return number > 0 && name_of(number) == name ? number : 0;
}

/// Checkpoints in `folder`, oldest first.
std::vector<std::uint64_t> numbers_in(const fs::path& folder)
{
    std::vector<std::uint64_t> numbers;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
        if (const auto number = number_of(entry.path().filename().string()); number > 0)
            numbers.push_back(number);
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

[[noreturn]] void refuse(const fs::path& folder, const std::string& why)
{
    throw problem(errc::bad_argument, folder.string() + " " + why);
}

/// A link is put in place of `latest`, which no other thing gives way to.
void refuse_other_latest(const fs::path& folder)
{
    const auto status = fs::symlink_status(folder / "latest");
    if (fs::exists(status) && !fs::is_symlink(status))
        refuse(folder / "latest",
               "is no link, perhaps for want of links where it was copied from: "
               "rename it to " +
                   (folder / name_of(1)).string() + ", and give that");
}

/// Whether a checkpoint seems to be missing from `folder`, in which none is in force.
void refuse_remains(const fs::path& folder)
{
    std::string there;
    for (const auto number : numbers_in(folder))
        there += (there.empty() ? "" : ", ") + name_of(number);
    const std::string choose = ": to go on from one of its checkpoints, give that one's own folder";
    if (fs::is_symlink(fs::symlink_status(folder / "latest")))
        refuse(folder, "has a link `latest` to " + fs::read_symlink(folder / "latest").string() +
                           ", which is no checkpoint, and holds " +
                           (there.empty() ? "no other" : there + choose));
    if (!there.empty())
        refuse(folder, "holds " + there + ", but no link `latest` to the one in force" + choose);
    for (const char* weights :
         {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"})
        if (fs::exists(folder / "config.json") && fs::exists(folder / weights))
            refuse(folder,
                   "holds a model as transformers saves it, and no checkpoint: begin with "
                   "its weights by --init " +
                       folder.string() + ", and give another folder for checkpoints");
}

int locked(const fs::path& folder)
{
    std::error_code failure;
    fs::create_directories(folder, failure);
    if (failure)
        throw problem(failure,
                      "cannot create the folder " + folder.string() + ": " + failure.message());
    const fs::path path = folder / ".lock";
    const int lock = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock < 0) throw_system_problem(errno, "cannot create " + path.string());
    if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
        ::close(lock);
        throw problem(std::make_error_code(std::errc::device_or_resource_busy),
                      "another process keeps its checkpoints in " + folder.string() +
                          ": give each process a folder of its own");
    }
    return lock;
}

std::string content_of(const fs::path& path)
{
    std::ifstream from(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(from), {}};
}

std::string digest_of_manifest(const fs::path& checkpoint)
{
    const std::string content = content_of(checkpoint / manifest);
    return sha256_hex(std::as_bytes(std::span(content)));
}

/// The checkpoints that were kept beside this one by the run that wrote it, as far as they are
/// still there, and itself.
std::vector<checkpoint_folder::own_checkpoint> family_of(const fs::path& checkpoint)
{
    std::vector<checkpoint_folder::own_checkpoint> family;
    const auto written = nlohmann::json::parse(content_of(checkpoint / manifest), nullptr, false);
    if (written.is_object() && written.contains("kept") && written["kept"].is_object())
        for (const auto& [name, digest] : written["kept"].items())
            if (digest == digest_of_manifest(checkpoint.parent_path() / name))
                family.push_back({number_of(name), digest});
    family.push_back({number_of(checkpoint.filename().string()), digest_of_manifest(checkpoint)});
    std::erase_if(family, [](const auto& one) { return one.number == 0; });
    std::ranges::sort(family, {}, &checkpoint_folder::own_checkpoint::number);
    return family;
}

}  // namespace

checkpoint_location locate_checkpoint(const fs::path& given)
{
    if (!fs::exists(given)) return {given, {}};
    if (!fs::is_directory(given)) refuse(given, "is no folder");
    if (fs::exists(given / manifest)) {
        const fs::path own = fs::canonical(given);
        refuse_other_latest(own.parent_path());
        return {own.parent_path(), own};
    }
    refuse_other_latest(given);
    if (fs::exists(given / "latest" / manifest))
        return {given, given / fs::read_symlink(given / "latest")};
    refuse_remains(given);
    return {given, {}};
}

checkpoint_folder::checkpoint_folder(const fs::path& given)
    : at_(locate_checkpoint(given)), lock_(locked(at_.folder))
{
    at_ = locate_checkpoint(given);  // another process may have moved the link before the lock
    if (!at_.in_force.empty()) own_ = family_of(at_.in_force);
}

checkpoint_folder::~checkpoint_folder()
{
    ::close(lock_);
}

std::map<std::string, std::string> checkpoint_folder::own() const
{
    std::map<std::string, std::string> digests;
    for (const auto& one : own_) digests[name_of(one.number)] = one.manifest;
    return digests;
}

fs::path checkpoint_folder::take(const fs::path& written, std::size_t keep)
{
    PAPILIO_CHECK(keep > 0, "a checkpoint that is taken is kept");
    const auto numbers = numbers_in(at_.folder);
    const auto next = numbers.empty() ? 1 : numbers.back() + 1;
    const fs::path name = name_of(next);
    fs::rename(written, at_.folder / name);
    try {
        put_in_force(name);
    } catch (...) {
        std::error_code ignored;  // the error that is thrown says more
        fs::remove_all(at_.folder / name, ignored);
        throw;
    }
    sync_directory(at_.folder);
    at_.in_force = at_.folder / name;
    own_.push_back({next, digest_of_manifest(at_.in_force)});

    for (; own_.size() > keep; own_.erase(own_.begin())) {
        std::error_code ignored;  // it is in nobody's way
        fs::remove_all(at_.folder / name_of(own_.front().number), ignored);
    }
    return at_.in_force;
}

/// Either the link leads to `name` afterwards, or it throws and the link is as it was.
void checkpoint_folder::put_in_force(const fs::path& name)
{
    sync_directory(at_.folder);
    const fs::path link = at_.folder / ".latest";
    fs::remove(link);
    fs::create_directory_symlink(name, link);
    fs::rename(link, at_.folder / "latest");
}

}  // namespace papilio::example
