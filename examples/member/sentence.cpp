#include "sentence.hpp"

namespace papilio::example {

std::string sentence(const std::system_error& failure)
{
    std::string text = failure.what();
    const std::string words = ": " + failure.code().message();
    if (text.ends_with(words)) text.resize(text.size() - words.size());
    return text;
}

}  // namespace papilio::example
