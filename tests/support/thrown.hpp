#pragma once

#include <papilio/collective/call_error.hpp>

#include <optional>
#include <system_error>

namespace papilio::test {

/// The code that `work` throws; none if it throws nothing.
template <class Work>
std::error_code thrown_by(const Work& work)
{
    try {
        work();
    } catch (const std::system_error& failure) {
        return failure.code();
    }
    return {};
}

/// The `call_error` that `work` throws; nothing if it throws none.
template <class Work>
std::optional<call_error> call_error_of(const Work& work)
{
    try {
        work();
    } catch (const call_error& failure) {
        return failure;
    }
    return std::nullopt;
}

}  // namespace papilio::test
