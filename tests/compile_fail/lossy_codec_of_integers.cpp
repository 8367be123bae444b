// error: a lossy codec takes float and double only

#include <papilio/codec/int8b.hpp>

#include <array>

int main()
{
    const std::array<int, 4> values{1, 2, 3, 4};
    std::array<std::byte, 64> buffer{};
    papilio::int8b{}.encode(std::span<const int>(values), buffer);
}
