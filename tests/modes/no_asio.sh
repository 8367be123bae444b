# no_asio.sh COMPILER TREE FLAG...: fails if a header of Asio's is among those that a public header
# of async/ or transport/ includes under PAPILIO_SEPARATE_COMPILATION. Those that say that they are
# for authors of transports may have Asio's, and are left out.
set -eu
compiler=$1
tree=$2
shift 2

headers() {
    (cd "$tree/include" && find papilio/async papilio/transport -name '*.hpp' \
        ! -path '*/impl/*' ! -path '*/detail/*' \
        -exec grep -L '^// For authors of transports' {} + | sort)
}
headers >headers.txt
{
    echo '#include <papilio/papilio.hpp>'
    sed 's/.*/#include <&>/' headers.txt
} >no_asio.cpp
"$compiler" "$@" -DPAPILIO_SEPARATE_COMPILATION -E no_asio.cpp >no_asio.i
if grep -E '^# [0-9]+ ".*/asio(/|\.hpp)' no_asio.i | grep -vF "\"$tree/include/"; then
    exit 1
fi
for header in async/asio_loop transport/hybrid transport/shm transport/tcp \
    transport/tcp/channel transport/tcp/listener; do
    grep -q "papilio/$header\.hpp" no_asio.i
done
