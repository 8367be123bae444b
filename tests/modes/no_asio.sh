# no_asio.sh COMPILER TREE FLAG...: fails if a header of Asio's is among those that
# transport/tcp.hpp includes under PAPILIO_SEPARATE_COMPILATION.
set -eu
compiler=$1
shift 2
printf '%s\n' '#include <papilio/papilio.hpp>' '#include <papilio/transport/tcp.hpp>' >tcp.cpp
"$compiler" "$@" -DPAPILIO_SEPARATE_COMPILATION -E tcp.cpp >tcp.i
if grep -E '^# [0-9]+ ".*/asio(/|\.hpp)' tcp.i; then
    exit 1
fi
grep -q 'papilio/transport/mesh.hpp' tcp.i
