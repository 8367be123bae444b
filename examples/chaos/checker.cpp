#include "checker.hpp"

#include <papilio/base/checksum.hpp>

#include <fmt/format.h>

#include <span>

namespace papilio::example::chaos {

std::vector<std::string> checker::add(int process, const attempt_ended& a)
{
    constexpr std::size_t remembered = 1000;
    std::vector<std::string> wrong;
    if (!a.ok) return wrong;
    ++results_;
    numbers_ += a.mean.size();
    if (const auto n = count_wrong(seed_, a.round, a.made_of, a.mean); n > 0) {
        wrong_ += n;
        wrong.push_back(fmt::format("{} of the {} numbers that member {} got in round {} are wrong",
                                    n, a.mean.size(), process, a.round + 1));
    }
    const first_result mine{process, checksum(std::as_bytes(std::span(a.mean))), a.made_of};
    const auto [found, is_first] = attempts_.try_emplace(a.group, mine);
    if (is_first) {
        latest_.push_back(a.group);
        if (latest_.size() > remembered) {
            attempts_.erase(latest_.front());
            latest_.pop_front();
        }
    } else if (found->second.checksum != mine.checksum || found->second.made_of != mine.made_of) {
        ++different_;
        wrong.push_back(fmt::format("members {} and {} got different results in round {}",
                                    found->second.process, process, a.round + 1));
    }
    return wrong;
}

std::vector<std::string> checker::add(int process, std::uint32_t round, const std::string& digest)
{
    ++states_seen_;
    const auto [found, is_first] = states_.try_emplace(round, first_state{process, digest});
    if (is_first || found->second.digest == digest) return {};
    ++different_;
    const auto name = [](int p) {
        return p == 0 ? std::string("the host") : fmt::format("member {}", p);
    };
    return {fmt::format("after round {}, {} has the state {:.12}, and {} the state {:.12}", round,
                        name(found->second.process), found->second.digest, name(process), digest)};
}

}  // namespace papilio::example::chaos
