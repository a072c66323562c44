// Which threads share a sample, and how a layer is summed: in 16 lanes, tile by tile of 1,024 units, each
// tile by a fixed tree (engines/mlp/one_or_two_inputs.py). The shape of the sum depends on the width alone, never on
// how many threads form it. LANES, TILE and other sizes are those of engines/contract/shape.py.
#pragma once

#include "engines/contract/arithmetic.cuh"

namespace deeplimits {

constexpr unsigned int WARP = 0xFFFFFFFFu;

// Threads of a block that compute one sample. TEAMS teams take the tiles in turn; lane l of a tile belongs to
// thread l mod THREADS of its team, so that a thread holds SLOTS lanes. With one team a sample never leaves
// its warp; with several, it has the block to itself. A team beyond the last sample computes that one once
// more and writes nothing, since its neighbours in the warp need it for their shuffles.
template <int THREADS_, int TEAMS_> struct ThreadGroup {
    static constexpr int THREADS = THREADS_;
    static constexpr int TEAMS = TEAMS_;
    static constexpr int SLOTS = LANES / THREADS;
    static constexpr int BLOCK = TEAMS == 1 ? 128 : THREADS * TEAMS;
    static constexpr int SAMPLES = BLOCK / (THREADS * TEAMS);

    i4 member;  // among the threads of the sample
    i4 thread;  // in its team
    i4 team;
    i4 place;  // of the sample in the block
    i8 row;
    i8 slot;      // the sample's among those of the launch, beyond the last included
    bool exists;  // and so may write
    bool leads;

    INLINE explicit ThreadGroup(i8 rows) {
        member = threadIdx.x % (THREADS * TEAMS);
        thread = threadIdx.x % THREADS;
        team = TEAMS == 1 ? 0 : i4(threadIdx.x / THREADS);
        place = threadIdx.x / (THREADS * TEAMS);
        slot = i8(blockIdx.x) * SAMPLES + place;
        exists = slot < rows;
        leads = exists && member == 0;
        row = exists ? slot : rows - 1;
    }

    // Wait for the others, and see what they have written to shared memory.
    static INLINE void synchronise() {
        if constexpr (TEAMS == 1)
            __syncwarp();
        else
            __syncthreads();
    }

    // Sum of 16 lanes: lane i takes lane i + 8, then i + 4, i + 2, i + 1. All threads of a team get it: where
    // lane i + 8 takes lane i as well, both have the same sum.
    template <class Number> static INLINE Number tree(Number (&lanes)[SLOTS]) {
#pragma unroll
        for (int slots = SLOTS / 2; slots > 0; slots /= 2) {
#pragma unroll
            for (int slot = 0; slot < slots; ++slot)
                lanes[slot] = lanes[slot] + lanes[slot + slots];
        }
        Number sum = lanes[0];
#pragma unroll
        for (int width = THREADS / 2; width > 0; width /= 2)
            sum = sum + Number(__shfl_xor_sync(WARP, sum.value, width));
        return sum;
    }

    // Call visit(unit) for the units that sum_tile gives to this thread, UNITS at a time.
    template <int UNITS, class Visit> INLINE void own_units(i4 width, Visit visit) const {
        for (i4 tile = team * TILE; tile < width; tile += TEAMS * TILE) {
            const i4 stop = min(width, tile + TILE);
            for (i4 start = tile; start < stop; start += UNITS * LANES)
                for (int slot = 0; slot < SLOTS; ++slot)
                    if (start + UNITS * THREADS * slot < stop)
                        visit(start + UNITS * (thread + THREADS * slot));
        }
    }

    // Reduce one tile. add(unit, lanes) adds UNITS units, the first of them `unit`, to QUANTITIES sums of one
    // lane.
    template <int UNITS, class Number, int QUANTITIES, class Add>
    INLINE void sum_tile(i4 tile, i4 width, Number (&sums)[QUANTITIES], Add add) const {
        Number lanes[SLOTS][QUANTITIES];
#pragma unroll
        for (int slot = 0; slot < SLOTS; ++slot) {
#pragma unroll
            for (int at = 0; at < QUANTITIES; ++at)
                lanes[slot][at] = 0.0f;
        }
        const i4 stop = min(width, tile + TILE);
        for (i4 start = tile; start < stop; start += UNITS * LANES) {
#pragma unroll
            for (int slot = 0; slot < SLOTS; ++slot)
                if (slot == 0 || start + UNITS * THREADS * slot < stop)
                    add(start + UNITS * (thread + THREADS * slot), lanes[slot]);
        }
#pragma unroll
        for (int at = 0; at < QUANTITIES; ++at) {
            Number lane[SLOTS];
#pragma unroll
            for (int slot = 0; slot < SLOTS; ++slot)
                lane[slot] = lanes[slot][at];
            sums[at] = tree(lane);
        }
    }
};

// Where the teams of a sample lay down the sums of their tiles. There are two boards, used in turn: while one
// is read, the other may be written.
template <class ThreadGroup, int QUANTITIES, class Number = f4> struct Boards {
    Number sums[2][ThreadGroup::TEAMS][QUANTITIES];
};

// Rows of numbers of the units of a sample in the card's memory, in the order in which lanes draw them, so
// that the threads of a team read and write side by side. A unit is always the same thread's: nobody waits
// for it.
template <int UNITS> struct UnitRows {
    static constexpr int GROUP = UNITS * LANES;

    f4 *data;
    i4 padded;

    INLINE UnitRows(f4 *data, i4 width) : data(data), padded((width + GROUP - 1) / GROUP * GROUP) {}

    // Of the unit `each` of those that are drawn together, of which the first is `unit`.
    INLINE f4 &at(int row, i4 unit, int each) const {
        return data[row * padded + unit / GROUP * GROUP + each * LANES + unit % GROUP / UNITS];
    }
};

// A sum over all units in registers, the same in every thread of the sample.
template <int UNITS, class ThreadGroup, int QUANTITIES, class Add> INLINE void sum_units(
    const ThreadGroup &group, Boards<ThreadGroup, QUANTITIES> &boards, i4 &turn, i4 width, f4 (&totals)[QUANTITIES],
    Add add) {
#pragma unroll
    for (int at = 0; at < QUANTITIES; ++at)
        totals[at] = 0.0f;
    for (i4 base = 0; base < width; base += ThreadGroup::TEAMS * TILE) {
        f4 sums[QUANTITIES];
        group.template sum_tile<UNITS>(base + group.team * TILE, width, sums, add);
        if constexpr (ThreadGroup::TEAMS == 1) {
#pragma unroll
            for (int at = 0; at < QUANTITIES; ++at)
                totals[at] = totals[at] + sums[at];
        } else {
            auto &board = boards.sums[turn];
            if (group.thread == 0) {
#pragma unroll
                for (int at = 0; at < QUANTITIES; ++at)
                    board[group.team][at] = sums[at];
            }
            ThreadGroup::synchronise();
            for (int team = 0; team < ThreadGroup::TEAMS && base + team * TILE < width; ++team) {
#pragma unroll
                for (int at = 0; at < QUANTITIES; ++at)
                    totals[at] = totals[at] + board[team][at];
            }
            turn ^= 1;
        }
    }
}

// A sum of so many quantities over all units that shared memory has to hold it.
template <int UNITS, class ThreadGroup, int QUANTITIES, class Number, class Add> INLINE void sum_units_shared(
    const ThreadGroup &group, Boards<ThreadGroup, QUANTITIES, Number> &boards, i4 &turn, i4 width, Number *totals, Add add) {
    constexpr int MEMBERS = ThreadGroup::THREADS * ThreadGroup::TEAMS;
    for (int at = group.member; at < QUANTITIES; at += MEMBERS)
        totals[at] = 0.0f;
    for (i4 base = 0; base < width; base += ThreadGroup::TEAMS * TILE) {
        Number sums[QUANTITIES];
        group.template sum_tile<UNITS>(base + group.team * TILE, width, sums, add);
        auto &board = boards.sums[turn];
        if (group.thread == 0) {
#pragma unroll
            for (int at = 0; at < QUANTITIES; ++at)
                board[group.team][at] = sums[at];
        }
        ThreadGroup::synchronise();
        for (int at = group.member; at < QUANTITIES; at += MEMBERS) {
            for (int team = 0; team < ThreadGroup::TEAMS && base + team * TILE < width; ++team)
                totals[at] = totals[at] + board[team][at];
        }
        turn ^= 1;
    }
    ThreadGroup::synchronise();
}

}  // namespace deeplimits
