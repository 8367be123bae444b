#pragma once

#include <papilio/base/error.hpp>

#include <string>
#include <system_error>
#include <utility>

namespace papilio::example {

/// An error in the program's surroundings: an option, a data file, a checkpoint. `what()` is only
/// the sentence, for the user of the program; `code()` is for the program.
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

/// Throws a `problem` with the system's text for `error_number`: "cannot open data.txt: No
/// such file or directory".
[[noreturn]] inline void throw_system_problem(int error_number, const std::string& what)
{
    const std::error_code code(error_number, std::generic_category());
    throw problem(code, what + ": " + code.message());
}

}  // namespace papilio::example
