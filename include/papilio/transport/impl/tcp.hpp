#pragma once

#include <papilio/base/config.hpp>
#include <papilio/transport/tcp.hpp>
#include <papilio/transport/tcp/medium.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::tcp {

PAPILIO_DECL transport::transport(asio_loop& on, int rank, std::vector<endpoint> peers, options o)
    : addressed_mesh(on, std::make_unique<detail::medium>(on, o), rank, std::move(peers),
                     for_mesh(o))
{
}

}  // namespace papilio::tcp
