// Calls that go on without a peer that is lost while they run, over every transport.

#include <papilio/collective/all_gather.hpp>

#include "support/clusters.hpp"
#include "support/hybrid_cluster.hpp"
#include "support/shm_cluster.hpp"
#include "support/tcp_cluster.hpp"

#include <catch2/catch.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace {

constexpr int lost_rank = 3;
constexpr std::size_t elements_each = 20'000;

struct end_of_call {
    std::vector<float> in, out;
    std::optional<papilio::report> done;
    std::string why;
};

papilio::task<> make_call(end_of_call& to, papilio::task<papilio::report> call)
{
    try {
        to.done = co_await std::move(call);
    } catch (const std::system_error& failure) {
        to.why = failure.what();
    }
}

/// Four peers make a call; the last one's process dies after so many events. `begin(net, end)` is
/// the call.
template <class Cluster, class Begin>
std::vector<end_of_call> lose_one(int events, const Begin& begin)
{
    Cluster cluster(4);
    std::vector<end_of_call> ends(4);
    std::vector<std::optional<papilio::task<>>> work;
    for (int rank = 0; rank < 4; ++rank) {
        auto& end = ends[static_cast<std::size_t>(rank)];
        end.in.assign(elements_each, static_cast<float>(1 << rank));
        end.out.assign(4 * elements_each, -1.f);
        work.emplace_back(make_call(end, begin(cluster.peer(rank), end)));
        work.back()->start(cluster.loop());
    }
    for (int i = 0; i < events && !work[lost_rank]->finished(); ++i) cluster.loop().run_one();
    work[lost_rank].reset();
    cluster.lose(lost_rank);
    for (std::size_t rank = 0; rank < lost_rank; ++rank)
        while (!work[rank]->finished()) REQUIRE(cluster.loop().run_one());
    return ends;
}

/// Those who are left have all elements from their contributors, and know of the one that is lost,
/// unless it has gone after the call.
template <class Value>
void check_left(const std::vector<end_of_call>& ends, const Value& value)
{
    for (std::size_t rank = 0; rank < lost_rank; ++rank) {
        const auto& end = ends[rank];
        INFO("peer " << rank << ": " << end.why);
        REQUIRE(end.done);
        CHECK(end.done->made_of == ends[0].done->made_of);
        if (end.done->view > 0) REQUIRE(end.done->left.size() == 1);
        if (end.done->view > 0) CHECK(end.done->left[0].rank == lost_rank);
        std::size_t wrong = 0;
        for (const auto& made : end.done->made_of)
            for (std::size_t i = 0; i < made.range.size; ++i)
                wrong += end.out[made.range.begin + i] != value(made);
        CHECK(wrong == 0);
    }
}

float sum_of(const papilio::contributions& made)
{
    float sum = 0;
    for (const auto& c : made.from) sum += static_cast<float>(1 << c.rank);
    return sum;
}

constexpr int moments[] = {0, 5, 20, 60, 150, 300};

}  // namespace

TEMPLATE_TEST_CASE("an all_gather goes on without a peer that dies, over every transport", "",
                   papilio::test::sim_cluster, papilio::test::inproc_cluster,
                   papilio::test::tcp_cluster, papilio::test::shm_cluster,
                   papilio::test::hybrid_cluster)
{
    for (const int events : moments) {
        INFO("after " << events << " events");
        const auto ends = lose_one<TestType>(events, [](auto& net, end_of_call& end) {
            return papilio::all_gather(net, end.in, end.out,
                                       {.salvage = true, .chunk_bytes = 4096});
        });
        check_left(ends, sum_of);
        const auto parts = ends[0].done->made_of.size();
        CHECK((parts == 4 || parts == 3));
    }
}
