#include <papilio/base/text.hpp>

#include <catch2/catch.hpp>

#include <string>

namespace pa = papilio;

TEST_CASE("a text is readable when it is UTF-8 and steers no terminal", "[readable]")
{
    for (const char* text :
         {"", "ada", "Zo\xc3\xab 42", "\xe6\x9d\xb1\xe4\xba\xac", "\xf0\x9f\xa6\x8b"}) {
        INFO(text);
        CHECK(pa::readable(text));
        CHECK(pa::printable(text) == text);
    }
    for (const char* text : {"bad\xff", "cut\xc3", "\xc0\xaf", "\xe0\x80\x80", "\xe0\x81\x81",
                             "\xf0\x82\x82\xac", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                             "\xf8\x88\x80\x80\x80", "\x80", "a\nb", "\x1b[2J", "\x7f",
                             "\xc2\x9b"
                             "2J",
                             "\xe2\x80\xae", "\xef\xbb\xbf"}) {
        INFO(text);
        CHECK_FALSE(pa::readable(text));
        CHECK(pa::readable(pa::printable(text)));
    }
}

TEST_CASE("what cannot be shown becomes a question mark, and what goes too far is cut",
          "[readable]")
{
    CHECK(pa::printable("evil\x1b[2J\n") == "evil?[2J?");
    CHECK(pa::printable("bad\xff\xfe.") == "bad??.");
    CHECK(pa::printable("turned \xe2\x80\xae round") == "turned ? round");
    CHECK(pa::printable("abcdef", 4) == "abcd");
    CHECK(pa::printable("Zo\xc3\xab", 3) == "Zo\xc3\xab");
    CHECK(pa::printable("Zo\xc3\xab", 2) == "Zo");
    CHECK(pa::printable("\xe6\x9d\xb1\xe4\xba\xac", 3) == "\xe6\x9d\xb1");
    CHECK(pa::printable("abc", 0).empty());
}
