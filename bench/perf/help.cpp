#include "perf/options.hpp"

namespace papilio::perf {

const char* const help =
    R"(Measures papilio's collectives, alone or beside its rivals, over many kinds of links.
docs/reference/perf.md explains every option and every column.

  papilio-perf --local 4 -b 4K -e 64M -f 4 --rivals gloo,openmpi --plot speed.svg
  papilio-perf --local 4 --netns --up 400,200,100,50 --rtt 20 -b 16M
  papilio-perf --sim 16 --up 100 --rtt 50 -b 16M
  torchrun --no-python --nproc-per-node 1 --nnodes 8 ... papilio-perf -b 1M -e 256M -f 4

The table has the form of nccl-tests. `time` is in microseconds. algbw is size over time. busbw is
algbw times 2 (n - 1) / n for an all-reduce, and times (n - 1) / n for its halves. An iteration ends
when the slowest peer has finished. `time` is the median over the runs of a run's mean. The systems
take turns within a run. The first run compares the results with the truth; all runs and all peers
must have the same bits.

Calls
  -b, --minbytes 64M  -e, --maxbytes 64M  -f, --stepfactor 2  -i, --stepbytes 0
                      sizes like 4096, 64K, 16M; or a list: --sizes 4K,16M
  --collective all_reduce   or reduce_scatter, all_gather, broadcast, of floats
  -d, --datatype float    or double half bfloat16 int8 uint8 int32 uint32 int64 uint64, a list, all
  -o, --op sum            or prod min max avg, a list, all
  --place both            or out, in: where the result is written
  -n, --iters 5  -w, --warmup_iters 1  --runs 5
                      each run measures every system in turn: -w calls that do not count, then -n
                      calls that count
  -c, --check 1           0: results are not compared with the truth
  --first                 also measures the first call of a new group, with cold connections
  --idle SECONDS          also measures one call after this idle time

Place and links
  --local N           N processes on this machine
  --netns             each process in a network namespace of its own, behind a shaped link (root)
  --up M,... --down M,...  Mbit/s, one for all peers or one per peer; --up alone is for both
                      directions. On a cluster they state the rates of its links
  --rtt MS            the round trip between any two peers. A program behind a TUN device delays
                      the packets
  --sim N             N peers in virtual time, on links of --up, --down and --rtt
  (none of these)     the variables of torchrun, Open MPI, MPICH or Slurm give the rank of this
                      process, and where the coordinator listens. Else --local 4
  --transport tcp     or shm, shared memory; auto, the better of both for each pair; inproc, threads
                      of one process; or sim, which --sim implies

Settings
  --codec identity    or as_f16 as_bf16 int8b int4b int4b_32 nf4b fp8_e4m3 fp8_e5m2 fp4 sign1 topk,
                      a list; for floats, sum and avg. Rivals always send floats. as-many-bytes is
                      identity with less data: it sends as many bytes as the first codec
  --on-error restored what calls in place leave of the data when they fail; or undefined, a list
  --memory ordinary   where buffers lie; or allocated, memory that the transport gives (shm and
                      auto), a list
  --calls bare        or communicator, whose calls another thread makes (tcp and auto), a list
  --radix 4,2x2       butterflies, each measured: one stage of four, two stages of two; all: each
                      possible one; model: the choice of the cost model if links are known (default)
  --streams 1         connections per pair of peers
  --adaptive          starts with one of them and doubles them while that adds a tenth of speed
  --crc between-hosts which links of TCP check contents; or always, never. Rivals do not check any
  --threads 0         threads that encode and reduce; 0: the thread of the transport does it
  --chunk SIZE --in-flight N   by default depend on the size
  --even-parts        the parts do not depend on the links
  --congestion NAME   congestion control of all TCP sockets, rivals included: reno, cubic, bbr
  --timeout 60        seconds that a call may take; a slower rival is left out

Losses
  --lose kill@50,...  has peers of a call in place, with salvage, lost in mid-call, and measures
                      nothing else: kill (SIGKILL), stop (SIGSTOP), cut (nothing arrives that it
                      sends; with --netns), down (its link is down; with --netns) or slow (its link
                      slows to a hundredth; with --netns), a rank (the last ones if left out),
                      and when, in percent of the time without losses.
                      kill@50+kill@75 are two in one call
  --uniform           all of the result is of the same contributors

Rivals
  --rivals gloo,openmpi,mpich,one-mapping
                      gloo's four algorithms; Debian's MPIs over TCP and over shared memory; what
                      processes of one host can do at best, in one mapping. A rival that is not
                      installed or cannot run is left out with a message. Rivals that work in place
                      only get their data copied outside the measured time

Output
  second table        p50 and p99 of the iterations; wire: bytes sent by all peers per call; eta:
                      the shortest time that the links allow over the measured time, or - if the
                      measured time is the shorter one; pred: the time of the cost model over the
                      measured time; relerr: relative root mean square error; cpu: nanoseconds of
                      all peers per byte; peak: memory beyond the buffers per byte; lost: peers
                      missing in a result; ratio: the best rival's time over this time
  --csv FILE  --json FILE  --gbench-json FILE (as Google Benchmark writes it)  --plot FILE.svg
  --require 'eta>=0.95' --require 'papilio/gloo>=1.2' --require 'papilio-int8b:relerr<=0.01'
                      the program fails unless this holds at every size. A column of the table, or
                      the speed of one system over another's. A name selects the system of this name
                      or the fastest of the systems whose names begin with it. "rivals" and "others"
                      (papilio's other forms) are names, too

  --version           prints the version

Exit status: 0; 1 if a result is wrong, a peer fails, nothing was measured or a requirement is not
met; 2 if the command line or a variable of a launcher is wrong.
)";

}  // namespace papilio::perf
