# The rules that `tidy` enforces; the design's section on shape gives the reasons.

BEGIN {
    # Who may include whom, beside its own folder.
    may["base"] = ""
    may["plan"] = may["op"] = may["codec"] = may["wire"] = may["async"] = "base"
    may["cuda"] = "base op codec"
    may["transport"] = "base wire async"
    may["sim"] = may["transport"] " transport"
    may["collective"] = may["probe"] = may["transport"] " transport plan op codec"
    may["swarm"] = may["verify"] = may["diloco"] = may["collective"] " collective probe"
    may["session"] = may["swarm"] " swarm diloco"
    pure = "^(base|plan|op|codec|wire)$"

    # The headers that may reach beyond the standard library, and what each may reach.
    outside["async/asio_loop.hpp"] = "^(asio|OS)$"
    outside["transport/tcp.hpp"] = "^(asio|openssl|OS)$"
    outside["transport/shm.hpp"] = "^OS$"
    outside["transport/hybrid.hpp"] = "^none$"
    outside["session.hpp"] = "^OS$"
    outside["transport/ucx.hpp"] = "^(uc[pst]|OS)$"
    outside["swarm/private_key.hpp"] = "^(openssl|OS)$"
    outside["swarm/key_file.hpp"] = "^OS$"
    outside["swarm/opendht.hpp"] = "^opendht$"
    outside["torch.hpp"] = "^torch$"
    os = "^(arpa|linux|net|netinet|sys)/|" \
        "^(fcntl|ifaddrs|netdb|poll|pthread|sched|signal|unistd)\\.h$"
    vendors = "^(asio|ucp|ucs|uct|openssl|cuda|nccl|opendht|torch|ATen|c10|benchmark|catch2|gloo|" \
        "immintrin)"
    real_time = "^(async/(impl/)?(asio|thread)_loop|transport/detail/process_number" \
        "|session/(impl/)?(join_retries|run_client|session_host))\\.hpp$"
    # Words that docs/words.md has retired.
    retired = "round_error|round_plan|next_round|numbers_rounds|owner_side|asker_side|holdings" \
        "|near_lanes|fold_chunk|integer_all_reduce|farewell" \
        "|detail/round|base/room|swarm/readable|select::transport|expect_visitor|visitor_left" \
        "|told_link|op/fold|codec/narrow|note_round|note_probe|retires_calls|knows_life" \
        "|control_door|transport/(bulk|request|rate_limit)\\.hpp|probe/bandwidth_request" \
        "|member_outdated|(member|group)_settled|(\\.|->|::)holding\\(|room_for_result|team_room" \
        "|all_are_near"
    waiting = "^(condition_variable|coroutine|future|mutex|semaphore|stop_token|thread)$"
}

function offence(what) {
    printf "%s:%d: %s\n", FILENAME, FNR, what
    ++offences
}

function begin_file() {
    cpp = FILENAME ~ /\.([ch]pp|cuh?|inc)$/
    ours = FILENAME ~ /^include\/papilio\//
    header = substr(FILENAME, length("include/papilio/") + 1)
    whole = whole_of(header)
    layer = ""
    if (header ~ /\//) layer = substr(header, 1, index(header, "/") - 1)
    once = depth = commented = 0
    if (ours) {
        if (layer != "" && !(layer in may))
            offence("the folder " layer " has no place in the layers; add it to rules.awk")
        headers[header] = 1
    }
}

# A folder beside a header of the same name holds its pieces, and impl/ its definitions:
# transport/tcp/ and transport/impl/tcp.hpp are part of transport/tcp.hpp.
function whole_of(header) {
    if (header ~ /^async\/(impl\/|detail\/)?asio_/) return "async/asio_loop.hpp"
    if (header ~ /^session(_body)?[\/.]/) return "session.hpp"
    sub(/\/impl\//, "/", header)
    if (match(header, /^[a-z_]+\/[a-z_]+\//)) return substr(header, 1, RLENGTH - 1) ".hpp"
    return header
}

function end_file() {
    if (last ~ /\.(hpp|cuh)$/ && !once) {
        printf "%s: has no #pragma once\n", last
        ++offences
    }
}

# Which folder of the library may this header include?
function check_own_include(target, folder) {
    folder = target  # of op/sum.hpp, and of op.hpp that includes them all
    sub(/(\/.*|\.hpp)$/, "", folder)
    if (whole_of(target) in outside && !(whole in outside) && header != "src.hpp")
        offence("brings in what " whole_of(target) " alone may reach")
    if (layer == "" || folder == layer) return
    if (index(" " may[layer] " ", " " folder " ") == 0)
        offence(layer " may not include " folder)
}

function check_include(line, target, vendor) {
    target = line
    sub(/^# *include *[<"]/, "", target)
    sub(/[>"].*$/, "", target)
    if (target ~ /^papilio\//) {
        # Tests link the body, and cannot include it as well.
        if (FILENAME ~ /^tests\// || header == "session_body.hpp") reached[substr(target, 9)] = 1
        else if (layer != "") reaches[header, substr(target, 9)] = 1  # an umbrella reaches nothing
    }
    if (!ours) return
    if (line ~ /"/) offence("includes by a relative name; write <papilio/...>")
    if (target ~ /^papilio\//) {
        check_own_include(substr(target, 9))
        return
    }
    if (layer ~ pure && target ~ waiting)
        offence(layer " is pure: it neither waits nor runs threads")
    vendor = ""
    if (target ~ os) vendor = "OS"
    if (match(target, vendors)) vendor = substr(target, 1, RLENGTH)
    if (vendor == "" || (layer == "cuda" && vendor ~ /cuda|nccl/)) return
    if (!(whole in outside) || vendor !~ outside[whole]) offence("may not include <" target ">")
}

# g++ 12.2 miscompiles an await in a condition. The condition may span lines: its parentheses are
# counted until they close.
function check_awaits(code, i, c) {
    if (code ~ /(^|[^a-z_])(if|while|for|switch) *\(.*co_await/) {
        offence("awaits in a condition, or on the same line; put it between braces")
        return
    }
    if (depth == 0 && match(code, /(^|[^a-z_])(if|while|for|switch)( constexpr)? *\(/))
        code = substr(code, RSTART + RLENGTH - 1)
    else if (depth == 0)
        return
    for (i = 1; i <= length(code); ++i) {
        c = substr(code, i, 1)
        if (c == "(") ++depth
        if (c == ")" && --depth == 0) return
        if (c == "c" && substr(code, i, 8) == "co_await") offence("awaits in a condition")
    }
}

# The names of the events in a call of log, and for each "level | values", as docs/environment.md
# has them. A call may choose one of two levels and names by a condition.
function check_event(line, call, at, values, levels, n, i, entry) {
    if (event == "" && !match(line, /(^|[^a-z_:]|detail::)log\(/)) return
    event = event == "" ? substr(line, RSTART) : event " " line
    if (event !~ /[;}]/) return
    call = event
    event = ""
    if (call !~ /log_level::/ || !(at = index(call, "{"))) return
    values = substr(call, at + 1, index(call, "}") - at - 1)
    gsub(/"/, "", values)
    gsub(/ +/, " ", values)
    call = substr(call, 1, at - 1)
    for (n = 0; match(call, /log_level::[a-z]+/); sub(/log_level::/, "", call))
        levels[++n] = substr(call, RSTART + 11, RLENGTH - 11)
    for (i = 1; match(call, /"[^"]*"/); ++i) {
        entry = levels[i > n ? n : i] " | " values
        at = substr(call, RSTART + 1, RLENGTH - 2)
        if (at in events && events[at] != entry)
            offence("the event " at " has other values or another level elsewhere")
        events[at] = entry
        event_at[at] = FILENAME
        call = substr(call, RSTART + RLENGTH)
    }
}

FNR == 1 {
    if (NR > 1) end_file()
    begin_file()
}

{
    last = FILENAME
    width = $0
    gsub(/[\200-\277]/, "", width)  # the further bytes of one UTF-8 character
    if (length(width) > 100 && FILENAME !~ /\.md$/) offence("is wider than 100 columns")
    if ($0 ~ /\t/) offence("holds a tab")
    if ($0 ~ /[ \r]$/) offence("ends in a space")
    if (ours && $0 ~ /now\(\) \+ [a-z_.]*(limit|timeout|options_|o\.|latency)/)
        offence("adds to the time what may be the longest duration; take later()")
    if (FILENAME !~ /^(docs\/words\.md|CHANGELOG\.md|tests\/tidy\/)/ && match($0, retired))
        offence("says " substr($0, RSTART, RLENGTH) ", which docs/words.md has retired")
    if ($0 ~ /(^|[^A-Z])(TO[D]O|FIX[M]E)([^A-Z]|$)/) offence("puts work off")
}

cpp {
    code = $0
    gsub(/\\./, "", code)
    gsub(/"[^"]*"/, "\"\"", code)
    if (commented) {
        if (!match(code, /\*\//)) next
        code = substr(code, RSTART + 2)
        commented = 0
    }
    sub(/\/\/.*$/, "", code)
    if (match(code, /\/\*/)) {
        commented = code !~ /\*\/ *$/
        code = substr(code, 1, RSTART - 1)
    }
    if (code ~ /^#pragma once/) once = 1
    if (code ~ /^# *include/) check_include($0)
    check_awaits(code)
    if (ours && header != "base/log.hpp") check_event($0)
    if (ours && layer ~ pure && code ~ /(co_await|co_return|co_yield|_clock)/)
        offence(layer " is pure: it has neither coroutines nor clocks")
    if (ours && header !~ real_time && code ~ /(_clock::now|random_device|this_thread::)/)
        offence("time and randomness come from the loop")
}

FILENAME == "docs/environment.md" && /^\| `[^`]+` \| (debug|info|warning) \| / {
    split($0, cell, / *\| */)
    gsub(/`/, "", cell[2])
    documented[cell[2]] = cell[3] " | " cell[4]
}

# Every event is documented as it is, and no other.
function check_events(name) {
    for (name in events) {
        if (documented[name] == events[name]) continue
        printf "%s: docs/environment.md does not say: %s | %s\n", event_at[name], name, events[name]
        ++offences
    }
    for (name in documented) {
        if (name in events) continue
        printf "docs/environment.md: nothing logs %s\n", name
        ++offences
    }
}

# Every header is included by a test, or by a header that is.
function check_reached(changed, edge, ends) {
    do {
        changed = 0
        for (edge in reaches) {
            split(edge, ends, SUBSEP)
            if (!(ends[1] in reached) || ends[2] in reached) continue
            reached[ends[2]] = 1
            changed = 1
        }
    } while (changed)
    for (header in headers) {
        if (header in reached || header !~ /\//) continue
        printf "include/papilio/%s: no test reaches this header\n", header
        ++offences
    }
}

END {
    end_file()
    check_reached()
    check_events()
    if (offences) printf "%d offences\n", offences
    exit offences > 0
}
