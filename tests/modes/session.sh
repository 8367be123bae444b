# session.sh COMPILER TREE FLAG...: fails if papilio/session.hpp brings coroutines or headers of
# Asio's, in either mode, or lacks what its calls are given or throw.
set -eu
compiler=$1
shift 2

cat >session.cpp <<'END'
#include <papilio/session.hpp>
#include <vector>
std::future<papilio::report> average(const papilio::communicator& group, std::vector<float>& data)
{
    return group.start().all_reduce_in_place(data, papilio::mean{}, papilio::codec_id::int8b);
}
void average(papilio::session& run, std::vector<float>& update)
try {
    run.average(update, papilio::mean{}, papilio::int8b{});
    run.average(update, papilio::weighted_mean{}, papilio::topk<64>{}, 2);
} catch (const papilio::gave_up&) {
}
END
for define in "" -DPAPILIO_SEPARATE_COMPILATION; do
    "$compiler" "$@" $define -E session.cpp >session.i
    if grep -E '^# [0-9]+ ".*/(coroutine|asio\.hpp|asio/.*)"' session.i; then exit 1; fi
    grep -q 'papilio/session/communicator\.hpp' session.i
    "$compiler" "$@" $define -fsyntax-only session.cpp
done
