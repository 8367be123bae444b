// All of papilio that is no template, for programs that link papilio::compiled.

#include <papilio/src.hpp>
