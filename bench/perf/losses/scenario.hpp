#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace papilio::perf {

/// What happens to a peer in mid-call.
enum class loss_kind {
    kill,  ///< SIGKILL: its links close
    stop,  ///< SIGSTOP: its links stay, and nothing is read or sent any more
    cut,   ///< nothing arrives that it sends; what others send it does
    down,  ///< its link is down
    slow,  ///< its link slows to a hundredth
};

/// The process lives, and what happens to it its network has to do.
constexpr bool takes_network(loss_kind how)
{
    return how == loss_kind::cut || how == loss_kind::down || how == loss_kind::slow;
}

struct loss {
    loss_kind how = loss_kind::kill;
    int rank = 0;
    double percent = 0;  ///< when: of the call's time without losses
};

/// The losses of one call, in the order in which they happen.
struct scenario {
    std::string text;
    std::vector<loss> losses;

    bool loses(int rank) const;

    /// Whether somebody becomes slow, and is to be lost for that.
    bool slows() const;

    /// The others, of so many.
    std::vector<int> left(int peers) const;
};

/// Reads a list like "kill@50,stop1@50,kill@50+kill@75": what happens, to which rank, and when. The
/// rank may be left out: then the last peers are lost. Ends the program with a message if the text
/// is wrong, or if no more than half of the peers would be left.
std::vector<scenario> read_scenarios(std::string_view text, int peers);

}  // namespace papilio::perf
