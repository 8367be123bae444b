#pragma once

#include "perf/channel.hpp"
#include "perf/losses/call_end.hpp"
#include "perf/losses/scenario.hpp"
#include "perf/network/private_network.hpp"
#include "perf/options.hpp"
#include "perf/worker_group.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace papilio::perf {

/// What came of a call that lost peers.
struct loss_outcome {
    std::vector<std::int64_t> when;              ///< by loss: when it happened
    std::vector<std::optional<call_end>> peers;  ///< by rank; nothing: has not ended
};

/// The processes of one scenario, in namespaces of `net` if there is one. What has happened to
/// their links ends with them.
class losing_group {
public:
    losing_group(const options& o, const scenario& s, const private_network* net);
    losing_group(const losing_group&) = delete;
    losing_group& operator=(const losing_group&) = delete;
    ~losing_group();

    /// The seconds that a call without losses takes, among all or among those who will be left.
    double time_of_call(bool everybody);

    /// A call of which `seconds` are known, with losses.
    loss_outcome lose(double seconds);

private:
    using clock = std::chrono::steady_clock;

    /// One message of this kind from each of them that sends it in time; nobody else is heard.
    std::vector<std::optional<message>> hear(const std::vector<int>& ranks, message_kind kind,
                                             double seconds);
    std::vector<message> hear_all(const std::vector<int>& ranks, message_kind kind);
    void tell(const std::vector<int>& ranks, message_kind kind, const std::string& content = {});
    void start(const std::vector<int>& ranks, const char* group);
    std::vector<call_end> finish(const std::vector<int>& ranks);
    void befall(const loss& l);

    const options& options_;
    const scenario& scenario_;
    const private_network* net_;
    std::vector<channel> lines_;                       // by rank
    std::vector<std::unique_ptr<child_process>> all_;  // by rank
};

}  // namespace papilio::perf
