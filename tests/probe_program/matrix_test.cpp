#include <probe/matrix.hpp>

#include <catch2/catch.hpp>

using namespace papilio::example;

TEST_CASE("a matrix holds what each verifier has measured, and knows what is missing")
{
    using namespace std::chrono_literals;
    link_matrix m(3);
    m.note(0, 2, {1ms, 2ms, 3ms, 4ms, 9}, {100, 50, 0, 0});
    CHECK(m.at(0, 2).bytes_per_second == 100);
    CHECK(m.at(2, 0).bytes_per_second == 50);
    CHECK(m.at(2, 0).p99 == 0.003);
    CHECK_FALSE(m.complete());
    const auto text = to_table(m, {"a", "bb", "c"});
    CHECK(text.find('-') != std::string::npos);
    CHECK(to_json(m, {"a", "bb", "c"}).find("\"from\": 1") == std::string::npos);
    m.note(0, 1, {}, {1, 1, 0, 0});
    CHECK(to_table(m, {"a", "bb", "c"}).find("both ways at the same time") == std::string::npos);
    m.note(1, 2, {}, {1, 1, 1, 1});
    CHECK(to_table(m, {"a", "bb", "c"}).find("both ways at the same time") != std::string::npos);
    CHECK(m.complete());
}
