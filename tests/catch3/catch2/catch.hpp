#pragma once

// Catch2 3 under the name that version 2, Debian 12's, gives its header. The tests speak version 2.

#include <catch2/catch_all.hpp>

using Catch::Approx;
