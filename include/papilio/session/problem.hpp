#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>

#include <string>
#include <system_error>
#include <utility>

namespace papilio::inline PAPILIO_MODE {

/// An error in a program's surroundings: an option, an address, a file. `what()` is only the
/// sentence, for the user of the program; `code()` is for the program.
class problem : public std::system_error {
public:
    problem(std::error_code code, std::string sentence)
        : std::system_error(code), sentence_(std::move(sentence))
    {
    }

    const char* what() const noexcept override { return sentence_.c_str(); }

private:
    std::string sentence_;
};

/// A program has waited for others for as long as it may.
class gave_up final : public problem {
public:
    using problem::problem;
};

}  // namespace papilio
