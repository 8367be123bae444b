// All headers are found, and what they need to link. It takes less time than main.cpp, since where
// no collective is called, none is compiled.

#include "average.hpp"

int main()
{
    pa::thread_loop loop;
    pa::inproc::group peers(2, loop);
    pa::sync_wait(loop, pa::sleep_for(pa::duration::zero()));
    return peers.peer(1).rank() == 1 ? 0 : 1;
}
