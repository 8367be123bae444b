#include "safetensors.hpp"

#include "problem.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <tuple>
#include <unordered_set>
#include <utility>

namespace papilio::example {

namespace {

[[noreturn]] void malformed(const std::string& why)
{
    throw problem(errc::bad_message, "not a sound safetensors file: " + why);
}

/// A name from a hostile file, short enough to print.
std::string printable(const std::string& name)
{
    return "'" + (name.size() <= 64 ? name : name.substr(0, 61) + "...") + "'";
}

std::uint64_t element_size(const std::string& type)
{
    static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 15> sizes{{
        {"BOOL", 1},
        {"U8", 1},
        {"I8", 1},
        {"F8_E5M2", 1},
        {"F8_E4M3", 1},
        {"I16", 2},
        {"U16", 2},
        {"F16", 2},
        {"BF16", 2},
        {"I32", 4},
        {"U32", 4},
        {"F32", 4},
        {"F64", 8},
        {"I64", 8},
        {"U64", 8},
    }};
    for (const auto& [name, size] : sizes)
        if (name == type) return size;
    malformed("unknown element type " + printable(type));
}

/// Accepts exactly the JSON of a safetensors header, event by event. No document is built, so that
/// memory stays in proportion to the header however deep or repetitive it is.
class header_reader final : public nlohmann::json_sax<nlohmann::json> {
public:
    std::vector<safetensors_entry> entries;

    bool start_object(std::size_t) override
    {
        if (in_array_) unexpected();
        switch (where_) {
        case place::start: where_ = place::top; return true;
        case place::value: where_ = place::tensor; return true;
        case place::metadata_value: where_ = place::metadata; return true;
        default: unexpected();
        }
    }

    bool end_object() override
    {
        switch (where_) {
        case place::tensor: finish_entry(); break;
        case place::metadata: where_ = place::top; break;
        case place::top: where_ = place::done; break;
        default: unexpected();
        }
        return true;
    }

    bool key(string_t& name) override
    {
        if (where_ == place::top) {
            if (!names_.insert(name).second) malformed(printable(name) + " appears twice");
            if (name == "__metadata__") {
                where_ = place::metadata_value;
            } else {
                where_ = place::value;
                entry_ = {};
                entry_.name = name;
                fields_.clear();
            }
        } else if (where_ == place::tensor) {
            if (std::find(fields_.begin(), fields_.end(), name) != fields_.end())
                malformed(printable(entry_.name) + " has " + printable(name) + " twice");
            if (name != "dtype" && name != "shape" && name != "data_offsets")
                malformed(printable(entry_.name) + " has an unknown field " + printable(name));
            fields_.push_back(name);
        }
        return true;
    }

    bool string(string_t& text) override
    {
        if (where_ == place::metadata) return true;
        if (in_array_ || field() != "dtype") unexpected();
        entry_.type = text;
        return true;
    }

    bool start_array(std::size_t) override
    {
        if (in_array_ || (field() != "shape" && field() != "data_offsets")) unexpected();
        in_array_ = true;
        return true;
    }

    bool end_array() override
    {
        in_array_ = false;
        return true;
    }

    bool number_unsigned(number_unsigned_t value) override
    {
        if (!in_array_) unexpected();
        std::vector<std::uint64_t>& list = field() == "shape" ? entry_.shape : offsets_;
        // No real tensor has more dimensions; a hostile list must not eat the memory.
        if (list.size() == 64) unexpected();
        list.push_back(value);
        return true;
    }

    bool null() override { unexpected(); }
    bool boolean(bool) override { unexpected(); }
    bool number_integer(number_integer_t) override { unexpected(); }
    bool number_float(number_float_t, const string_t&) override { unexpected(); }
    bool binary(binary_t&) override { unexpected(); }

    bool parse_error(std::size_t position, const std::string&,
                     const nlohmann::detail::exception&) override
    {
        malformed("its header stops being JSON at byte " + std::to_string(position));
    }

private:
    enum class place { start, top, value, tensor, metadata_value, metadata, done };

    /// The field of a tensor whose value is being read; empty elsewhere.
    std::string_view field() const
    {
        if (where_ != place::tensor || fields_.empty()) return {};
        return fields_.back();
    }

    [[noreturn]] void unexpected() const
    {
        malformed(where_ == place::tensor
                      ? printable(entry_.name) + " is not described as it should be"
                      : "its header is not a table of tensors");
    }

    void finish_entry()
    {
        if (fields_.size() != 3 || offsets_.size() != 2) unexpected();
        entry_.begin = offsets_[0];
        entry_.end = offsets_[1];
        offsets_.clear();
        entries.push_back(std::move(entry_));
        where_ = place::top;
    }

    place where_ = place::start;
    bool in_array_ = false;
    safetensors_entry entry_;
    std::vector<std::string> fields_;
    std::vector<std::uint64_t> offsets_;
    std::unordered_set<std::string> names_;
};

/// Bytes that the shape calls for; refuses products that overflow.
std::uint64_t bytes_of(const safetensors_entry& entry)
{
    std::uint64_t size = element_size(entry.type);
    if (std::find(entry.shape.begin(), entry.shape.end(), 0u) != entry.shape.end()) return 0;
    for (const std::uint64_t extent : entry.shape) {
        if (extent > std::numeric_limits<std::uint64_t>::max() / size)
            malformed(printable(entry.name) + " has a shape too large to exist");
        size *= extent;
    }
    return size;
}

/// Entries in the order of their data must tile [0, data_size).
void check_tiling(const std::vector<safetensors_entry>& entries, std::uint64_t data_size)
{
    std::uint64_t reached = 0;
    for (const safetensors_entry& entry : entries) {
        if (entry.begin > entry.end || entry.end > data_size)
            malformed("the data of " + printable(entry.name) + " lies outside the file");
        if (entry.begin != reached)
            malformed("the data of " + printable(entry.name) + " does not follow that before it");
        if (entry.end - entry.begin != bytes_of(entry))
            malformed("the data of " + printable(entry.name) +
                      " does not have the size of its shape");
        reached = entry.end;
    }
    if (reached != data_size)
        malformed(std::to_string(data_size - reached) + " bytes at its end belong to no tensor");
}

}  // namespace

const safetensors_entry* safetensors_header::find(std::string_view name) const
{
    for (const safetensors_entry& entry : entries)
        if (entry.name == name) return &entry;
    return nullptr;
}

std::uint64_t safetensors_json_size(bytes first8, std::uint64_t file_size)
{
    if (first8.size() < 8 || file_size < 8) malformed("it is shorter than 8 bytes");
    const auto size = load<std::uint64_t>(first8.data());
    if (size > safetensors_header_limit)
        malformed("its header claims " + std::to_string(size) + " bytes, more than is allowed");
    if (size > file_size - 8) malformed("it ends within its header");
    return size;
}

safetensors_header parse_safetensors(std::string_view json, std::uint64_t file_size)
{
    if (json.empty() || json.front() != '{') malformed("its header does not begin with '{'");
    header_reader reader;
    nlohmann::json::sax_parse(json, &reader);
    safetensors_header header;
    header.entries = std::move(reader.entries);
    header.data_begin = 8 + json.size();
    if (header.data_begin > file_size) malformed("it ends within its header");
    std::sort(header.entries.begin(), header.entries.end(), [](const auto& a, const auto& b) {
        return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
    });
    check_tiling(header.entries, file_size - header.data_begin);
    return header;
}

void write_safetensors(std::vector<named_tensor> tensors, const std::function<void(bytes)>& sink)
{
    std::sort(tensors.begin(), tensors.end(),
              [](const named_tensor& a, const named_tensor& b) { return a.name < b.name; });
    nlohmann::ordered_json table;
    table["__metadata__"]["format"] = "pt";
    std::uint64_t at = 0;
    for (const named_tensor& tensor : tensors) {
        const std::uint64_t end = at + tensor.values.size_bytes();
        table[tensor.name] = {
            {"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {at, end}}};
        at = end;
    }
    std::string json = table.dump();
    json.resize((json.size() + 7) / 8 * 8, ' ');

    std::array<std::byte, 8> length{};
    store(length.data(), std::uint64_t{json.size()});
    sink(length);
    sink(std::as_bytes(std::span(json)));
    for (const named_tensor& tensor : tensors) sink(std::as_bytes(tensor.values));
}

}  // namespace papilio::example
