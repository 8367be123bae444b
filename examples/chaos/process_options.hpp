#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace papilio::example::chaos {

/// Who hosts the run: what a validator has for that, which keeps a journal and a copy of the state,
/// or a `session_host`, which keeps nothing, so that the run lives on with its members.
enum class host_kind { validator, session };

/// What a process of the run is told by the one that starts it.
struct process_options {
    int number = 0;       ///< of a member, from 1; 0: the host
    std::string address;  ///< of the rendezvous; of the host: where it listens
    std::uint64_t seed = 1;
    std::size_t elements = 0;
    std::filesystem::path folder;  ///< for files of the run
    std::string log = "off";       ///< the least level of the library's events on stderr
    host_kind host = host_kind::validator;
};

/// As one argument of the program, and back. Throws a `problem` for what is none.
std::string to_argument(const process_options& o);
process_options from_argument(const std::string& text);

/// The descriptor at which a process of the run writes its reports.
inline constexpr int report_descriptor = 3;

/// Where a member listens: an address that tells who it is, "127.0.1.3".
std::string member_host(int number);

/// Whose address this is; 0: no member's.
int member_at(const std::string& host);

/// The codes with which the processes end are those of all programs.
int be_member(const process_options& o);
int be_host(const process_options& o);

}  // namespace papilio::example::chaos
