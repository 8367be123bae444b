#pragma once

#include <papilio/base/config.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

struct session_host_options {
    std::string listen = ":0";    ///< where members join; port 0: any free one
    std::string run = "papilio";  ///< its name
    std::string advertise = {};   ///< the host by which members elsewhere reach those on this one
    int min_members = 1;          ///< that a round needs
    int max_members = 256;        ///< in a round; beyond it they take turns
    std::uint32_t rounds = 0;     ///< after which the run is over; 0: no limit

    /// From the first ready member until the round starts without the others.
    std::chrono::nanoseconds patience = std::chrono::seconds(30);

    /// The longest that one attempt may take.
    std::chrono::nanoseconds round_timeout = std::chrono::seconds(60);

    /// How long a due round waits for a member that fetches the state, and a run that has had its
    /// rounds for members that do not hold the last state yet.
    std::chrono::nanoseconds fetch_hold = std::chrono::seconds(60);

    /// How long to wait for a member that holds the run's state before another member's state is
    /// taken.
    std::chrono::nanoseconds resume_wait = std::chrono::seconds(30);

    /// Is told what people may want to know. Called by the host's thread.
    std::function<void(const std::string&)> note = {};
};

/// A member as the host sees it.
struct hosted_member {
    std::uint16_t id = 0;
    std::string name;
    std::string address;
    bool holds_state = false;  ///< that of the run
    bool waits = false;        ///< for others, to average with them
};

/// Hosts an elastic run: members join here and are told with whom they average next. It holds no
/// state; that lives with the members, and so the run goes on from their state when a host that was
/// killed is started again. All calls may come from any thread.
class session_host {
public:
    /// Listens. Throws a `std::system_error` that says why it cannot.
    explicit session_host(session_host_options o = {});

    /// Ends the run, unless that has been done.
    ~session_host();
    session_host(const session_host&) = delete;
    session_host& operator=(const session_host&) = delete;

    /// Where members join, "host:port".
    std::string address() const;

    /// The rounds that the run has had, and who is in it.
    std::uint32_t round() const;
    std::vector<hosted_member> members() const;

    /// Tells members that the run is over. Waits for up to a second until they have heard it.
    /// After this or `pause`, calls of either have no effect.
    void end();

    /// Tells members that the host goes away; they try again for their patience. Waits as `end`.
    void pause();

    /// Waits for up to `limit` until the run has had its rounds and its members know that it is
    /// over, or it was ended. False: it goes on.
    bool wait_for_end(std::chrono::nanoseconds limit) const;

private:
    class body;
    std::unique_ptr<body> body_;
};

}  // namespace papilio
