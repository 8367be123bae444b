#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/log.hpp>
#include <papilio/wire/control.hpp>

#include <system_error>

namespace papilio::inline PAPILIO_MODE::detail {

/// Logs how a measurement begins and ends. One that has neither finished nor failed was dropped.
class measurement_log {
public:
    measurement_log(int peer, control_service service) : peer_(peer), service_(service)
    {
        log(log_level::debug, "measurement begun", {"peer", "service"}, peer_, name(service_));
    }
    measurement_log(const measurement_log&) = delete;
    measurement_log& operator=(const measurement_log&) = delete;
    ~measurement_log()
    {
        if (!ended_)
            log(log_level::debug, "measurement dropped", {"peer", "service"}, peer_,
                name(service_));
    }

    void finished() noexcept { ended_ = true; }
    void failed(const std::system_error& why)
    {
        ended_ = true;
        log(log_level::warning, "measurement failed", {"peer", "service", "why"}, peer_,
            name(service_), why.what());
    }

private:
    int peer_;
    control_service service_;
    bool ended_ = false;
};

}  // namespace papilio::detail
