# alone.sh COMPILER TREE FLAG...: links programs that include one header and derive from its event.
# Header-only, whichever header of the loop a program includes first must define what it calls.
set -eu
compiler=$1
shift 2

for header in async/event async/loop async/impl/loop; do
    printf '%s\n' "#include <papilio/$header.hpp>" \
        'struct silent final : papilio::event { void fire() override {} };' \
        'int main() { silent().cancel(); }' >alone.cpp
    "$compiler" "$@" alone.cpp -o alone || { echo "$header.hpp does not stand alone"; exit 1; }
    ./alone
done
