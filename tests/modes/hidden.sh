# hidden.sh COMPILER TREE FLAG...: two shared objects hide all names but one function each. What the
# one throws the other knows by its code, in both modes, linked and loaded at run time.
set -eu
compiler=$1
shift 2

cat >thrower.cpp <<'END'
#include <papilio/base/error.hpp>
#include <papilio/base/log.hpp>
extern "C" __attribute__((visibility("default"))) void fail()
{
    papilio::detail::log(papilio::log_level::warning, "a failure", {"why"}, "asked to");
    throw std::system_error(papilio::errc::silent, "peer 3");
}
END
cat >catcher.cpp <<'END'
#include <papilio/base/error.hpp>
#include <papilio/base/log.hpp>
namespace {
int logged = 0;
void count(const papilio::log_event&) { ++logged; }
}
extern "C" __attribute__((visibility("default"))) int known(void (*fail)())
{
    papilio::set_log(count);
    try {
        fail();
    } catch (const std::system_error& e) {
        const bool ours = e.code().category() == papilio::category();
        return ours && e.code() == papilio::errc::silent && logged == 1;
    }
    return 0;
}
END
cat >linked.cpp <<'END'
extern "C" void fail();
extern "C" int known(void (*fail)());
int main() { return known(fail) ? 0 : 1; }
END
cat >loaded.cpp <<'END'
#include <dlfcn.h>
int main()
{
    void* const thrower = dlopen("./libthrower.so", RTLD_NOW | RTLD_LOCAL);
    void* const catcher = dlopen("./libcatcher.so", RTLD_NOW | RTLD_LOCAL);
    if (!thrower || !catcher) return 2;
    const auto fail = reinterpret_cast<void (*)()>(dlsym(thrower, "fail"));
    const auto known = reinterpret_cast<int (*)(void (*)())>(dlsym(catcher, "known"));
    return known(fail) ? 0 : 1;
}
END

for mode in header_only compiled; do
    define=
    sources=
    if [ $mode = compiled ]; then
        define=-DPAPILIO_SEPARATE_COMPILATION
        echo '#include <papilio/base/impl/error.hpp>' >library.cpp
        sources=library.cpp
    fi
    for part in thrower catcher; do
        "$compiler" "$@" $define -fvisibility=hidden -fvisibility-inlines-hidden -fPIC -shared \
            $part.cpp $sources -o lib$part.so
    done
    "$compiler" linked.cpp -o linked -L. -Wl,-rpath,. -lthrower -lcatcher
    ./linked || { echo "linked, $mode: the code is not the same"; exit 1; }
    # Only g++ marks what there is one of, so that objects which are loaded apart share it as well.
    if "$compiler" --version | grep -qi clang; then continue; fi
    "$compiler" loaded.cpp -o loaded -ldl
    ./loaded || { echo "loaded, $mode: the code is not the same"; exit 1; }
done
