#include "perf/options.hpp"

namespace papilio::perf {

const char* const help =
    R"(Measures papilio's collectives, alone or beside its rivals, over links of any kind.

  papilio-perf --local 4 -b 4K -e 64M -f 4 --rivals gloo,openmpi --plot speed.svg
  papilio-perf --local 4 --netns --up 400,200,100,50 --rtt 20 -b 16M
  papilio-perf --sim 16 --up 100 --rtt 50 -b 16M
  torchrun --no-python --nproc-per-node 1 --nnodes 8 ... papilio-perf -b 1M -e 256M -f 4

The table is that of nccl-tests: time in microseconds; algbw is size over time, busbw that times
2 (n - 1) / n for an all-reduce, (n - 1) / n for its halves. The time of an iteration ends with the
slowest peer; `time` is the median, over the runs, of a run's mean. Systems take turns within a run.
Results are compared with the truth in the first run, and bit for bit between the peers and the runs
in all.

What is called
  -b, --minbytes 64M  -e, --maxbytes 64M  -f, --stepfactor 2  -i, --stepbytes 0
                      sizes like 4096, 64K, 16M; or a list of them as --sizes 4K,16M
  --collective all_reduce   or reduce_scatter, all_gather, broadcast, of floats
  -d, --datatype float    or double half bfloat16 int8 uint8 int32 uint32 int64 uint64, a list, all
  -o, --op sum            or prod min max avg, a list, all
  --place both            or out, in: where the result goes
  -n, --iters 5  -w, --warmup_iters 1  --runs 5
                      each run measures every system in turn: -w calls that do not count, -n that do
  -c, --check 1           0: results are not compared with the truth
  --first                 also the first call of a new group, whose connections are cold
  --idle SECONDS          also one call after so long without any

Where
  --local N           N processes on this machine
  --netns             each of them in a network namespace of its own (root only), behind links of
  --up M,... --down M,...  Mbit/s, one for all or one per peer; alone, --up is for both ways. On a
                      cluster, they tell what its links carry
  --rtt MS            there and back, between any two. Delay is added to packets: by the kernel
                      where it has netem, else by a program behind a TUN device
  --sim N             N peers in virtual time, on links of --up, --down and --rtt
  (none of these)     the environment of torchrun, Slurm or Open MPI says which peer this is; the
                      coordinator listens at MASTER_ADDR and MASTER_PORT. Else --local 4
  --transport tcp     or shm, shared memory; auto, for each pair the best of both; inproc, threads
                      of one process; or sim, which --sim means

How papilio goes about it
  --codec identity    or as_f16 as_bf16 int8b int4b int4b_32 nf4b fp8_e4m3 fp8_e5m2 fp4 sign1 topk,
                      a list; for floats, sum and avg. Rivals send floats as they are. The word
                      as-many-bytes stands for identity with as little data as the first codec sends
  --radix 4,2x2       butterflies, each measured: one stage of four, two stages of two; "all" of
                      them; "model": what the cost model chooses, if links are known (default)
  --streams 1         connections per pair of peers
  --adaptive          of them, begin with one, and use more while that gains a tenth
  --threads 0         that encode and reduce; 0: the one that does everything else
  --chunk SIZE --in-flight N   by default chosen by size
  --even-parts        do not fit the parts to the links
  --congestion NAME   congestion control of all TCP sockets, rivals' too: reno, cubic, bbr
  --timeout 60        seconds that a call may take; a rival that takes longer is left out

Beside whom
  --rivals gloo,openmpi,mpich
                      gloo's four algorithms, Debian's MPIs over TCP and over shared memory. Those
                      that are not here, or cannot run as asked, are left out, with a word about it.
                      gloo's ring-chunked and halving-doubling, and what else works in place only,
                      get their data copied outside the measured time

What comes of it
  more columns        p50 and p99 of the iterations; wire: bytes sent by all peers per call; eta:
                      the shortest time that these links allow over the measured one, or - where the
                      measured time is the shorter one; pred: what the cost model expected over the
                      measured time; relerr: relative root mean square error; cpu: nanoseconds of
                      all peers per byte; peak: memory beyond the buffers per byte; lost: peers
                      missing in a result; ratio: the best rival's time over this one
  --csv FILE  --json FILE  --gbench-json FILE (as Google Benchmark writes it)  --plot FILE.svg
  --require 'eta>=0.95' --require 'papilio/gloo>=1.2' --require 'papilio-int8b:relerr<=0.01'
                      fail unless this holds at every size. A column of the table, or one system's
                      speed over another's; a name stands for all systems that begin with it, of
                      which the best counts. "rivals" and "others", papilio's other forms, are names

Exit status: 0; 1 when a result is wrong, a peer fails, nothing was measured or a requirement is not
met; 2 when the command line, or what a launcher has set, is not understood.
)";

}  // namespace papilio::perf
