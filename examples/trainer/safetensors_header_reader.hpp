#pragma once

#include "problem.hpp"
#include "safetensors.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace papilio::example {

/// Throws a `problem`.
[[noreturn]] inline void refuse_safetensors(const std::string& why)
{
    throw problem(errc::bad_message, "not a sound safetensors file: " + why);
}

/// A name from a file, quoted, and cut where it is too long to print.
inline std::string short_name(const std::string& name)
{
    return "'" + (name.size() <= 64 ? name : name.substr(0, 61) + "...") + "'";
}

/// Accepts exactly the JSON of a safetensors header, event by event. No document is built, so that
/// memory stays in proportion to the header however deep or repetitive it is.
class safetensors_header_reader final : public nlohmann::json_sax<nlohmann::json> {
public:
    std::vector<safetensors_entry> entries;

    bool start_object(std::size_t) override
    {
        if (in_array_) unexpected();
        switch (where_) {
        case position::start: where_ = position::top; return true;
        case position::value: where_ = position::tensor; return true;
        case position::metadata_value: where_ = position::metadata; return true;
        default: unexpected();
        }
    }

    bool end_object() override
    {
        switch (where_) {
        case position::tensor: finish_entry(); break;
        case position::metadata: where_ = position::top; break;
        case position::top: where_ = position::done; break;
        default: unexpected();
        }
        return true;
    }

    bool key(string_t& name) override
    {
        if (where_ == position::top) {
            if (!names_.insert(name).second)
                refuse_safetensors(short_name(name) + " appears twice");
            if (name == "__metadata__") {
                where_ = position::metadata_value;
            } else {
                where_ = position::value;
                entry_ = {};
                entry_.name = name;
                fields_.clear();
            }
        } else if (where_ == position::tensor) {
            if (std::find(fields_.begin(), fields_.end(), name) != fields_.end())
                refuse_safetensors(short_name(entry_.name) + " has " + short_name(name) + " twice");
            if (name != "dtype" && name != "shape" && name != "data_offsets")
                refuse_safetensors(short_name(entry_.name) + " has an unknown field " +
                                   short_name(name));
            fields_.push_back(name);
        }
        return true;
    }

    bool string(string_t& text) override
    {
        if (where_ == position::metadata) return true;
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
        // No real tensor has more dimensions. The limit bounds the memory that a list takes.
        if (list.size() == 64) unexpected();
        list.push_back(value);
        return true;
    }

    bool null() override { unexpected(); }
    bool boolean(bool) override { unexpected(); }
    bool number_integer(number_integer_t) override { unexpected(); }
    bool number_float(number_float_t, const string_t&) override { unexpected(); }
    bool binary(binary_t&) override { unexpected(); }

    bool parse_error(std::size_t byte, const std::string&,
                     const nlohmann::detail::exception&) override
    {
        refuse_safetensors("its header stops being JSON at byte " + std::to_string(byte));
    }

private:
    enum class position { start, top, value, tensor, metadata_value, metadata, done };

    /// The field of a tensor whose value is being read; empty elsewhere.
    std::string_view field() const
    {
        if (where_ != position::tensor || fields_.empty()) return {};
        return fields_.back();
    }

    [[noreturn]] void unexpected() const
    {
        refuse_safetensors(where_ == position::tensor
                               ? short_name(entry_.name) + " is not described as it should be"
                               : "its header is not a table of tensors");
    }

    void finish_entry()
    {
        if (fields_.size() != 3 || offsets_.size() != 2) unexpected();
        entry_.begin = offsets_[0];
        entry_.end = offsets_[1];
        offsets_.clear();
        entries.push_back(std::move(entry_));
        where_ = position::top;
    }

    position where_ = position::start;
    bool in_array_ = false;
    safetensors_entry entry_;
    std::vector<std::string> fields_;
    std::vector<std::uint64_t> offsets_;
    std::unordered_set<std::string> names_;
};

}  // namespace papilio::example
