#pragma once

#include <papilio/base/config.hpp>
#include <papilio/wire/call_extent.hpp>
#include <papilio/wire/promise.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Of each chunk of a call a version, that is, the view in which it was reduced, or
/// `wire::no_view`.
class chunk_versions {
public:
    /// Of no chunk a version.
    explicit chunk_versions(const wire::call_extent& of)
        : of_(of), versions_(of.parts * of.columns, wire::no_view)
    {
    }

    /// The same of all chunks.
    chunk_versions(const wire::call_extent& of, std::uint8_t version)
        : of_(of), versions_(of.parts * of.columns, version)
    {
    }

    /// Those of the runs of each part, as a promise or a proposal lists them.
    template <class Run>
    chunk_versions(const wire::call_extent& of, const std::vector<std::vector<Run>>& runs)
        : chunk_versions(of)
    {
        for (std::size_t part = 0; part < runs.size(); ++part)
            for (const auto& run : runs[part])
                std::ranges::fill(of_part(part).subspan(run.first, run.columns), run.version);
    }

    std::uint8_t at(std::size_t part, std::uint32_t column) const
    {
        return versions_[part * of_.columns + column];
    }

    void set(std::size_t part, std::uint32_t column, std::uint8_t version)
    {
        versions_[part * of_.columns + column] = version;
    }

    std::span<std::uint8_t> of_part(std::size_t part)
    {
        return std::span(versions_).subspan(part * of_.columns, of_.columns);
    }
    std::span<const std::uint8_t> of_part(std::size_t part) const
    {
        return std::span(versions_).subspan(part * of_.columns, of_.columns);
    }

    /// Whether no chunk has one version here and another one there.
    bool agrees_with(const chunk_versions& there) const
    {
        return std::ranges::equal(versions_, there.versions_, [](auto a, auto b) {
            return a == b || a == wire::no_view || b == wire::no_view;
        });
    }

    /// Chunks without a version get that of `there`.
    void complete_by(const chunk_versions& there)
    {
        for (std::size_t i = 0; i < versions_.size(); ++i)
            if (versions_[i] == wire::no_view) versions_[i] = there.versions_[i];
    }

    /// Chunks that have no version `there` have none here.
    void leave_out(const chunk_versions& there)
    {
        for (std::size_t i = 0; i < versions_.size(); ++i)
            if (there.versions_[i] == wire::no_view) versions_[i] = wire::no_view;
    }

    /// In runs of neighbouring columns, as a promise lists them.
    std::vector<std::vector<wire::held_run>> runs() const
    {
        std::vector<std::vector<wire::held_run>> parts(of_.parts);
        for (std::size_t part = 0; part < of_.parts; ++part)
            for (std::uint32_t column = 0; column < of_.columns; ++column)
                add(parts[part], column, at(part, column));
        return parts;
    }

    friend bool operator==(const chunk_versions& a, const chunk_versions& b)
    {
        return a.versions_ == b.versions_;
    }

private:
    static void add(std::vector<wire::held_run>& runs, std::uint32_t column, std::uint8_t version)
    {
        if (version == wire::no_view) return;
        const bool longer = !runs.empty() && runs.back().version == version &&
                            runs.back().first + runs.back().columns == column;
        if (longer)
            ++runs.back().columns;
        else
            runs.push_back({column, 1, version});
    }

    wire::call_extent of_;
    std::vector<std::uint8_t> versions_;
};

}  // namespace papilio::detail
