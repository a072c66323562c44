// A program that runs one of its kernel instances, for one call or for several that share a launch: arguments
// from standard input, outputs to standard output.
#pragma once

#include "emulator.hpp"

namespace harness {

using Word = unsigned long long;

// Bytes of an element, and dimensions; none for a number.
struct Argument {
    std::size_t bytes;
    int dimensions;
};

inline void read(void *into, std::size_t bytes) {
    if (bytes && std::fread(into, bytes, 1, stdin) != 1)
        emulator::fail("arguments end too early");
}

struct Launch {
    unsigned blocks, calls;
    int order;
    unsigned seed;

    // Every number has eight bytes, and so have sizes; elements are on the heap at their exact size. The state
    // comes last, where there is one, after the outputs: of all samples of all blocks that the call needs, and
    // full of NaN.
    template <class Instance, std::size_t COUNT, class Body> void run(
        const Argument (&arguments)[COUNT], std::size_t words, std::size_t outputs, bool keeps, Body body) {
        std::unique_ptr<Word[]> table(new Word[calls * words]);
        std::vector<std::pair<void *, std::size_t>> arrays;
        std::vector<std::pair<void *, std::size_t>> written;
        Word *word = table.get();
        Word rows = 0;
        for (unsigned call = 0; call < calls; ++call)
            for (std::size_t at = 0; at < COUNT; ++at) {
                const bool state = keeps && at == COUNT - 1;
                const Argument &argument = arguments[at];
                if (argument.dimensions == 0) {
                    read(word++, sizeof *word);
                    continue;
                }
                Word &address = *word++;
                std::size_t bytes = argument.bytes;
                for (int axis = 0; axis < argument.dimensions; ++axis) {
                    if (state && axis == 0)
                        *word = rows;
                    else
                        read(word, sizeof *word);
                    bytes *= *word++;
                }
                constexpr Word SAMPLES = Instance::Members::SAMPLES;
                rows = (word[-argument.dimensions] + SAMPLES - 1) / SAMPLES * SAMPLES;
                void *data = std::malloc(std::max<std::size_t>(bytes, 1));
                if (state)
                    std::memset(data, 0xFF, bytes);
                else
                    read(data, bytes);
                address = reinterpret_cast<Word>(data);
                arrays.push_back({data, bytes});
                if (at + outputs + keeps >= COUNT && !state)
                    written.push_back({data, bytes});
            }
        emulator::launch(
            {blocks, calls}, Instance::Members::BLOCK, Instance::SHARED, order, seed,
            [&](void *memory) { body(memory, table.get()); });
        for (auto &[data, bytes] : written)
            std::fwrite(data, 1, bytes, stdout);
        for (auto &array : arrays)
            std::free(array.first);
    }
};

using Runner = void (*)(Launch &);

inline int main(int argc, char **argv, const std::vector<std::pair<const char *, Runner>> &instances) {
    if (argc == 6)
        for (auto &[name, runner] : instances)
            if (!std::strcmp(name, argv[1])) {
                const auto number = [&](int at) { return unsigned(std::atoi(argv[at])); };
                Launch launch{number(2), number(3), int(number(4)), number(5)};
                runner(launch);
                return 0;
            }
    emulator::fail("usage: INSTANCE BLOCKS CALLS ORDER SEED, for an instance that this program has");
}

}  // namespace harness
