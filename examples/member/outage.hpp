#pragma once

#include <utility>

namespace papilio::example {

/// Something that fails for a while, such as writing to a full disk, and is to be told once each
/// time.
class outage {
public:
    /// It has failed. True: it worked before, so that this is news.
    bool begins() { return !std::exchange(lasting_, true); }

    /// It has worked. True: it failed before.
    bool ends() { return std::exchange(lasting_, false); }

private:
    bool lasting_ = false;
};

}  // namespace papilio::example
