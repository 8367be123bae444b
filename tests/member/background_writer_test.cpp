#include <member/background_writer.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <future>
#include <optional>
#include <stdexcept>
#include <thread>

using namespace papilio::example;

TEST_CASE("a background_writer writes on another thread while its owner goes on", "[member]")
{
    std::promise<void> may_end;
    std::thread::id on;
    background_writer writer;
    CHECK(writer.ended());
    writer.start([&] {
        on = std::this_thread::get_id();
        may_end.get_future().wait();
    });
    CHECK(writer.under_way());
    CHECK_FALSE(writer.ended());
    may_end.set_value();
    writer.finish();
    CHECK_FALSE(writer.under_way());
    CHECK(writer.ended());
    CHECK(on != std::this_thread::get_id());
}

TEST_CASE("a background_writer that has written says so before anybody waits for it", "[member]")
{
    background_writer writer;
    writer.start([] {});
    while (!writer.ended()) std::this_thread::yield();
    CHECK(writer.under_way());
    writer.finish();
    CHECK_FALSE(writer.under_way());
}

TEST_CASE("a background_writer that fails tells it once, and writes the next thing", "[member]")
{
    background_writer writer;
    writer.start([] { throw std::runtime_error("the disk is full"); });
    CHECK_THROWS_WITH(writer.finish(), "the disk is full");
    CHECK_NOTHROW(writer.finish());
    bool written = false;
    writer.start([&] { written = true; });
    writer.finish();
    CHECK(written);
}

TEST_CASE("a background_writer that goes away has written what it began", "[member]")
{
    std::atomic<bool> began = false, written = false;
    std::promise<void> may_end;
    std::optional<background_writer> writer(std::in_place);
    writer->start([&] {
        began = true;
        may_end.get_future().wait();
        written = true;
    });
    while (!began) std::this_thread::yield();
    may_end.set_value();
    writer.reset();
    CHECK(written);
}
