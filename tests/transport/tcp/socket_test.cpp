#include <papilio/transport/tcp/socket.hpp>

#include <asio/ip/tcp.hpp>

#include <catch2/catch.hpp>

#include <string>

using namespace papilio::tcp::detail;
using asio_tcp = asio::ip::tcp;

namespace {

struct loopback_pair {
    loopback_pair()
    {
        asio_tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
        ours.connect(acceptor.local_endpoint());
        acceptor.accept(theirs);
    }

    asio::io_context context;
    asio_tcp::socket ours{context};
    asio_tcp::socket theirs{context};
};

std::string congestion_of(asio_tcp::socket& s)
{
    char name[16] = {};
    socklen_t size = sizeof name - 1;
    REQUIRE(::getsockopt(s.native_handle(), IPPROTO_TCP, TCP_CONGESTION, name, &size) == 0);
    return name;
}

}  // namespace

TEST_CASE("loopback does not use bbr unless the options ask for it")
{
    loopback_pair pair;
    tune(pair.ours, nullptr);
    tune(pair.theirs, nullptr);
    REQUIRE(round_trip(pair.ours.native_handle()));
    if (*round_trip(pair.ours.native_handle()) < std::chrono::microseconds(100))
        CHECK(congestion_of(pair.ours) != "bbr");
    tune(pair.ours, "reno");
    CHECK(congestion_of(pair.ours) == "reno");
    CHECK_THROWS_AS(tune(pair.ours, "nonsense"), std::system_error);
    CHECK(congestion_of(pair.ours) == "reno");
}
