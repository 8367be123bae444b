// error: a codec where an operation is expected

#include <papilio/codec/int8b.hpp>
#include <papilio/session.hpp>

#include <vector>

namespace pa = papilio;

void call(const pa::communicator& group, std::vector<float>& data)
{
    group.all_reduce_in_place(data, pa::int8b{});
}
