#pragma once

#include <papilio/base/config.hpp>
#include <papilio/transport/shm.hpp>
#include <papilio/transport/shm/medium.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::shm {

PAPILIO_DECL transport::transport(asio_loop& on, int rank, std::vector<address> peers, options o)
    : addressed_mesh(on, std::make_unique<detail::medium>(on, o.ring_bytes, o.allocate_limit), rank,
                     std::move(peers), for_mesh(o))
{
}

PAPILIO_DECL allocated_memory transport::allocate(std::size_t size)
{
    return static_cast<detail::medium&>(links_medium()).allocate(size);
}

}  // namespace papilio::shm
