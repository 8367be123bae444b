// One peer of the worker group of an MPI. papilio-perf starts this program with the mpirun of the
// MPI, and talks to each peer through a Unix socket.

#include "perf/peer.hpp"

#include <mpi.h>

#include <sys/socket.h>
#include <sys/un.h>

#include <cstdio>
#include <cstring>
#include <limits>
#include <optional>
#include <stdexcept>

namespace papilio::perf {

namespace {

std::optional<MPI_Datatype> mpi_type(element_type type)
{
    switch (type) {
    case element_type::f32: return MPI_FLOAT;
    case element_type::f64: return MPI_DOUBLE;
    case element_type::i8: return MPI_INT8_T;
    case element_type::i32: return MPI_INT32_T;
    case element_type::i64: return MPI_INT64_T;
    case element_type::u8: return MPI_UINT8_T;
    case element_type::u32: return MPI_UINT32_T;
    case element_type::u64: return MPI_UINT64_T;
    default: return std::nullopt;
    }
}

std::optional<MPI_Op> mpi_op(reduction op)
{
    switch (op) {
    case reduction::sum: return MPI_SUM;
    case reduction::prod: return MPI_PROD;
    case reduction::min: return MPI_MIN;
    case reduction::max: return MPI_MAX;
    case reduction::avg: break;
    }
    return std::nullopt;
}

class member final : public backend {
public:
    bool takes(const job& j) const override
    {
        return mpi_type(j.type) && mpi_op(j.op) &&
               j.count <= static_cast<std::uint64_t>(std::numeric_limits<int>::max()) &&
               (j.what == collective::all_reduce || j.what == collective::broadcast);
    }

    bool in_place_only(const job& j) const override { return j.what == collective::broadcast; }

    void prepare(const job& j, const void* in, void* out) override
    {
        job_ = j;
        in_ = in ? in : MPI_IN_PLACE;
        out_ = out;
    }

    call_facts call() override
    {
        const auto count = static_cast<int>(job_.count);
        const auto type = *mpi_type(job_.type);
        if (job_.what == collective::broadcast)
            MPI_Bcast(out_, count, type, 0, MPI_COMM_WORLD);
        else
            MPI_Allreduce(in_, out_, count, type, *mpi_op(job_.op), MPI_COMM_WORLD);
        return {};
    }

private:
    job job_;
    const void* in_ = nullptr;
    void* out_ = nullptr;
};

channel connect_to(const char* path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    const int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s < 0 || connect(s, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
        throw std::runtime_error(std::string("nobody listens at ") + path);
    return channel(s);
}

}  // namespace

}  // namespace papilio::perf

int main(int argc, char** argv)
{
    if (argc != 2) {
        std::fputs("papilio-perf starts this program; see papilio-perf --help\n", stderr);
        return 2;
    }
    MPI_Init(&argc, &argv);
    papilio::perf::place p;
    MPI_Comm_rank(MPI_COMM_WORLD, &p.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &p.peers);
    bool good = false;
    try {
        auto line = papilio::perf::connect_to(argv[1]);
        line.send(papilio::perf::message_kind::hello, std::to_string(p.rank));
        good = papilio::perf::serve(line, p, [](const papilio::perf::place&) {
            return std::make_unique<papilio::perf::member>();
        });
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "%s\n", failure.what());
    }
    if (!good) MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Finalize();
    return 0;
}
