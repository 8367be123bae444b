// The body of session.hpp, for tests that are compiled header-only, as tests/mutants does.
#include <papilio/session_body.hpp>
